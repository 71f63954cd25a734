"""An event that threads and event loops of any kind share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock
from typing import Protocol, cast

import anyio
from anyio.lowlevel import current_token


class _TrioToken(Protocol):
    def run_sync_soon(self, sync_fn: Callable[[], object]) -> None: ...


def _waker(event: anyio.Event) -> Callable[[], object]:
    """Return a function that any thread may call to set an event of the running loop."""
    loop = current_token().native_token
    if isinstance(loop, asyncio.AbstractEventLoop):
        return lambda: loop.call_soon_threadsafe(event.set)
    return lambda: cast("_TrioToken", loop).run_sync_soon(event.set)


class SharedEvent:
    """An event that threads and event loops of any kind can set and wait for, together."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._event = Event()
        self._wakers: list[Callable[[], object]] = []

    def set(self) -> None:
        with self._lock:
            self._event.set()
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            with suppress(RuntimeError):  # the loop that waited has ended
                wake()

    async def wait(self) -> None:
        event = anyio.Event()
        with self._lock:
            if self._event.is_set():
                return
            self._wakers.append(_waker(event))
        await event.wait()

    def wait_blocking(self, timeout: float) -> bool:
        return self._event.wait(timeout)


class Waiters:
    """Events that wait for conditions. The owner calls the methods under its own lock."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], bool], SharedEvent]] = []

    def once(self, condition: Callable[[], bool]) -> SharedEvent:
        """Return an event that is set once the condition holds."""
        event = SharedEvent()
        self._waiting.append((condition, event))
        self.notify()
        return event

    def notify(self) -> None:
        """Check the conditions again."""
        waiting, self._waiting = self._waiting, []
        for condition, event in waiting:
            if condition():
                event.set()
            else:
                self._waiting.append((condition, event))
