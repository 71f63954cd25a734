"""Grants, their scopes, and the access and refresh tokens that belong to them."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from threading import Lock
from typing import Literal

from attrs import define, field, frozen

from .clock import Clock, Sweep
from .errors import OAuthError
from .settings import Settings

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"
OAUTH_USER = "user"
"""The default scope of OAuth 2.0 without OpenID Connect: all about the user."""
ALL_SCOPES = "openid profile email phone address username offline_access"

EVERY_CLAIM = f"{ALL_SCOPES} external_id unionid"
"""The scopes that open all claims of the service's own."""

Protocol = Literal["oidc", "oauth"]

_LEAST_LIFETIME = 60


@define(eq=False, kw_only=True)
class Grant:
    """The grant of one sign-in to one application; revoking it revokes all its tokens.

    Attributes:
        user_id: the user; the id of the access account where a program got it for itself.
        of_program: whether a program got it for itself.
        protocol: the token endpoint of its codes and refresh tokens.
        ends_at: the expiry of the last of its tokens, or of its code.
        auth_time: of the sign-in at the hosted page, if the application asked with max_age.
        second_factor: whether the user had to pass one.
        in_flight: whether the application has yet to redeem the code.
        reused: whether it was revoked because a code or a refresh token was used twice.
    """

    id: str
    user_id: str
    app_id: str
    scope: str
    protocol: Protocol = "oidc"
    created_at: float
    ends_at: float
    of_program: bool = False
    auth_time: int | None = None
    second_factor: bool = False
    in_flight: bool = False
    revoked: bool = False
    reused: bool = False

    def is_over(self, now: float) -> bool:
        """Return whether it is revoked or all its tokens have expired."""
        return self.revoked or now >= self.ends_at

    def revoke_for_reuse(self) -> None:
        """Revoke it, since a code or a refresh token was used twice."""
        self.reused = self.reused or not self.revoked
        self.revoked = True


@frozen(kw_only=True)
class AccessToken:
    """The record of an access token."""

    grant: Grant
    id: str = field(repr=False)
    scope: str
    issued_at: int
    expires_at: int


@define(eq=False, kw_only=True)
class RefreshToken:
    """The record of a refresh token.

    Attributes:
        used_at: the time of the first use, where a use rotates it.
    """

    grant: Grant
    id: str = field(factory=lambda: secrets.token_urlsafe(16), repr=False)
    issued_at: int
    expires_at: int
    used_at: float | None = None
    presented: int = 0


class Grants:
    """All grants; tests can count and iterate over them.

    Very many ended grants are dropped, but still counted.
    """

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._lifetime = settings.refresh_token_lifetime
        self._mode = settings.refresh_tokens
        self._grace = settings.refresh_token_grace if settings.refresh_tokens == "rotate_with_grace" else 0
        self._lock = Lock()
        self._grants: dict[str, Grant] = {}
        self._access_tokens: dict[str, AccessToken] = {}
        self._refresh_tokens: dict[str, RefreshToken] = {}
        self._barred: set[str] = set()
        self._past_apps: defaultdict[str, dict[str, bool]] = defaultdict(dict)
        self._past_revoked = self._past_reused = 0
        self._sweep_grants, self._sweep_access_tokens, self._sweep_refresh_tokens = Sweep(), Sweep(), Sweep()

    @property
    def alive(self) -> int:
        """The number of grants that are neither revoked nor ended."""
        now = self._clock.now()
        return sum(not grant.is_over(now) for grant in self)

    @property
    def revoked(self) -> int:
        """The number of revoked grants: by their client, by a test, or after reuse of a refresh token."""
        with self._lock:
            return self._past_revoked + sum(grant.revoked for grant in self._grants.values())

    @property
    def reused(self) -> int:
        """The number of grants revoked because a code or a refresh token was used twice."""
        with self._lock:
            return self._past_reused + sum(grant.reused for grant in self._grants.values())

    def presented(self, grant: Grant | None = None) -> dict[str, int]:
        """Count how often its application sent each refresh token to the token endpoint, with any result.

        Args:
            grant: the grant of the refresh tokens; None for all.

        Returns:
            The numbers, 0 included, by the hexadecimal SHA-256 digest of the refresh token; the oldest first.
        """
        with self._lock:
            return {
                sha256(token.encode()).hexdigest(): held.presented
                for token, held in self._refresh_tokens.items()
                if grant is None or held.grant is grant
            }

    def apps_of(self, user_id: str) -> dict[str, bool]:
        """Return the applications to which a user ever signed in; True where a grant is alive."""
        now = self._clock.now()
        with self._lock:
            active = dict(self._past_apps.get(user_id, {}))
            for grant in self._grants.values():
                if grant.user_id == user_id:
                    active[grant.app_id] = active.get(grant.app_id, False) or not grant.is_over(now)
        return active

    def open(self, user_id: str, app_id: str, scope: str, protocol: Protocol = "oidc") -> Grant:
        """Open a grant without tokens."""
        now = self._clock.now()
        grant = Grant(
            id=secrets.token_hex(12),
            user_id=user_id,
            app_id=app_id,
            scope=scope,
            protocol=protocol,
            created_at=now,
            ends_at=now + _LEAST_LIFETIME,
        )
        with self._lock:
            # A user may be removed during the sign-in.
            grant.revoked = user_id in self._barred
            for past in self._sweep_grants(self._grants, lambda each: each.is_over(now)):
                self._past_apps[past.user_id][past.app_id] = False
                self._past_revoked += past.revoked
                self._past_reused += past.reused
            self._grants[grant.id] = grant
        return grant

    def revoke_all_of(self, user_id: str, *, keep: Grant | None = None) -> None:
        """Revoke all grants of a user, except for one."""
        with self._lock:
            for grant in self._grants.values():
                if grant.user_id == user_id and grant is not keep:
                    grant.revoked = True

    def bar(self, user_id: str) -> None:
        """Revoke all grants of a removed user, future ones included."""
        with self._lock:
            self._barred.add(user_id)
        self.revoke_all_of(user_id)

    def remember(self, token: str, access_token: AccessToken) -> None:
        """Record an access token."""
        grant = access_token.grant
        grant.ends_at = max(grant.ends_at, access_token.expires_at)
        with self._lock:
            self._sweep_access_tokens(self._access_tokens, lambda each: not self._is_active(each))
            self._access_tokens[token] = access_token

    def active_access_token(self, token: str) -> AccessToken | None:
        """Find an access token, unless it has expired or its grant is revoked."""
        found = self._access_tokens.get(token)
        return found if found is not None and self._is_active(found) else None

    def active_refresh_token(self, token: str) -> RefreshToken | None:
        """Find a refresh token, unless it was used, has expired, or its grant is revoked."""
        found = self._refresh_tokens.get(token)
        return found if found is not None and not self._is_spent(found) and self._is_active(found) else None

    def new_refresh_token(self, grant: Grant) -> str:
        with self._lock:
            return self._new_refresh_token(grant)

    def use_refresh_token(
        self,
        token: str,
        *,
        app_id: str,
        protocol: Protocol,
        scope: str | None,
        require_eligible: Callable[[Grant], None],
    ) -> tuple[Grant, str, str | None]:
        """Use a refresh token; return its grant, the scope of the next access token, and the next refresh token.

        `require_eligible` raises if the user may not get tokens now; then the refresh token stays unused. Each use in
        the grace window gives a refresh token of its own: a client that lost an answer does not need that answer's.
        """
        with self._lock:
            found = self._refresh_tokens.get(token)
            if found is None or found.grant.app_id != app_id:
                raise OAuthError("invalid_grant", "the refresh token is unknown")
            found.presented += 1
            grant = found.grant
            if grant.protocol != protocol:
                raise OAuthError("invalid_grant", f"the refresh token is for /{grant.protocol}/token")
            if grant.revoked:
                raise OAuthError("invalid_grant", "the grant was revoked")
            if self._is_spent(found):
                # One of the two senders has stolen it (RFC 9700 section 4.14.2).
                grant.revoke_for_reuse()
                raise OAuthError("invalid_grant", "the refresh token was used before; the grant is now revoked")
            if not self._is_active(found):
                raise OAuthError("invalid_grant", "the refresh token has expired")
            if scope is not None and not set(scope.split()) <= set(grant.scope.split()):
                raise OAuthError("invalid_scope", "the scope is wider than the one granted")
            require_eligible(grant)
            return grant, scope or grant.scope, self._next_refresh_token(token, found)

    def find_by_token(self, token: str) -> Grant | None:
        """Find the grant of an access or refresh token, even an expired one."""
        held = self._access_tokens.get(token) or self._refresh_tokens.get(token)
        return held.grant if held is not None else None

    def _next_refresh_token(self, token: str, used: RefreshToken) -> str | None:
        if self._mode == "omit":
            return None
        if self._mode == "same":
            return token
        used.used_at = self._clock.now() if used.used_at is None else used.used_at
        return self._new_refresh_token(used.grant)

    def _new_refresh_token(self, grant: Grant) -> str:
        token = secrets.token_urlsafe(32)
        now = int(self._clock.now())
        grant.ends_at = max(grant.ends_at, now + self._lifetime)
        # Used ones stay as long as their grant, so that a second use is detected.
        self._sweep_refresh_tokens(self._refresh_tokens, lambda each: each.grant.is_over(now))
        self._refresh_tokens[token] = RefreshToken(grant=grant, issued_at=now, expires_at=now + self._lifetime)
        return token

    def _is_spent(self, token: RefreshToken) -> bool:
        return token.used_at is not None and self._clock.now() >= token.used_at + self._grace

    def _is_active(self, token: AccessToken | RefreshToken) -> bool:
        return not token.grant.revoked and self._clock.now() < token.expires_at

    def records(self) -> tuple[list[Grant], dict[str, AccessToken], dict[str, RefreshToken]]:
        """Return the grants that are not over, and the access and refresh tokens that belong to them."""
        now = self._clock.now()
        with self._lock:
            grants = [grant for grant in self._grants.values() if not grant.is_over(now)]
            access = {token: held for token, held in self._access_tokens.items() if not held.grant.is_over(now)}
            refresh = {token: held for token, held in self._refresh_tokens.items() if not held.grant.is_over(now)}
        return grants, access, refresh

    def restore(self, grants: list[Grant], access: dict[str, AccessToken], refresh: dict[str, RefreshToken]) -> None:
        """Add the `records` of another emulator."""
        with self._lock:
            self._grants |= {grant.id: grant for grant in grants}
            self._access_tokens |= access
            self._refresh_tokens |= refresh

    def __iter__(self) -> Iterator[Grant]:
        return iter(list(self._grants.values()))

    def __len__(self) -> int:
        return len(self._grants)

    def __repr__(self) -> str:
        return f"<Grants {self.alive} alive, {self.revoked} revoked>"
