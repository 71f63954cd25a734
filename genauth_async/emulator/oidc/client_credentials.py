"""The grant type client_credentials: tokens for a program instead of a user (RFC 6749 section 4.4).

Guesses: the application itself may ask for them, with its id and secret, and so may a programming access account, with
its key and secret; both in the form or by HTTP Basic, whatever the application's own method. The token's subject is who
asks, its audience the application.
"""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import Response

from ..http.client_auth import BasicCredentials
from ..http.replies import OAuthError, oauth_response
from ..state import tokens
from ..state.scopes import OPENID, REFRESHABLE
from ..state.state import App, State

_OF_USERS = frozenset({OPENID, REFRESHABLE})


def answer(state: State, request: Request, form: Mapping[str, str]) -> Response:
    """An access token for whoever proves to be a client."""
    client_id, app = _authenticate(state, request, form)
    scope = form.get("scope", "")
    if not scope.isascii() or not scope.isprintable():
        raise OAuthError("invalid_scope", "scope must be printable ASCII")
    if not _OF_USERS.isdisjoint(scope.split()):
        raise OAuthError("invalid_scope", "openid and offline_access are for users")
    grant = state.grants.open(client_id, app.app_id, scope)
    return oauth_response(tokens.issue_to_client(state, app, grant))


def _authenticate(state: State, request: Request, form: Mapping[str, str]) -> tuple[str, App]:
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
    if account is not None and account.app_id in state.apps and _same(basic.secret, account.access_secret):
        return account.access_key, state.apps[account.app_id]
    raise OAuthError("invalid_client", "the client is unknown or its secret is wrong", http_status=401, scheme="Basic")


def _same(given: str, expected: str) -> bool:
    return compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
