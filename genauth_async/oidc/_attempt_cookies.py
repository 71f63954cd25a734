"""Cookies of login attempts: one for each tab that signs in, and never more than servers take."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from .._crypto.sealing import Seal
from ..errors import ConfigurationError
from .attempt import LoginAttempt

# Browsers drop cookies above 4096 bytes without a word, attributes included.
_LARGEST: Final = 3800
# Servers take about 8000 bytes as a header, in which there are the site's other cookies, too. Two links that lead to
# sign-ins must not be enough to lock a user out.
_OTHERS_KEPT: Final = 4
_ALL_BYTES: Final = 4000
_DIGEST_CHARS: Final = 16


class HostCookies:
    """Cookies of one host, for all its paths, out of the reach of scripts.

    Args:
        secure: whether browsers come by https.
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure

    def named(self, name: str) -> str:
        """The name with what it has to begin with."""
        # Browsers take a cookie of this name only from the very host, over https, for all paths: no neighbour sets it.
        return f"__Host-{name}" if self._secure else name

    def set(self, name: str, value: str, seconds: float) -> str:
        """The value of a Set-Cookie header.

        Raises:
            ConfigurationError: the browser would drop it.
        """
        header = self._header(name, value, round(seconds))
        if len(header) > _LARGEST:
            raise ConfigurationError(
                "cookie",
                f"{name} has {len(header)} bytes; browsers drop what is larger than 4096, and {_LARGEST} is "
                "the limit here",
            )
        return header

    def clear(self, name: str) -> str:
        """The value of a Set-Cookie header that removes the cookie."""
        return self._header(name, "", 0)

    def _header(self, name: str, value: str, seconds: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"


class AttemptCookies(HostCookies):
    """The cookies of one application's attempts, each named after its attempt's state.

    Args:
        prefix: their names begin with it; other applications on the host have another.
        secure: whether browsers come by https.
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
        """The values of the Set-Cookie headers with which an attempt begins.

        Args:
            attempt: what to remember.
            cookies: the request's, of which those that are over are cleared, and those that there is no room for.
            seal: of all attempts.
            now: seconds since the epoch.
            more: what else to remember.

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
        """What the browser has kept of the attempt with this state.

        Args:
            state: as the callback has it.
            cookies: the request's.
        """
        return cookies.get(self._name(state))

    def end(self, state: str, cookies: Mapping[str, str]) -> tuple[str, ...]:
        """The values of the Set-Cookie headers that remove the cookie of an attempt, if the browser has it.

        Args:
            state: as the callback has it.
            cookies: the request's.
        """
        name = self._name(state)
        return (self.clear(name),) if name in cookies else ()

    def are_in(self, cookies: Mapping[str, str]) -> bool:
        """Whether the browser has cookies of attempts, whichever."""
        return bool(self._of(cookies))

    def _name(self, state: str) -> str:
        return self._prefix + sha256(state.encode("utf-8", "replace")).hexdigest()[:_DIGEST_CHARS]

    def _of(self, cookies: Mapping[str, str]) -> list[str]:
        return [name for name in cookies if name.startswith(self._prefix)]

    def _superfluous(self, cookies: Mapping[str, str], seal: Seal, now: float, room: int) -> list[str]:
        """Earlier attempts that are over, or that there is no room for."""
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
