"""How long a session's access token is good, on the monotonic clock."""

from __future__ import annotations

import math
from typing import Final

from ..errors import ConfigurationError
from ..models.tokens import TokenSet
from ..settings import Clock

_NEVER: Final = -math.inf


class TokenLife:
    """Until when the present access token is fresh, and valid.

    Args:
        clock: the client's.
        leeway: seconds before its expiry from which a token is not fresh any more.

    Raises:
        ConfigurationError: the leeway is below 0.
    """

    __slots__ = ("_clock", "_fresh_until", "_leeway", "_rejected", "_valid_until")

    def __init__(self, clock: Clock, leeway: float) -> None:
        if not leeway >= 0:
            raise ConfigurationError("leeway", f"is in seconds, not below 0: {leeway!r}")
        self._clock = clock
        self._leeway = leeway
        self._rejected: str | None = None
        self.end()

    def begin(self, tokens: TokenSet, age: float) -> None:
        """Measures the life of tokens that arrived `age` seconds ago by the wall clock."""
        if tokens.access_token == self._rejected:
            self.end()
            return
        # A life that is not told, or cannot be meant, ends when an API refuses the token.
        life = float(tokens.expires_in) if tokens.expires_in is not None and tokens.expires_in > 0 else math.inf
        # A wall clock that was set back must not lengthen a token's life.
        self._valid_until = self._clock.monotonic() + life - max(0.0, age)
        # Half its life at most, or a short-lived token would be refreshed on every call.
        self._fresh_until = self._valid_until - min(self._leeway, life / 2)

    def reject(self, token: str) -> None:
        """The token is not good, whatever it says."""
        self._rejected = token
        self.end()

    def end(self) -> None:
        """There is no good token."""
        self._fresh_until = self._valid_until = _NEVER

    def is_fresh(self) -> bool:
        """Whether the token may be handed out."""
        return self._clock.monotonic() < self._fresh_until

    def is_valid(self) -> bool:
        """Whether the token has not expired, though it may be time for a new one."""
        return self._clock.monotonic() < self._valid_until
