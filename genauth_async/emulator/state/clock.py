"""The emulator's clock, and the removal of expired entries."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_LEAST = 1024


class Clock:
    """The time by which tokens and pass codes are issued and expire; tests can move it forward.

    Args:
        source: returns the seconds since the epoch. A constant function makes a clock that stands still except for
            `advance`.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead = 0.0

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return self._source() + self._ahead

    @property
    def ahead(self) -> float:
        """The seconds by which it was moved forward."""
        return self._ahead

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self._ahead += seconds

    def __repr__(self) -> str:
        return f"<Clock {iso_time(self.now())}>"


def iso_time(timestamp: float) -> str:
    """Format a time as the API does."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Sweep:
    """Removes expired entries from a mapping that has doubled since the last time, at next to no cost.

    Args:
        least: the size below which nothing is removed.
    """

    def __init__(self, least: int = _LEAST) -> None:
        self._least = self._due_at = least

    def __call__(self, things: dict[_Key, _Value], is_over: Callable[[_Value], bool]) -> list[_Value]:
        """Remove the expired entries, if it is time; return those removed."""
        if len(things) < self._due_at:
            return []
        over = [key for key, thing in things.items() if is_over(thing)]
        removed = [things.pop(key) for key in over]
        self._due_at = max(self._least, 2 * len(things))
        return removed
