"""Cross-origin requests of single-page applications, from any origin (Fetch standard, CORS protocol).

The API and the OAuth endpoints are open to every origin, but never with cookies: they read none, and live by tokens,
codes and secrets alone. The pages, which do read cookies, are open to no other origin.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

_SHARED = ("/api/", "/graphql/", "/oauth/", "/oidc/")
_PAGES = frozenset({"/oauth/auth", "/oidc/auth", "/oidc/session/end"})
_SECONDS = "600"


def is_preflight(request: Request) -> bool:
    """Return whether a browser asks if a page of another origin may send a request."""
    headers = request.headers
    return (
        request.method == "OPTIONS" and "access-control-request-method" in headers and _is_shared(request.scope["path"])
    )


def preflight_response(request: Request) -> Response:
    """Allow the method and the headers that the browser asks for."""
    headers = {
        "access-control-allow-methods": request.headers["access-control-request-method"],
        "access-control-max-age": _SECONDS,
    }
    asked = request.headers.get("access-control-request-headers")
    if asked:
        headers["access-control-allow-headers"] = asked  # a star would leave out Authorization
    return Response(status_code=204, headers=headers)


def share(request: Request, response: Response) -> None:
    """Let pages of every origin read a response and its headers, if its path is not a page's."""
    if _is_shared(request.scope["path"]):
        response.raw_headers += [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"*")]


def _is_shared(path: str) -> bool:
    return path.startswith(_SHARED) and path not in _PAGES
