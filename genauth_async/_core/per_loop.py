"""What belongs to one event loop, and is made anew for another one and after a fork."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar, runtime_checkable
from weakref import WeakKeyDictionary

from anyio.lowlevel import current_token

_T = TypeVar("_T")

# Written in a forked child only and never read: what it holds must not be finalized there, not even with its client.
_INHERITED: Final[list[object]] = []


class PerLoop(Generic[_T]):
    """A value for each running event loop; it goes when its loop is closed.

    Locks and connection pools work on one loop only. Keeping one each lets a client be used from one `asyncio.run`
    after another, and from several threads. A forked child starts with none: the parent's sockets are not its own.
    What it inherited it keeps untouched, since closing or dropping it would disturb the parent's.
    """

    __slots__ = ("_make", "_pid", "_values")

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._pid = os.getpid()
        self._values: WeakKeyDictionary[object, _T] = WeakKeyDictionary()

    def get(self) -> _T:
        """The running loop's value, made if there is none."""
        self._set_aside_what_is_inherited()
        loop = current_token().native_token
        value = self._values.get(loop)
        if value is None:
            self._forget_closed_loops()
            value = self._values.setdefault(loop, self._make())
        return value

    def pop(self) -> _T | None:
        """Removes and returns the running loop's value."""
        self._set_aside_what_is_inherited()
        return self._values.pop(current_token().native_token, None)

    def _set_aside_what_is_inherited(self) -> None:
        if self._pid != os.getpid():
            _INHERITED.extend(self._values.items())
            self._values = WeakKeyDictionary()
            self._pid = os.getpid()

    def _forget_closed_loops(self) -> None:
        # A value may refer to its loop, as connections do, so that the weak reference alone would keep both for ever.
        for reference in self._values.keyrefs():  # a list, so that another thread may add its loop meanwhile
            loop = reference()
            if isinstance(loop, _Closable) and loop.is_closed():
                self._values.pop(loop, None)


@runtime_checkable
class _Closable(Protocol):
    """asyncio's event loops; trio's say nothing, and are not referred to."""

    def is_closed(self) -> bool: ...
