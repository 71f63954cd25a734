"""Sealed cookies of sessions and login attempts, which only this application can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..errors import ConfigurationError
from ..oidc._attempt_cookies import AttemptCookies, HostCookies

_SHORTEST_SECRET: Final = 32


def checked_secrets(cookie_secret: str | Sequence[str] | None, app_secret: str | None) -> tuple[str, ...]:
    """Check and return the secrets that seal cookies, the newest first.

    Args:
        cookie_secret: one, or several, of which the first seals and all open; the app secret when None.
        app_secret: the application's.

    Raises:
        ConfigurationError: there is no secret, or one is too short.
    """
    if cookie_secret is None:
        if not app_secret:
            raise ConfigurationError(
                "cookie_secret",
                "must be given, since the client has no app_secret to derive it from; create one with "
                '`python -c "import secrets; print(secrets.token_urlsafe(32))"`, the same for all processes',
            )
        return (app_secret,)
    given = (cookie_secret,) if isinstance(cookie_secret, str) else tuple(cookie_secret)
    if not given or not all(isinstance(secret, str) and len(secret) >= _SHORTEST_SECRET for secret in given):
        raise ConfigurationError("cookie_secret", f"must be random texts of at least {_SHORTEST_SECRET} characters")
    return given


class CookieNames(HostCookies):
    """The cookies of one application.

    Args:
        prefix: the prefix of their names; applications on one host need different ones.
        secure: True if the site uses https.
    """

    def __init__(self, prefix: str, *, secure: bool) -> None:
        if not (prefix.isascii() and prefix.replace("_", "").replace("-", "").isalnum()):
            raise ConfigurationError("cookie_prefix", "must have ASCII letters, digits, - and _ only")
        super().__init__(secure=secure)
        self.session = self.named(f"{prefix}_session")
        self.attempts = AttemptCookies(f"{prefix}_login_", secure=secure)
