"""Login attempts: the state of a sign-in between its redirect and its callback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from attrs import asdict, field, fields, frozen

from .._core.redaction import redact
from .._crypto.sealing import Seal, sealing_secrets
from ..errors import ConfigurationError, LoginExpiredError, StateMismatchError

_KINDS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "float": ((int, float), "a number"),
    "str": ((str,), "a str"),
}


@frozen(kw_only=True)
class LoginAttempt:
    """A started sign-in. Keep it where only this user's browser can reach it: in its session, or sealed in a cookie.

    Attributes:
        url: the authorization URL to send the browser to.
        state: returned in the callback URL; binds the callback to this attempt.
        nonce: returned in the ID token; binds the token to this attempt.
        code_verifier: proves that the party exchanging the code began this attempt (PKCE, RFC 7636).
        redirect_uri: the callback's address.
        expires_at: the time until which the user must return, in seconds since the epoch.
        app_id: the application that began it; no other can finish it.
        issuer: the server that the user was sent to; no other can finish it.
        earliest_auth_time: the time since which the user must have signed in, in seconds since the epoch, or None.
        acr_values: the accepted classes of authentication (acr), separated by spaces, or None.
    """

    url: str = field(repr=lambda url: repr(url.partition("?")[0]))
    state: str = field(repr=redact)
    nonce: str = field(repr=redact)
    code_verifier: str = field(repr=redact)
    redirect_uri: str
    expires_at: float
    app_id: str
    issuer: str
    earliest_auth_time: float | None = None
    acr_values: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the attributes, secrets included, as JSON-compatible values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> LoginAttempt:
        """Create the attempt from the values of `to_dict`.

        Raises:
            ConfigurationError: a value is missing, or of another type.
        """
        found: dict[str, object] = {}
        for attribute in fields(cls):
            value = values.get(attribute.name) if isinstance(values, Mapping) else None
            if value is None and attribute.default is None:
                continue
            kind, expected = _KINDS[str(attribute.type).removesuffix(" | None")]
            if isinstance(value, bool) or not isinstance(value, kind):
                raise ConfigurationError("values", f"must be those of to_dict(): {attribute.name} must be {expected}")
            found[attribute.name] = value
        return cls(**found)  # type: ignore[arg-type]  # checked just above

    def sealed(self, secret: str) -> str:
        """Encrypt the attempt to a Fernet token, for a cookie; only the secret opens it.

        It omits the `url`, which the browser has visited by then.

        Args:
            secret: a random text of at least 32 characters, known to the servers only.

        Raises:
            ConfigurationError: the secret is too short.
        """
        return _seal(secret).seal({**self.to_dict(), "url": ""})

    @classmethod
    def unsealed(cls, text: str, secret: str, *, now: float) -> LoginAttempt:
        """Decrypt a sealed attempt; its `url` is empty.

        Args:
            text: the result of `sealed`.
            secret: the secret given to `sealed`.
            now: seconds since the epoch.

        Raises:
            ConfigurationError: the secret is too short.
            StateMismatchError: it was sealed with another secret, or was changed.
            LoginExpiredError: the user took too long.
        """
        content = _seal(secret).opened(text) if isinstance(text, str) else None
        if content is None:
            raise StateMismatchError("The login attempt was sealed with another secret, or was changed")
        attempt = cls.from_dict(content)
        attempt.check_life(now)
        return attempt

    def check_life(self, now: float) -> None:
        """Check that the attempt has not expired.

        Args:
            now: seconds since the epoch.

        Raises:
            LoginExpiredError: the user took too long.
        """
        if now > self.expires_at:
            late = now - self.expires_at
            raise LoginExpiredError(f"The user returned {late:.0f} s after the login attempt had expired: begin again")

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A LoginAttempt holds secrets and is not pickled; use sealed(), or to_dict() where that is safe"
        )


def _seal(secret: str) -> Seal:
    return Seal(sealing_secrets(secret, "secret"), "login attempt")
