"""A sign-in that has begun: what has to be remembered until the user comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from attrs import asdict, field, fields, frozen

from .._core.redaction import masked
from .._crypto.sealing import Seal
from ..errors import ConfigurationError, LoginExpiredError, StateMismatchError


@frozen(kw_only=True)
class LoginAttempt:
    """A sign-in that has begun. Keep it where only this user's browser leads to: in its session, or sealed in a cookie.

    Attributes:
        url: send the browser there.
        state: comes back in the callback URL, and tells that the callback belongs to this attempt.
        nonce: comes back in the ID token, and tells that the token belongs to this attempt.
        code_verifier: proves that whoever trades the code in began this attempt (RFC 7636).
        redirect_uri: where the user comes back to.
        expires_at: until when the user has to be back, in seconds since the epoch.
    """

    url: str = field(repr=lambda url: repr(url.partition("?")[0]))
    state: str = field(repr=masked)
    nonce: str = field(repr=masked)
    code_verifier: str = field(repr=masked)
    redirect_uri: str
    expires_at: float

    def to_dict(self) -> dict[str, object]:
        """The attributes, secrets included, as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> LoginAttempt:
        """The attempt that `to_dict` was called on.

        Raises:
            ConfigurationError: something is missing, or of another type.
        """
        found: dict[str, object] = {}
        for attribute in fields(cls):
            value = values.get(attribute.name) if isinstance(values, Mapping) else None
            is_time = attribute.name == "expires_at"
            if isinstance(value, bool) or not isinstance(value, (int, float) if is_time else str):
                raise ConfigurationError("values", f"are no login attempt: {attribute.name} is missing or no text")
            found[attribute.name] = value
        return cls(**found)  # type: ignore[arg-type]  # checked just above

    def sealed(self, secret: str) -> str:
        """The attempt as text that nobody can read or change without the secret (a Fernet token), for a cookie.

        It is without the `url`, which the browser has been sent to by then.

        Args:
            secret: of any length, known to the servers only; the application's secret will do.

        Raises:
            ConfigurationError: the secret is empty.
        """
        return sealing(secret).seal({**self.to_dict(), "url": ""})

    @classmethod
    def unsealed(cls, text: str, secret: str, *, now: float) -> LoginAttempt:
        """The attempt that was sealed, with an empty `url`.

        Args:
            text: from `sealed`.
            secret: the same.
            now: seconds since the epoch.

        Raises:
            StateMismatchError: it was not sealed with this secret, or was changed.
            LoginExpiredError: the user took too long.
        """
        seal = sealing(secret)
        content = seal.opened(text) if isinstance(text, str) else None
        if content is None:
            raise StateMismatchError("The login attempt was not sealed with this secret, or was changed")
        attempt = cls.from_dict(content)
        attempt.check_life(now)
        return attempt

    def check_life(self, now: float) -> None:
        """Nothing, while the user may still come back.

        Args:
            now: seconds since the epoch.

        Raises:
            LoginExpiredError: the user took too long.
        """
        if now > self.expires_at:
            late = now - self.expires_at
            raise LoginExpiredError(f"The user came back {late:.0f} s after the login attempt had expired: begin again")

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A LoginAttempt holds secrets and is not pickled; use sealed(), or to_dict() where that is safe"
        )


def sealing(secret: str) -> Seal:
    """What `LoginAttempt.sealed` seals with.

    Args:
        secret: of any length.

    Raises:
        ConfigurationError: the secret is empty.
    """
    if not isinstance(secret, str) or not secret:
        raise ConfigurationError("secret", "is needed, and is empty; the application's secret will do")
    return Seal((secret,), "login attempt")
