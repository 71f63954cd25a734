"""Drops what is over, so that a server that runs for hours does not grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_LEAST = 1024


class Sweep:
    """Looks through a mapping once it holds twice as much as was left the last time, which costs next to nothing.

    Args:
        least: up to how many things nobody looks.
    """

    def __init__(self, least: int = _LEAST) -> None:
        self._least = self._due_at = least

    def __call__(self, things: dict[_Key, _Value], is_over: Callable[[_Value], bool]) -> list[_Value]:
        """Remove what is over, if it is time to look; what was removed."""
        if len(things) < self._due_at:
            return []
        over = [key for key, thing in things.items() if is_over(thing)]
        removed = [things.pop(key) for key in over]
        self._due_at = max(self._least, 2 * len(things))
        return removed
