"""The life of an access token, by two clocks."""

from __future__ import annotations

import math
from typing import Final

from ..models.tokens import TokenSet
from ..settings import Clock

CLOCK_SKEW: Final = 5.0
"""Seconds by which the clocks of two machines may differ."""


class Life:
    """The life of an access token, measured from its arrival here.

    Attributes:
        tokens: the tokens.
        is_rejected: an API has refused the access token.
    """

    __slots__ = ("_clock", "_obtained_at", "_seconds", "_valid_until", "is_rejected", "tokens")

    def __init__(self, tokens: TokenSet, clock: Clock) -> None:
        self.tokens = tokens
        self._obtained_at = tokens.obtained_at
        self.is_rejected = False
        self._clock = clock
        # A missing or impossible expires_in: the token lives until an API refuses it.
        expires_in = tokens.expires_in
        self._seconds = float(expires_in) if expires_in is not None and expires_in > 0 else math.inf
        # A wall clock that is set back must not lengthen it.
        self._valid_until = clock.monotonic() + self._seconds - max(0.0, clock.wall() - tokens.obtained_at)

    def is_valid(self) -> bool:
        """Return True if the token has expired by neither clock, and no API has refused it.

        The monotonic clock may stand still while the machine sleeps; the wall clock may be set back.
        """
        return (
            not self.is_rejected
            and self._clock.monotonic() < self._valid_until
            and self._clock.wall() - self._obtained_at < self._seconds
        )

    def is_fresh(self, leeway: float) -> bool:
        """Return True if the token need not be refreshed.

        Args:
            leeway: seconds before its expiry from which it is due; half its life at most, or a short-lived token would
                be refreshed on every call.
        """
        margin = min(leeway, self._seconds / 2)
        clock = self._clock
        age = clock.wall() - self._obtained_at
        return (
            clock.monotonic() < self._valid_until - margin
            # Tokens from the future are due: a clock is wrong by more than the margin covers.
            and (age >= -margin or age >= -CLOCK_SKEW)
            and age < self._seconds - margin
            and not self.is_rejected
        )
