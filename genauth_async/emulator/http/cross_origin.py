"""Cross-origin requests of single-page applications, from any origin (Fetch standard, CORS protocol).

Browsers send no cookies with them, so that they depend on their tokens and codes alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from ..state.errors import ReplyError
from ..state.state import State
from .replies import error_response
from .routes import Handler

_ALLOW = "access-control-allow-origin"
_SECONDS = "600"


def cross_origin(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """Allow the handlers of a path to every origin, and answer the preflight request."""
    methods = ", ".join(handlers)

    async def preflight(_state: State, request: Request) -> Response:
        headers = {
            _ALLOW: "*",
            "access-control-allow-methods": methods,
            "access-control-max-age": _SECONDS,
            "vary": "Access-Control-Request-Headers",
        }
        asked = request.headers.get("access-control-request-headers")
        if asked:
            headers["access-control-allow-headers"] = asked  # a star would leave out Authorization
        return Response(status_code=204, headers=headers)

    return {**{method: _shared(handler) for method, handler in handlers.items()}, "OPTIONS": preflight}


def _shared(handler: Handler) -> Handler:
    async def shared(state: State, request: Request) -> Response:
        try:
            response = await handler(state, request)
        except ReplyError as error:
            response = error_response(error)
        response.headers[_ALLOW] = "*"
        return response

    return shared
