"""Requests of browsers: cookies, and the parameters of a query or a form."""

from __future__ import annotations

from collections import Counter
from urllib.parse import parse_qsl

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response

from ..state.hosted.browser_sessions import BrowserSession
from ..state.state import State
from .pages import PageError

REGISTER = "Register it: `emulator.hosted_login.allow_redirect(uri)`, or `genauth emulator --redirect-uri URI`."
_SESSION_COOKIE = "genauth_session"
_BROWSER_COOKIE = "genauth_browser"


@frozen
class Parameters:
    """The parameters of a request; those without a value count as absent.

    Attributes:
        repeated: the names that are there more than once, whose values count as absent, too.
    """

    values: dict[str, str]
    repeated: frozenset[str]

    def get(self, name: str) -> str | None:
        return self.values.get(name)


async def read_parameters(request: Request) -> Parameters:
    """Read the parameters of a POST request's form, or of another request's query."""
    pairs = await _form_of(request) if request.method == "POST" else request.query_params.multi_items()
    repeated = frozenset(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    return Parameters({name: value for name, value in pairs if value and name not in repeated}, repeated)


async def _form_of(request: Request) -> list[tuple[str, str]]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise PageError(
            "The content type must be application/x-www-form-urlencoded.",
            remedy="Send the parameters as a form, or by GET in the query.",
        )
    try:
        return parse_qsl((await request.body()).decode(), keep_blank_values=True)
    except ValueError as error:
        raise PageError("The form cannot be read.", remedy="Encode it in UTF-8.") from error


def unknown_app(*, http_status: int = 400) -> PageError:
    """Refuse a request of an unknown application."""
    return PageError(
        "There is no such application: the client_id is unknown.",
        remedy="Use `emulator.app_id`, or add it: `emulator.add_app(app_id=...)` or `genauth emulator --app-id ID`.",
        http_status=http_status,
    )


def session_of(state: State, request: Request) -> BrowserSession | None:
    """Find the session of this browser, unless its user was removed."""
    session = state.hosted_login.sessions.find(request.cookies.get(_SESSION_COOKIE))
    return session if session is not None and state.users.find(session.user_id) is not None else None


def browser_of(request: Request) -> str | None:
    """Return the identifier of this browser, if it has one."""
    return request.cookies.get(_BROWSER_COOKIE)


def is_in_frame_of_other_site(request: Request) -> bool:
    """Return whether a frame asks in which browsers send no cookies: localhost and 127.0.0.1 are two sites, say."""
    return request.headers.get("sec-fetch-site") == "cross-site" and request.headers.get("sec-fetch-dest") == "iframe"


def remember_browser(state: State, response: Response, browser: str) -> None:
    """Set the cookie that identifies the browser when it sends a form."""
    _set_cookie(state, response, _BROWSER_COOKIE, browser)


def remember_session(state: State, response: Response, session: BrowserSession) -> None:
    """Set the session cookie."""
    _set_cookie(state, response, _SESSION_COOKIE, session.id)


def forget_session(response: Response) -> None:
    """Delete the session cookie."""
    response.delete_cookie(_SESSION_COOKIE, path="/", httponly=True, samesite="lax")


def _set_cookie(state: State, response: Response, name: str, value: str) -> None:
    # Lax, since browsers come here from other sites' pages, by a link.
    response.set_cookie(name, value, path="/", httponly=True, samesite="lax", secure=state.url.startswith("https:"))
