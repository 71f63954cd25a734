"""Authorization codes: valid once, for their client (RFC 6749 section 4.1, RFC 7636)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from threading import Lock

from attrs import define, field

from genauth_async._core.redaction import redact

from ..clock import Clock, Sweep
from ..encoding import base64url, same_text
from ..errors import OAuthError
from ..grants import Grant, Protocol
from ..settings import Settings

CHALLENGE_METHODS = ("S256", "plain")
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


@define(eq=False, kw_only=True)
class AuthorizationCode:
    """The record of a code.

    Attributes:
        challenge: the code challenge and its method, if the client sent one.
    """

    grant: Grant
    redirect_uri: str
    nonce: str | None = field(repr=redact)
    challenge: tuple[str, str] | None = field(repr=False)
    expires_at: float
    used: bool = False


class AuthorizationCodes:
    """All codes, used ones included as long as their grant lives, to detect a second use."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock = clock
        self._lifetime = settings.authorization_code_lifetime
        self._lock = Lock()
        self._codes: dict[str, AuthorizationCode] = {}
        self._sweep = Sweep()

    def issue(self, grant: Grant, *, redirect_uri: str, nonce: str | None, challenge: tuple[str, str] | None) -> str:
        """Issue a code for a grant."""
        code = secrets.token_urlsafe(32)
        now = self._clock.now()
        expires_at = now + self._lifetime
        grant.in_flight = True
        grant.ends_at = max(grant.ends_at, expires_at)  # or it would be dropped before its code
        with self._lock:
            self._sweep(self._codes, lambda each: each.grant.is_over(now))
            self._codes[code] = AuthorizationCode(
                grant=grant, redirect_uri=redirect_uri, nonce=nonce, challenge=challenge, expires_at=expires_at
            )
        return code

    def redeem(self, form: Mapping[str, str], app_id: str, protocol: Protocol) -> AuthorizationCode:
        """Redeem a code. An invalid request uses it up, too, so that there is no second guess."""
        with self._lock:
            found = self._codes.get(form["code"])
            if found is None or found.grant.app_id != app_id or found.grant.protocol != protocol:
                raise _refused("the code is unknown")
            if found.used:
                # One of the two senders has stolen it (RFC 6749 sections 4.1.2 and 10.5).
                found.grant.revoke_for_reuse()
                raise _refused("the code was used before; what it gave is now revoked")
            found.used = True
            found.grant.in_flight = False
        if found.grant.revoked:
            raise _refused("the sign-in that gave the code has ended")
        if self._clock.now() >= found.expires_at:
            raise _refused("the code has expired")
        if form["redirect_uri"] != found.redirect_uri:
            raise _refused("the redirect_uri is not that of the authorization request")
        _check_verifier(found.challenge, form.get("code_verifier"))
        return found


def is_challenge(text: str) -> bool:
    """Return whether a text has the form of a code challenge, which is that of a verifier."""
    return _VERIFIER.fullmatch(text) is not None


def _check_verifier(challenge: tuple[str, str] | None, verifier: str | None) -> None:
    if challenge is None:
        if verifier is not None:
            # The challenge was removed from the authorization request on its way (RFC 9700 section 4.8.2).
            raise _refused("there is a code_verifier, but the authorization request had no code_challenge")
        return
    if verifier is None:
        raise _refused("the code_verifier is missing")
    if not _VERIFIER.fullmatch(verifier):
        raise _refused("the code_verifier must be 43 to 128 unreserved characters")
    expected, method = challenge
    given = verifier
    if method == "S256":
        given = base64url(sha256(verifier.encode()).digest())
    if not same_text(given, expected):
        raise _refused("the code_verifier does not fit the code_challenge")


def _refused(description: str) -> OAuthError:
    return OAuthError("invalid_grant", description)
