"""The token endpoints: /oidc/token, and /oauth/token for OAuth 2.0 without OpenID Connect (RFC 6749).

Guesses about the grant type client_credentials: the application itself may ask for tokens, with its id and secret, and
so may a programming access account, with its key and secret; both in the form or by HTTP Basic, whatever the
application's own method. The token's subject is the client, its audience the application.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import read_form, required
from ..http.client_auth import BasicCredentials, authenticate_at_oidc
from ..http.cross_origin import cross_origin
from ..http.replies import oauth_response
from ..http.routes import Routes
from ..state import tokens
from ..state.apps import App
from ..state.encoding import same_text
from ..state.errors import OAuthError
from ..state.grants import OFFLINE_ACCESS, OPENID, Grant, Protocol
from ..state.state import State

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")
_OF_USERS = frozenset({OPENID, OFFLINE_ACCESS})


async def _token(protocol: Protocol, state: State, request: Request) -> Response:
    """Issue tokens for a code, for a refresh token, or to the client itself."""
    form = await read_form(request)
    grant_type = form.get("grant_type")
    if grant_type == "client_credentials":
        return _for_client(state, request, form)
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
    grant, scope, refresh_token = state.grants.rotate(
        required(form, "refresh_token"),
        app_id=app.app_id,
        protocol=protocol,
        scope=form.get("scope"),
        require_eligible=lambda grant: _require_eligible(state, grant),
    )
    issued = tokens.issue(state, app, state.users.by_id(grant.user_id), grant, scope)
    return oauth_response({**issued, "refresh_token": refresh_token})


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


def _for_client(state: State, request: Request, form: Mapping[str, str]) -> Response:
    """Issue an access token to a client itself (RFC 6749 section 4.4)."""
    client_id, app = _authenticate_client(state, request, form)
    scope = form.get("scope", "")
    if not scope.isascii() or not scope.isprintable():
        raise OAuthError("invalid_scope", "scope must be printable ASCII")
    if not _OF_USERS.isdisjoint(scope.split()):
        raise OAuthError("invalid_scope", "openid and offline_access are for users")
    grant = state.grants.open(client_id, app.app_id, scope)
    return oauth_response(tokens.issue_to_client(state, app, grant))


def _authenticate_client(state: State, request: Request, form: Mapping[str, str]) -> tuple[str, App]:
    header = request.headers.get("authorization")
    basic = None if header is None else BasicCredentials.parse(header)
    if basic is not None and "client_secret" in form:
        raise OAuthError("invalid_request", "more than one method of client authentication is used")
    if basic is None:
        basic = BasicCredentials(form.get("client_id", ""), form.get("client_secret", ""))
    app = basic.app_among(state.apps)
    if app is not None and basic.match(app):
        return app.app_id, app
    account = state.access_accounts.find(basic.client_id)
    if account is not None and account.app_id in state.apps and same_text(basic.secret, account.access_secret):
        return account.access_key, state.apps[account.app_id]
    raise OAuthError("invalid_client", "the client is unknown or its secret is wrong", http_status=401, scheme="Basic")


ROUTES: Routes = {
    "/oidc/token": cross_origin({"POST": partial(_token, "oidc")}),
    "/oauth/token": cross_origin({"POST": partial(_token, "oauth")}),
}
