"""Issuing of access tokens, ID tokens and refresh tokens."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import TypedDict, cast

from joserfc import jwt

from .apps import AccessAccount, App
from .encoding import base64url
from .grants import OFFLINE_ACCESS, OPENID, AccessToken, Grant
from .state import State
from .users import User


class IssuedTokens(TypedDict):
    """The tokens of a sign-in, in the terms of RFC 6749 section 5.1.

    There is an ID token only if the scope holds openid, and a refresh token only if it holds offline_access.
    """

    scope: str
    access_token: str
    token_type: str
    expires_in: int
    id_token: str
    refresh_token: str


def sign_in(state: State, app: App, user: User, scope: str, *, origin: User | None = None) -> IssuedTokens:
    """Open a grant and issue its first tokens; `origin` is the user who has switched to this one, if any."""
    now = state.clock.now()
    user.logins += 1
    user.last_login_at = now
    grant = state.grants.open(user.id, app.app_id, scope)
    # A user who needs a second factor has passed it by now.
    grant.second_factor = user.mfa_required
    if origin is not None and origin is not user:
        state.public_accounts.note(grant, origin)
    state.history.note(user, app.app_id)
    state.devices.note(user, grant)
    tokens = issue(state, app, user, grant, scope)
    if OFFLINE_ACCESS in scope.split():
        tokens["refresh_token"] = state.grants.new_refresh_token(grant)
    return tokens


def token_set(issued: IssuedTokens) -> dict[str, object]:
    """Convert tokens to LoginTokenResponseDataDto, which misspells `expires_in`."""
    data: dict[str, object] = {**issued}
    return {"expire_in": data.pop("expires_in"), **data}


def issue(state: State, app: App, user: User, grant: Grant, scope: str, *, nonce: str | None = None) -> IssuedTokens:
    """Issue an access token, and an ID token with the nonce if the scope contains openid."""
    lifetime = state.settings.access_token_lifetime
    access_token = _access_token(state, grant, scope, lifetime, {"sub": user.id, "aud": app.app_id})
    tokens: dict[str, object] = {
        "scope": scope,
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": lifetime,
    }
    if OPENID in scope.split():
        about = {"nonce": nonce, "auth_time": grant.auth_time}
        known = {name: value for name, value in about.items() if value is not None}
        tokens["id_token"] = _id_token(state, app, user, scope, access_token, known)
    return cast("IssuedTokens", tokens)


def issue_to_program(state: State, account: AccessAccount, scope: str) -> IssuedTokens:
    """Issue an access token to a program itself. It is for the account, and names no subject."""
    grant = state.grants.open(account.id, account.app_id, scope)
    grant.of_program = True
    lifetime = state.settings.access_token_lifetime if account.lifetime is None else account.lifetime
    about = {"aud": account.id, "azp": account.app_id}
    tokens = {
        "scope": scope,
        "access_token": _access_token(state, grant, scope, lifetime, about),
        "token_type": "Bearer",
        "expires_in": lifetime,
    }
    return cast("IssuedTokens", tokens)


def _access_token(state: State, grant: Grant, scope: str, lifetime: int, about: Mapping[str, str]) -> str:
    now = int(state.clock.now())
    record = AccessToken(
        grant=grant, id=secrets.token_urlsafe(16), scope=scope, issued_at=now, expires_at=now + lifetime
    )
    claims: dict[str, object] = {
        "iss": state.issuer,
        **about,
        "jti": record.id,
        "scope": scope,
        "iat": record.issued_at,
        "exp": record.expires_at,
    }
    token = _sign_rs256(state, claims)
    state.grants.remember(token, record)
    return token


def _id_token(state: State, app: App, user: User, scope: str, access_token: str, about: Mapping[str, object]) -> str:
    now = int(state.clock.now())
    claims = user.claims(scope) | {
        "iss": state.issuer,
        "aud": app.app_id,
        "iat": now,
        "exp": now + state.settings.id_token_lifetime,
        "at_hash": at_hash(access_token),
        **about,
    }
    algorithm = state.settings.id_token_alg
    if algorithm == "RS256":
        return _sign_rs256(state, claims)
    return jwt.encode({"alg": algorithm, "typ": "JWT"}, claims, app.signing_key)


def _sign_rs256(state: State, claims: dict[str, object]) -> str:
    key = state.signing_keys.current
    return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, claims, key)


def at_hash(token: str) -> str:
    """Hash an access token for the ID token's at_hash (OpenID Connect Core 3.1.3.6)."""
    return base64url(sha256(token.encode()).digest()[:16])
