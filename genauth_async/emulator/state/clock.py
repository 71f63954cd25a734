"""The emulator's time, which tests can move forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Tells the time by which tokens and pass codes are issued and expire.

    Args:
        source: what the time is read from, as seconds since the epoch. A constant function makes a clock that stands
            still except for `advance`.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._ahead = 0.0

    def now(self) -> float:
        """The seconds since the epoch."""
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass at once."""
        self._ahead += seconds

    def __repr__(self) -> str:
        return f"<Clock {iso_time(self.now())}>"


def iso_time(timestamp: float) -> str:
    """A moment in the way the API writes it."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
