"""Timeouts: seconds, or an httpx.Timeout."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Protocol

from attrs import frozen

from ..errors import ConfigurationError
from .numbers import is_number, shown

_MILLISECONDS_LIKELY: Final = 1000.0
_CONNECT_SECONDS: Final = 5.0


class PhaseTimeouts(Protocol):
    """The common part of httpx.Timeout and httpx2.Timeout: seconds per phase, or None for no limit."""

    @property
    def connect(self) -> float | None: ...
    @property
    def read(self) -> float | None: ...
    @property
    def write(self) -> float | None: ...
    @property
    def pool(self) -> float | None: ...


Timeout = float | PhaseTimeouts
"""Seconds for a whole call, all attempts included; or an httpx.Timeout, whose phases apply and add up to the total."""


@frozen
class Deadline:
    """A normalized timeout. All values are seconds.

    Attributes:
        total: for the whole call, all attempts included.
        phases: for each phase of one attempt, by httpx's names.
        end: the time of the event loop's clock at which the last of several calls ends; None for one call.
    """

    total: float
    phases: Mapping[str, float]
    end: float | None = None


def deadline(timeout: Timeout | Deadline, argument: str = "timeout") -> Deadline:
    """Normalize a timeout.

    Raises:
        ConfigurationError: it is not positive, unlimited, or looks like milliseconds.
    """
    if isinstance(timeout, Deadline):
        return timeout
    if isinstance(timeout, (int, float, str)):
        if not is_number(timeout) or not 0 < timeout < _MILLISECONDS_LIKELY:
            hint = "; this looks like milliseconds" if is_number(timeout) and timeout > 0 else ""
            raise ConfigurationError(argument, f"must be seconds above 0 and below 1000, not {shown(timeout)}{hint}")
        seconds = float(timeout)
        # Shorter for connecting: an unreachable host then differs from a slow answer, and can be retried safely.
        return Deadline(
            seconds, {"connect": min(seconds, _CONNECT_SECONDS), "read": seconds, "write": seconds, "pool": seconds}
        )
    phases: dict[str, float] = {}
    if not hasattr(timeout, "connect"):
        problem = f"must be seconds, as an int or float, or an httpx.Timeout, not {type(timeout).__name__}"
        raise ConfigurationError(argument, problem)
    for name in ("connect", "read", "write", "pool"):
        seconds_or_none = getattr(timeout, name, None)
        if not is_number(seconds_or_none) or not 0 < seconds_or_none < math.inf:
            raise ConfigurationError(
                argument,
                f"must be seconds or an httpx.Timeout without unlimited phases; {name} is {shown(seconds_or_none)}",
            )
        phases[name] = float(seconds_or_none)
    return Deadline(sum(phases.values()), phases)
