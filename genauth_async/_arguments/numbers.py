"""Checks of booleans and numbers."""

from __future__ import annotations

import math
import sys
from typing import Final, TypeGuard

from ..errors import ConfigurationError

_FINITE: Final = sys.float_info.max


def require_bool(argument: str, value: object) -> bool:
    """Require a bool.

    Raises:
        ConfigurationError: it is something else, such as the text "false", which would count as true.
    """
    if isinstance(value, bool):
        return value
    raise ConfigurationError(
        argument,
        f"must be True or False, not {type(value).__name__}; convert it: any text, 'false' too, would count as True",
    )


def require_int(argument: str, value: object) -> int:
    """Require an int above 0.

    Raises:
        ConfigurationError: it is no int, or not above 0.
    """
    if is_number(value) and isinstance(value, int) and value > 0:
        return value
    raise ConfigurationError(argument, f"must be an int above 0, not {shown(value)}")


def is_number(value: object) -> TypeGuard[float]:
    """Return True for an int or float that time can be computed with; a bool and NaN are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return not math.isnan(value)
    except OverflowError:
        return False


def require_seconds(
    argument: str, value: object, *, least: float = 0.0, most: float = _FINITE, words: str | None = None
) -> float:
    """Require a number of seconds within these limits.

    Args:
        argument: its name, for the error.
        value: the seconds.
        least: the lower limit.
        most: the upper limit; any finite number when left out.
        words: the limits, for the error, if the numbers do not say it well.

    Raises:
        ConfigurationError: it is no number, or outside the limits.
    """
    if is_number(value) and least <= value <= most:
        return value
    limits = f"{least:g} or more" if most >= _FINITE else f"from {least:g} to {most:g}"
    raise ConfigurationError(argument, f"must be in seconds, {words or limits}, not {shown(value)}")


def shown(value: object) -> str:
    """Return a number as text for a message; of other values, which may be secrets or too long, the type."""
    return repr(value) if is_number(value) or isinstance(value, float) else type(value).__name__
