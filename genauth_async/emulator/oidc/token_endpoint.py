"""The token endpoints: /oidc/token, and /oauth/token for OAuth 2.0 without OpenID Connect (RFC 6749).

The grant type client_credentials is for programming access accounts. The vendor's people say that an application's id
and secret are none of it. Guesses: key and secret may come by HTTP Basic, too, whatever the application's own method;
openid is granted, as in the vendor's sample, and offline_access never.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import read_form, required
from ..http.client_auth import BasicCredentials, authenticate_at_oidc, invalid_client
from ..http.replies import oauth_response
from ..http.routes import Routes
from ..state import tokens
from ..state.apps import AccessAccount, App
from ..state.encoding import same_text
from ..state.errors import OAuthError
from ..state.grants import OFFLINE_ACCESS, OPENID, Grant, Protocol
from ..state.state import State

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")


async def _token(protocol: Protocol, state: State, request: Request) -> Response:
    """Issue tokens for a code, for a refresh token, or to a program itself."""
    form = await read_form(request)
    grant_type = form.get("grant_type")
    if grant_type == "client_credentials":
        return _for_program(state, request, form)
    app = authenticate_at_oidc(state, request, form, "token")
    required(form, "grant_type")
    if grant_type == "authorization_code":
        return _for_code(state, app, form, protocol)
    if grant_type == "refresh_token":
        return _for_refresh_token(state, app, form, protocol)
    raise OAuthError("unsupported_grant_type", f"the emulator models the grant types {', '.join(GRANT_TYPES)} only")


def _for_code(state: State, app: App, form: Mapping[str, str], protocol: Protocol) -> Response:
    required(form, "code")
    required(form, "redirect_uri")
    redeemed = state.hosted_login.codes.redeem(form, app.app_id, protocol)
    grant = redeemed.grant
    _require_eligible(state, grant)
    issued = tokens.issue(state, app, state.users.by_id(grant.user_id), grant, grant.scope, nonce=redeemed.nonce)
    if OFFLINE_ACCESS in grant.scope.split():
        issued["refresh_token"] = state.grants.new_refresh_token(grant)
    return oauth_response({**issued})


def _for_refresh_token(state: State, app: App, form: Mapping[str, str], protocol: Protocol) -> Response:
    grant, scope, refresh_token = state.grants.use_refresh_token(
        required(form, "refresh_token"),
        app_id=app.app_id,
        protocol=protocol,
        scope=form.get("scope"),
        require_eligible=lambda grant: _require_eligible(state, grant),
    )
    issued = tokens.issue(state, app, state.users.by_id(grant.user_id), grant, scope)
    if refresh_token is not None:
        issued["refresh_token"] = refresh_token
    return oauth_response({**issued})


def _require_eligible(state: State, grant: Grant) -> None:
    """Refuse tokens to a user who could not sign in now."""
    user = state.users.by_id(grant.user_id)
    for each in (user, state.public_accounts.origin(grant, user)):
        if each.locked:
            # Wrong passwords alone must not revoke the grant: a stranger can type them.
            grant.revoked = grant.revoked or each.locked_by_administrator
            raise OAuthError("invalid_grant", "the user is locked")
    if user.must_replace_password:
        raise OAuthError("invalid_grant", "the user has to reset the password first")
    if user.mfa_required and not grant.second_factor:
        raise OAuthError("invalid_grant", "the user has to pass a second factor first")


def _for_program(state: State, request: Request, form: Mapping[str, str]) -> Response:
    """Issue an access token to a program itself (RFC 6749 section 4.4)."""
    account = _authenticate_account(state, request, form)
    scope = form.get("scope", "")
    if not scope.isascii() or not scope.isprintable():
        raise OAuthError("invalid_scope", "scope must be printable ASCII")
    asked = list(dict.fromkeys(scope.split()))
    granted = [name for name in asked if name == OPENID or (name != OFFLINE_ACCESS and account.may_have(name))]
    issued: dict[str, object] = {**tokens.issue_to_program(state, account, " ".join(granted))}
    if len(granted) < len(asked):
        issued["rejected_scope"] = " ".join(name for name in asked if name not in granted)
    return oauth_response(issued)


def _authenticate_account(state: State, request: Request, form: Mapping[str, str]) -> AccessAccount:
    header = request.headers.get("authorization")
    basic = None if header is None else BasicCredentials.parse(header)
    if basic is not None and "client_secret" in form:
        raise OAuthError("invalid_request", "more than one method of client authentication is used")
    if basic is None:
        basic = BasicCredentials(form.get("client_id", ""), form.get("client_secret", ""))
    account = state.access_accounts.find(basic.client_id)
    if account is not None and account.app_id in state.apps and same_text(basic.secret, account.access_secret):
        return account
    app = basic.app_among(state.apps)
    if app is not None and basic.match(app):
        raise OAuthError(
            "unauthorized_client",
            "client_credentials is for access accounts, not applications: emulator.access_accounts.add() makes one",
        )
    raise invalid_client(request, "the client is unknown or its secret is wrong")


ROUTES: Routes = {
    "/oidc/token": {"POST": partial(_token, "oidc")},
    "/oauth/token": {"POST": partial(_token, "oauth")},
}
