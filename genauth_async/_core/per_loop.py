"""Per-event-loop values, recreated after a fork."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar, runtime_checkable
from weakref import WeakKeyDictionary

from anyio.lowlevel import current_token

_T = TypeVar("_T")

# Only a forked child appends to it, and never reads it: the parent's values must not be finalized in the child.
_INHERITED: Final[list[object]] = []


class PerLoop(Generic[_T]):
    """One value per running event loop, dropped once that loop is closed.

    Locks and connection pools work on one loop only. With one per loop, a client works in consecutive `asyncio.run`
    calls and in several threads. A forked child starts empty: the parent's sockets are not its own. It keeps inherited
    values untouched, since closing or dropping them would disturb the parent's.
    """

    __slots__ = ("_make", "_pid", "_values")

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._pid = os.getpid()
        self._values: WeakKeyDictionary[object, _T] = WeakKeyDictionary()

    def get(self) -> _T:
        """Return the running loop's value, created on first use."""
        self._set_aside_what_is_inherited()
        loop = current_token().native_token
        value = self._values.get(loop)
        if value is None:
            self._forget_closed_loops()
            value = self._values.setdefault(loop, self._make())
        return value

    def pop(self) -> _T | None:
        """Remove and return the running loop's value."""
        self._set_aside_what_is_inherited()
        return self._values.pop(current_token().native_token, None)

    def _set_aside_what_is_inherited(self) -> None:
        if self._pid != os.getpid():
            _INHERITED.extend(self._values.items())
            self._values = WeakKeyDictionary()
            self._pid = os.getpid()

    def _forget_closed_loops(self) -> None:
        # A value may refer to its loop, as connections do; the weak reference alone would then keep both for ever.
        for reference in self._values.keyrefs():  # a copy: another thread may add its loop
            loop = reference()
            if isinstance(loop, _Closable) and loop.is_closed():
                self._values.pop(loop, None)


@runtime_checkable
class _Closable(Protocol):
    """An asyncio event loop. trio's has no such method, and no value refers to it."""

    def is_closed(self) -> bool: ...
