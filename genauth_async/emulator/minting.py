"""Tokens with chosen claims and signatures, for tests of an application's own verification."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Literal, TypedDict, cast

from attrs import evolve, field, frozen
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey

from .state import tokens
from .state.apps import App
from .state.encoding import base64url
from .state.keys import SigningKeys
from .state.state import State
from .state.users import User

SignedBy = Literal["server", "stranger", "impostor", "none"]

_AN_HOUR = 3600


class MintedTokens(TypedDict):
    """An access token and, if the scope contains openid, an ID token."""

    access_token: str
    id_token: str


@frozen(kw_only=True)
class Mint:
    """The changes to tokens; `EmulatorControls.mint` explains them."""

    state: State
    strangers: SigningKeys
    claims: Mapping[str, object] = field(repr=False)
    without: Collection[str]
    expires_in: float | None
    signed_by: SignedBy

    def tokens_of(self, user: User, app: App, scope: str) -> MintedTokens:
        """Issue tokens as a sign-in does, and change and sign them."""
        grants = self.state.grants
        grant = grants.open(user.id, app.app_id, scope)
        issued = tokens.issue(self.state, app, user, grant, scope)
        record = grants.active_access_token(issued["access_token"])
        claims = self._changed(issued["access_token"])
        minted = {"access_token": self._signed(claims, "RS256", app)}
        expiry, granted = claims.get("exp"), claims.get("scope")
        if self.signed_by == "server" and record and isinstance(expiry, int | float) and isinstance(granted, str):
            grants.remember(minted["access_token"], evolve(record, scope=granted, expires_at=int(expiry)))
        if "id_token" in issued:
            at_hash = {"at_hash": tokens.at_hash(minted["access_token"])}
            claims = self._changed(issued["id_token"], at_hash)
            minted["id_token"] = self._signed(claims, self.state.settings.id_token_alg, app)
        return cast("MintedTokens", minted)

    def _changed(self, token: str, first: Mapping[str, object] | None = None) -> dict[str, object]:
        claims: dict[str, object] = json.loads(jws.extract_compact(token.encode()).payload)
        if self.expires_in is not None:
            now = int(self.state.clock.now())
            expiry = int(now + self.expires_in)
            claims |= {"exp": expiry, "iat": now if expiry > now else expiry - _AN_HOUR}
        claims |= {**(first or {}), **self.claims}
        return {name: value for name, value in claims.items() if name not in self.without}

    def _signed(self, claims: dict[str, object], algorithm: str, app: App) -> str:
        if self.signed_by == "none":
            parts = ({"alg": "none", "typ": "JWT"}, claims)
            return ".".join([*(base64url(json.dumps(part).encode()) for part in parts), ""])
        header: dict[str, object] = {"alg": algorithm, "typ": "JWT"}
        if algorithm == "HS256":
            secret = app.signing_key if self.signed_by == "server" else OctKey.generate_key(256)
            return jwt.encode(header, claims, secret)
        own, other = self.state.signing_keys.current, self.strangers
        key: RSAKey = own if self.signed_by == "server" else other.current
        header["kid"] = (other.current if self.signed_by == "stranger" else own).kid
        return jwt.encode(header, claims, key)
