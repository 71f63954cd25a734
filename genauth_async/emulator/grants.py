"""Grants, and the access and refresh tokens that hang on them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from threading import Lock

from attrs import define, field, frozen

from .clock import Clock
from .replies import OAuthError


@define(eq=False, kw_only=True)
class Grant:
    """What one sign-in gave to one application; when it is revoked, all its tokens die.

    Attributes:
        user_id: whose it is; a client's own id where a program got it for itself.
        auth_time: when the user signed in at the hosted page, if they did.
    """

    id: str
    user_id: str
    app_id: str
    scope: str
    created_at: float
    auth_time: int | None = None
    revoked: bool = False


@frozen(kw_only=True)
class AccessToken:
    """What the server remembers of an access token."""

    grant: Grant
    id: str = field(repr=False)
    scope: str
    issued_at: int
    expires_at: int


@define(eq=False, kw_only=True)
class RefreshToken:
    """What the server remembers of a refresh token."""

    grant: Grant
    issued_at: int
    expires_at: int
    used: bool = False


class Grants:
    """All grants. To tests they tell how many are alive or revoked, and how each stands."""

    def __init__(self, clock: Clock, refresh_token_lifetime: int) -> None:
        self._clock = clock
        self._lifetime = refresh_token_lifetime
        self._lock = Lock()
        self._grants: dict[str, Grant] = {}
        self._access_tokens: dict[str, AccessToken] = {}
        self._refresh_tokens: dict[str, RefreshToken] = {}
        self._barred: set[str] = set()

    @property
    def alive(self) -> int:
        """How many grants are not revoked."""
        return len(self._grants) - self.revoked

    @property
    def revoked(self) -> int:
        """How many grants were revoked: by their client, by a test, or because a refresh token was used twice."""
        return sum(grant.revoked for grant in self)

    def open(self, user_id: str, app_id: str, scope: str) -> Grant:
        grant = Grant(
            id=secrets.token_hex(12), user_id=user_id, app_id=app_id, scope=scope, created_at=self._clock.now()
        )
        with self._lock:
            # Somebody may be removed while they sign in.
            grant.revoked = user_id in self._barred
            self._grants[grant.id] = grant
        return grant

    def revoke_all_of(self, user_id: str, *, keep: Grant | None = None) -> None:
        """Revoke what a user gave to any application, except for one grant."""
        with self._lock:
            for grant in self._grants.values():
                if grant.user_id == user_id and grant is not keep:
                    grant.revoked = True

    def bar(self, user_id: str) -> None:
        """Revoke all grants of a user who is removed, those that are yet to come included."""
        with self._lock:
            self._barred.add(user_id)
        self.revoke_all_of(user_id)

    def remember(self, token: str, access_token: AccessToken) -> None:
        """Note an access token, so that it can be looked up."""
        with self._lock:
            self._access_tokens[token] = access_token

    def active_access_token(self, token: str) -> AccessToken | None:
        """An access token, unless it has expired or its grant was revoked."""
        found = self._access_tokens.get(token)
        return found if found is not None and self._is_active(found) else None

    def active_refresh_token(self, token: str) -> RefreshToken | None:
        """A refresh token, unless it was used, has expired, or its grant was revoked."""
        found = self._refresh_tokens.get(token)
        return found if found is not None and not found.used and self._is_active(found) else None

    def new_refresh_token(self, grant: Grant) -> str:
        with self._lock:
            return self._new_refresh_token(grant)

    def rotate(self, token: str, app_id: str, scope: str | None) -> tuple[Grant, str, str]:
        """Use up a refresh token.

        Returns:
            Its grant, the scope of the next access token, and the next refresh token.
        """
        with self._lock:
            found = self._refresh_tokens.get(token)
            if found is None or found.grant.app_id != app_id:
                raise OAuthError("invalid_grant", "the refresh token is unknown")
            grant = found.grant
            if grant.revoked:
                raise OAuthError("invalid_grant", "the grant was revoked")
            if found.used:
                # Somebody else has it too, and nobody can tell which of the two is the thief (RFC 9700 section 4.14.2).
                grant.revoked = True
                raise OAuthError("invalid_grant", "the refresh token was used before; the grant is now revoked")
            if not self._is_active(found):
                raise OAuthError("invalid_grant", "the refresh token has expired")
            if scope is not None and not set(scope.split()) <= set(grant.scope.split()):
                raise OAuthError("invalid_scope", "the scope is wider than the one granted")
            found.used = True
            return grant, scope or grant.scope, self._new_refresh_token(grant)

    def find_by_token(self, token: str) -> Grant | None:
        """The grant to which an access or refresh token belongs, however stale."""
        held = self._access_tokens.get(token) or self._refresh_tokens.get(token)
        return held.grant if held is not None else None

    def _new_refresh_token(self, grant: Grant) -> str:
        token = secrets.token_urlsafe(32)
        now = int(self._clock.now())
        self._refresh_tokens[token] = RefreshToken(grant=grant, issued_at=now, expires_at=now + self._lifetime)
        return token

    def _is_active(self, token: AccessToken | RefreshToken) -> bool:
        return not token.grant.revoked and self._clock.now() < token.expires_at

    def __iter__(self) -> Iterator[Grant]:
        return iter(list(self._grants.values()))

    def __len__(self) -> int:
        return len(self._grants)

    def __repr__(self) -> str:
        return f"<Grants {self.alive} alive, {self.revoked} revoked>"
