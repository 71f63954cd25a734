"""The authorization endpoints /oidc/auth and /oauth/auth: sign a user in at the hosted page, and issue a code.

Guesses, since nothing is published: an application that registered no redirect_uri may use addresses of this machine;
the scope offline_access makes the consent page come up once, as prompt=consent does each time; select_account asks who
is there by the login page; OAuth 2.0 without OpenID Connect is asked at /oauth/auth, gives codes and refresh
tokens for /oauth/token only, and drops the scope openid.
"""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ..http.routes import Handler, Routes
from ..state.grants import OFFLINE_ACCESS, Protocol
from ..state.hosted.browser_sessions import BrowserSession
from ..state.hosted.interactions import Plan
from ..state.state import State
from .authorization_request import AuthorizationRequest, read_authorization_request
from .browser_requests import is_in_frame_of_other_site, read_parameters, session_of
from .login_page import ask_to_sign_in, go_on_signed_in, may_go_on


async def _authorize(protocol: Protocol, state: State, request: Request) -> Response:
    asked = read_authorization_request(state, await read_parameters(request), protocol)
    plan = _plan(state, asked)
    session = session_of(state, request)
    if "none" in asked.prompts:
        return _without_a_page(state, request, asked, plan, session)
    if session is None or _has_to_sign_in(state, asked, session):
        return ask_to_sign_in(state, request, plan)
    return go_on_signed_in(state, request, plan, session)


def _without_a_page(
    state: State, request: Request, asked: AuthorizationRequest, plan: Plan, session: BrowserSession | None
) -> Response:
    if session is None and is_in_frame_of_other_site(request):
        raise asked.refuse("login_required", "no cookies in a frame of another site: give both the same host name")
    if session is None or not _is_fresh(state, asked, session) or not _is_expected(asked, session):
        raise asked.refuse("login_required", "the user has to sign in")
    if not may_go_on(state, session):
        raise asked.refuse("interaction_required", "the user has something to do first")
    if plan.needs_consent(session):
        raise asked.refuse("consent_required", "the user has to agree")
    return plan.complete(session)


def _has_to_sign_in(state: State, asked: AuthorizationRequest, session: BrowserSession) -> bool:
    return (
        not asked.prompts.isdisjoint({"login", "select_account"})
        or not _is_fresh(state, asked, session)
        or not _is_expected(asked, session)
        or not may_go_on(state, session)
    )


def _is_fresh(state: State, asked: AuthorizationRequest, session: BrowserSession) -> bool:
    return asked.max_age is None or state.clock.now() - session.auth_time < asked.max_age


def _is_expected(asked: AuthorizationRequest, session: BrowserSession) -> bool:
    return asked.expected_user_id in {None, session.user_id}


def _plan(state: State, asked: AuthorizationRequest) -> Plan:
    hosted = state.hosted_login
    app_id = asked.app.app_id

    def needs_consent(session: BrowserSession) -> bool:
        if not _is_expected(asked, session):
            return False  # the request is refused anyway
        refreshable = OFFLINE_ACCESS in asked.scope.split()
        return "consent" in asked.prompts or (
            refreshable and not hosted.has_consented(session.user_id, asked.scope, app_id=app_id)
        )

    def complete(session: BrowserSession) -> Response:
        if not _is_expected(asked, session):
            return asked.refuse("login_required", "the id_token_hint names another user").response()
        if needs_consent(session):
            hosted.consent(state.users.by_id(session.user_id), asked.scope, app_id=app_id)
        return asked.back.send(code=_new_code(state, asked, session))

    def deny() -> Response:
        return asked.refuse("access_denied", "the user did not agree").response()

    return Plan(
        app_id=app_id,
        title=asked.app.display_name,
        account=asked.login_hint,
        scope=asked.scope,
        needs_consent=needs_consent,
        complete=complete,
        deny=deny,
    )


def _new_code(state: State, asked: AuthorizationRequest, session: BrowserSession) -> str:
    user = state.users.by_id(session.user_id)
    # Opened here and not when the code is redeemed, since it is here that the user's own browser asks.
    grant = state.grants.open(user.id, asked.app.app_id, asked.scope, asked.protocol)
    if asked.max_age is not None:
        # The vendor's samples have none, but OpenID Connect Core 2 requires it here.
        grant.auth_time = session.auth_time
    state.hosted_login.sessions.note(session, grant)
    state.devices.note(user, grant)
    return state.hosted_login.codes.issue(
        grant, redirect_uri=asked.back.redirect_uri, nonce=asked.nonce, challenge=asked.challenge
    )


def _routes_of(protocol: Protocol) -> dict[str, Handler]:
    handler = partial(_authorize, protocol)
    return {"GET": handler, "POST": handler}


ROUTES: Routes = {"/oidc/auth": _routes_of("oidc"), "/oauth/auth": _routes_of("oauth")}
