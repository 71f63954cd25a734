"""Cookies of login attempts: one per tab that signs in, within the limits of browsers and servers."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from .._crypto.sealing import Seal
from ..errors import ConfigurationError
from .attempt import LoginAttempt

# Browsers silently drop cookies above 4096 bytes, attributes included.
_LARGEST: Final = 3800
# Servers accept headers of about 8000 bytes, which the site's other cookies share. Two links that start sign-ins must
# not be enough to lock a user out.
_OTHERS_KEPT: Final = 4
_ALL_BYTES: Final = 4000
_DIGEST_CHARS: Final = 16


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
        """Return the value of a Set-Cookie header.

        Raises:
            ConfigurationError: the browser would drop it.
        """
        header = self._header(name, value, round(seconds))
        if len(header) > _LARGEST:
            raise ConfigurationError(
                "cookie",
                f"{name} must have at most {_LARGEST} bytes, not {len(header)}: browsers drop cookies of more than "
                "4096",
            )
        return header

    def clear(self, name: str) -> str:
        """Return the value of a Set-Cookie header that removes the cookie."""
        return self._header(name, "", 0)

    def _header(self, name: str, value: str, seconds: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"


class AttemptCookies(HostCookies):
    """The cookies of one application's attempts, each named after its attempt's state.

    Args:
        prefix: the prefix of their names; applications on one host need different ones.
        secure: True if browsers use https.
    """

    def __init__(self, prefix: str, *, secure: bool) -> None:
        super().__init__(secure=secure)
        self._prefix = self.named(prefix)

    def begin(
        self,
        attempt: LoginAttempt,
        cookies: Mapping[str, str],
        seal: Seal,
        *,
        now: float,
        more: Mapping[str, object] | None = None,
    ) -> tuple[str, ...]:
        """Return the Set-Cookie values that begin an attempt.

        Args:
            attempt: the attempt to store.
            cookies: the request's; expired attempts among them are cleared, and those beyond the size limit.
            seal: the seal of all attempts.
            now: seconds since the epoch.
            more: further values to store.

        Raises:
            ConfigurationError: the browser would drop the cookie.
        """
        sealed = seal.seal({**attempt.to_dict(), "url": "", **(more or {})})
        name = self._name(attempt.state)
        room = _ALL_BYTES - len(name) - len(sealed)
        superfluous = self._superfluous(cookies, seal, now, room)
        return (
            self.set(name, sealed, attempt.expires_at - now),
            *(self.clear(other) for other in superfluous),
        )

    def sealed(self, state: str, cookies: Mapping[str, str]) -> str | None:
        """Return the sealed attempt with this state from the browser's cookies, or None.

        Args:
            state: the callback's.
            cookies: the request's.
        """
        return cookies.get(self._name(state))

    def end(self, state: str, cookies: Mapping[str, str]) -> tuple[str, ...]:
        """Return the Set-Cookie values that remove the cookie of an attempt, if the browser has it.

        Args:
            state: the callback's.
            cookies: the request's.
        """
        name = self._name(state)
        return (self.clear(name),) if name in cookies else ()

    def are_in(self, cookies: Mapping[str, str]) -> bool:
        """Return True if the browser has the cookie of any attempt."""
        return bool(self._of(cookies))

    def _name(self, state: str) -> str:
        return self._prefix + sha256(state.encode("utf-8", "replace")).hexdigest()[:_DIGEST_CHARS]

    def _of(self, cookies: Mapping[str, str]) -> list[str]:
        return [name for name in cookies if name.startswith(self._prefix)]

    def _superfluous(self, cookies: Mapping[str, str], seal: Seal, now: float, room: int) -> list[str]:
        """Return the cookies of earlier attempts that are expired or beyond the size limit."""
        alive: list[tuple[float, str]] = []
        for name in self._of(cookies):
            until = (seal.opened(cookies[name]) or {}).get("expires_at")
            if isinstance(until, (int, float)) and until >= now:
                alive.append((until, name))
        kept: list[str] = []
        for _, name in sorted(alive, reverse=True)[:_OTHERS_KEPT]:
            room -= len(name) + len(cookies[name])
            if room >= 0:
                kept.append(name)
        return [name for name in self._of(cookies) if name not in kept]
