"""Login attempts in the state parameter, sealed, and bound to a browser by a small cookie.

The browser's cookies do not grow with the attempts, so all of its tabs can sign in at once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from urllib.parse import quote, urlsplit

from .._arguments.urls import is_loopback
from .._crypto.sealing import Seal, sealing_secrets
from ..errors import ConfigurationError, StateMismatchError
from .attempt import LoginAttempt

# The browser has one, and several if tabs began to sign in before it had any; each takes about 60 bytes.
_MOST: Final = 20
_VALUE: Final = re.compile(r"[\w-]{22}", re.ASCII)
_SUFFIX: Final = re.compile(r"[\w-]{1,32}", re.ASCII)
_BROWSER: Final = "browser"

_UNKNOWN: Final = (
    "The state is not of a login attempt of this application: it was made up or changed, or the cookie secret has "
    "changed since"
)
_ANOTHER: Final = "The browser has cookies of other login attempts, not of this one: it was begun in another browser"


class HostCookies:
    """Cookies of one host, for all its paths, inaccessible to scripts.

    Args:
        secure: True if browsers use https.
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure

    def named(self, name: str) -> str:
        """Return the name with the prefix __Host- if the cookie is secure (RFC 6265bis)."""
        # Browsers accept this prefix only from the host itself, over https, for all paths: no other host can set it.
        return f"__Host-{name}" if self._secure else name

    def set(self, name: str, value: str, seconds: float) -> str:
        """Return the value of a Set-Cookie header."""
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Max-Age={round(seconds)}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def clear(self, name: str) -> str:
        """Return the value of a Set-Cookie header that removes the cookie."""
        return self.set(name, "", 0)


class LoginStates:
    """Turns login attempts into state parameters, and back.

    Args:
        seal: the seal of this application's states.
        prefix: the prefix of the cookies' names; applications on one host need different ones.
    """

    def __init__(self, seal: Seal, prefix: str) -> None:
        self._seal = seal
        self._prefix = prefix

    def begin(
        self,
        attempt: LoginAttempt,
        cookies: Mapping[str, str],
        *,
        now: float,
        more: Mapping[str, object] | None = None,
    ) -> tuple[str, tuple[str, ...]]:
        """Return the authorization URL whose state has the attempt, and the values of the Set-Cookie headers.

        Args:
            attempt: from `begin_login`.
            cookies: the request's.
            now: seconds since the epoch.
            more: further values for the state.
        """
        host = HostCookies(secure=_is_secure(attempt.redirect_uri))
        prefix = host.named(self._prefix)
        found = [name for name in cookies if name.startswith(prefix) and _SUFFIX.fullmatch(name[len(prefix) :])]
        kept = [name for name in found if _VALUE.fullmatch(cookies[name])][-_MOST:]
        name = kept[-1] if kept else prefix + secrets.token_hex(3)
        value = cookies[name] if kept else secrets.token_urlsafe(16)
        content = {**attempt.to_dict(), **(more or {}), _BROWSER: _digest(value)}
        state = self._seal.seal({key: given for key, given in content.items() if key not in {"url", "state"}})
        # The attempt's own state is random text, and occurs once.
        url = attempt.url.replace(attempt.state, quote(state))
        surplus = (host.clear(other) for other in found if other not in kept)
        return url, (host.set(name, value, attempt.expires_at - now), *surplus)

    def opened(self, state: str) -> dict[str, object]:
        """Return the values of a state.

        Raises:
            StateMismatchError: it is not of this application.
        """
        content = self._seal.opened(state)
        if content is None:
            raise StateMismatchError(_UNKNOWN)
        return {**content, "state": state, "url": ""}

    def attempt(self, content: Mapping[str, object], cookies: Mapping[str, str], *, now: float) -> LoginAttempt:
        """Return the attempt of a state, if this browser began it.

        Args:
            content: the values of the state.
            cookies: the request's.
            now: seconds since the epoch.

        Raises:
            LoginExpiredError: the user took too long.
            StateMismatchError: it was begun in another browser.
        """
        attempt = LoginAttempt.from_dict(content)
        attempt.check_life(now)
        prefix = HostCookies(secure=_is_secure(attempt.redirect_uri)).named(self._prefix)
        values = [value for name, value in cookies.items() if name.startswith(prefix)]
        expected = str(content.get(_BROWSER))
        if not any(compare_digest(_digest(value), expected) for value in values):
            host = urlsplit(attempt.redirect_uri).netloc
            raise StateMismatchError(
                _ANOTHER
                if values
                else "The browser sent no cookie of a login attempt: it blocks cookies, or the attempt was begun in "
                f"another browser, or under another host name than {host}"
            )
        return attempt


def cookie_secrets(cookie_secret: str | Sequence[str] | None, app_secret: str | None) -> tuple[str, ...]:
    """Check and return the secrets that seal states and cookies, the newest first.

    Args:
        cookie_secret: one, or several, of which the first seals and all open; the app secret when None.
        app_secret: the application's.

    Raises:
        ConfigurationError: there is no secret, or one is too short.
    """
    if cookie_secret is not None:
        return sealing_secrets(cookie_secret, "cookie_secret")
    if not app_secret:
        raise ConfigurationError(
            "cookie_secret",
            "must be given, since the client has no app_secret to derive it from; create one with "
            '`python -c "import secrets; print(secrets.token_urlsafe(32))"`, the same for all processes',
        )
    return (app_secret,)


def _digest(value: str) -> str:
    return sha256(value.encode("utf-8", "replace")).hexdigest()[:32]


def _is_secure(redirect_uri: str) -> bool:
    parts = urlsplit(redirect_uri)
    return parts.scheme != "http" or not is_loopback(parts.hostname or "")
