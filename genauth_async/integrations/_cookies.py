"""Cookies of browsers that are signed in, or about to be: sealed, so that only this application reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from .._sealing import fernet
from ..errors import ConfigurationError

# Browsers drop cookies above 4096 bytes without a word, attributes included.
LARGEST: Final = 3800
_SHORTEST_SECRET: Final = 32


def checked_secrets(cookie_secret: str | Sequence[str] | None, app_secret: str | None) -> tuple[str, ...]:
    """The secrets that cookies are sealed with, the newest first.

    Args:
        cookie_secret: one, or several, of which the first seals and all are accepted; the app secret when None.
        app_secret: the application's.

    Raises:
        ConfigurationError: there is none, or it is too short.
    """
    if cookie_secret is None:
        if not app_secret:
            raise ConfigurationError(
                "cookie_secret",
                "is needed, since the client has no app_secret to derive it from; make one with "
                '`python -c "import secrets; print(secrets.token_urlsafe(32))"`, the same for all processes',
            )
        return (app_secret,)
    given = (cookie_secret,) if isinstance(cookie_secret, str) else tuple(cookie_secret)
    if not given or not all(isinstance(secret, str) and len(secret) >= _SHORTEST_SECRET for secret in given):
        raise ConfigurationError("cookie_secret", f"takes random texts of at least {_SHORTEST_SECRET} characters")
    return given


class Seal:
    """Makes data unreadable and unchangeable for everybody else.

    Args:
        secrets: the first seals, all open.
        purpose: what was sealed for another purpose is not opened.
    """

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        self._fernet = fernet(secrets, f"web {purpose}")

    def seal(self, content: Mapping[str, object]) -> str:
        """Text for a cookie."""
        return self._fernet.encrypt(json.dumps(content, separators=(",", ":")).encode()).decode()

    def opened(self, text: str) -> dict[str, object] | None:
        """What was sealed; None if that is not what it is."""
        from cryptography.fernet import InvalidToken

        try:
            content = json.loads(self._fernet.decrypt(text.encode("utf-8", "replace")))
        except InvalidToken:
            return None
        return content if isinstance(content, dict) else None


class CookieNames:
    """Names and attributes of the cookies.

    Args:
        prefix: the names begin with it, so that applications on one host do not share them.
        secure: whether the site is reached by https.
    """

    def __init__(self, prefix: str, *, secure: bool) -> None:
        if not (prefix.isascii() and prefix.replace("_", "").replace("-", "").isalnum()):
            raise ConfigurationError("cookie_prefix", "has ASCII letters, digits, - and _ only")
        self._secure = secure
        # Browsers take a cookie of this name only from the very host, over https, for all paths: no neighbour sets it.
        start = f"__Host-{prefix}" if secure else prefix
        self.session = f"{start}_session"
        self.login = f"{start}_login_"

    def set(self, name: str, value: str, seconds: float) -> str:
        """The value of a Set-Cookie header.

        Raises:
            ConfigurationError: the browser would drop it.
        """
        header = self._header(name, value, int(seconds))
        if len(header) > LARGEST:
            raise ConfigurationError(
                "cookie",
                f"{name} has {len(header)} bytes; browsers drop what is larger than 4096, and {LARGEST} is "
                "the limit here",
            )
        return header

    def clear(self, name: str) -> str:
        """The value of a Set-Cookie header that removes the cookie."""
        return self._header(name, "", 0)

    def _header(self, name: str, value: str, seconds: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"
