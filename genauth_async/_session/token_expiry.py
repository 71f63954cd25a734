"""The remaining life of a session's access token, on the monotonic clock."""

from __future__ import annotations

import math
from typing import Final

from .._arguments.numbers import require_seconds
from ..models.tokens import TokenSet
from ..settings import Clock

_NEVER: Final = -math.inf


class TokenExpiry:
    """The times until which the present access token is fresh, and valid.

    Args:
        clock: the client's.
        leeway: seconds before its expiry from which a token is no longer fresh.

    Raises:
        ConfigurationError: the leeway is no finite number of seconds, or below 0.
    """

    __slots__ = ("_clock", "_fresh_until", "_leeway", "_rejected", "_valid_until")

    def __init__(self, clock: Clock, leeway: float) -> None:
        self._clock = clock
        self._leeway = require_seconds("leeway", leeway)
        self._rejected: str | None = None
        self.end()

    def begin(self, tokens: TokenSet, age: float) -> None:
        """Start the life of tokens that arrived `age` seconds ago by the wall clock."""
        if tokens.access_token == self._rejected:
            self.end()
            return
        # A missing or impossible expires_in: the token lives until an API refuses it.
        life = float(tokens.expires_in) if tokens.expires_in is not None and tokens.expires_in > 0 else math.inf
        # A wall clock set back must not lengthen a token's life.
        self._valid_until = self._clock.monotonic() + life - max(0.0, age)
        # At most half its life, or a short-lived token would be refreshed on every call.
        self._fresh_until = self._valid_until - min(self._leeway, life / 2)

    def reject(self, token: str) -> None:
        """Treat the token as invalid, whatever its expiry."""
        self._rejected = token
        self.end()

    def end(self) -> None:
        """Mark the token as neither fresh nor valid."""
        self._fresh_until = self._valid_until = _NEVER

    def is_fresh(self) -> bool:
        """Return True if the token may be used without a refresh."""
        return self._clock.monotonic() < self._fresh_until

    def is_valid(self) -> bool:
        """Return True if the token has not expired, even if a refresh is due."""
        return self._clock.monotonic() < self._valid_until
