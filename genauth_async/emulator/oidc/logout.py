"""Logout from the hosted login: /oidc/session/end, /login/profile/logout, /cas-idp/logout.

/oidc/session/end follows OpenID Connect RP-Initiated Logout 1.0, and asks unless an ID token of the signed-in user
comes with it. The other two are published as addresses only; it is a guess that they do not ask.

It revokes what the calling application got from the session, and what others got without offline_access.
"""

from __future__ import annotations

from urllib.parse import urlencode

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response

from ..http.routes import Routes
from ..state.hosted.browser_sessions import BrowserSession
from ..state.hosted.interactions import Plan
from ..state.id_tokens import InvalidIdTokenError, hinted_user
from ..state.state import State
from .browser_requests import Parameters, forget_session, read_parameters, session_of, unknown_app
from .login_page import ask_to_sign_out
from .pages import PageError, page, redirect

_REGISTER = (
    "Register it: `emulator.hosted_login.allow_logout_redirect(uri)`, or `genauth emulator --logout-redirect-uri URI`."
)


@frozen
class _LogoutRequest:
    """A logout request: the application, the user of the id_token_hint, and the address to return to."""

    app_id: str | None
    user_id: str | None
    return_to: str | None


async def end_session(state: State, request: Request) -> Response:
    """Handle the end session endpoint of OpenID Connect."""
    asked = _read(state, await read_parameters(request))
    session = session_of(state, request)
    if session is None:
        response = _done(asked.return_to)
        forget_session(response)
        return response
    if asked.user_id == session.user_id:
        return _sign_out(state, session, asked)
    plan = Plan(
        app_id=asked.app_id or "",
        title="",
        complete=lambda live: _sign_out(state, live, asked),
        deny=lambda: page("Signed in", "<p>You are still signed in.</p>"),
    )
    return ask_to_sign_out(state, request, plan, session)


def _read(state: State, given: Parameters) -> _LogoutRequest:
    if given.repeated:
        raise PageError("A parameter is given more than once.", remedy="Give each once.")
    app_id, user_id = given.get("client_id"), None
    if app_id is not None and app_id not in state.apps:
        raise unknown_app()
    hint = given.get("id_token_hint")
    if hint is not None:
        try:
            app, user_id = hinted_user(state, hint)
        except InvalidIdTokenError as error:
            raise PageError(
                "The id_token_hint was not issued here.",
                remedy="Send the ID token that this emulator gave the user last.",
            ) from error
        if app_id not in {None, app.app_id}:
            raise PageError(
                "The id_token_hint was issued to another application than client_id names.",
                remedy="Leave client_id out.",
            )
        app_id = app.app_id
    return _LogoutRequest(app_id, user_id, _return_address(state, given, app_id))


def _return_address(state: State, given: Parameters, app_id: str | None) -> str | None:
    address = given.get("post_logout_redirect_uri")
    if address is None:
        return None
    if given.get("id_token_hint") is None or app_id is None:
        raise PageError(
            "post_logout_redirect_uri needs an id_token_hint.",
            remedy="Send the user's ID token along: `build_logout_url(id_token=...)`. `client_id` alone is not enough.",
        )
    if not state.hosted_login.logout_redirects.allow(address, app_id):
        raise PageError(
            "The application has not registered this post_logout_redirect_uri.",
            remedy=_REGISTER,
        )
    passed_on = given.get("state")
    if passed_on is None:
        return address
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'state': passed_on})}"


async def logout_profile(state: State, request: Request) -> Response:
    """Sign out for the link of OAuth and SAML applications."""
    return await _sign_out_at_once(state, request, ("redirect_uri",))


async def logout_cas(state: State, request: Request) -> Response:
    """Sign out for CAS: `url` in its protocol 2.0, `service` in 3.0."""
    return await _sign_out_at_once(state, request, ("url", "service"))


async def _sign_out_at_once(state: State, request: Request, names: tuple[str, ...]) -> Response:
    given = await read_parameters(request)
    if given.repeated:
        raise PageError("A parameter is given more than once.", remedy="Give each once.")
    address = next((given.values[name] for name in names if name in given.values), None)
    if address is not None and not state.hosted_login.logout_redirects.allow_any(address):
        raise PageError(
            "No application has registered this address to return to.",
            remedy=_REGISTER,
        )
    session = session_of(state, request)
    response = _done(address) if session is None else _sign_out(state, session, _LogoutRequest(None, None, address))
    forget_session(response)
    return response


def _sign_out(state: State, session: BrowserSession, asked: _LogoutRequest) -> Response:
    state.hosted_login.sessions.end(session, app_id=asked.app_id)
    response = _done(asked.return_to)
    forget_session(response)
    return response


def _done(return_to: str | None) -> Response:
    if return_to is not None:
        return redirect(return_to)
    return page("Signed out", "<p>You are signed out. You can close this window.</p>")


ROUTES: Routes = {
    "/oidc/session/end": {"GET": end_session, "POST": end_session},
    "/login/profile/logout": {"GET": logout_profile},
    "/cas-idp/logout": {"GET": logout_cas},
}
