"""One blocking call, run on the bridge's event loop.

A future would not do. A lock that the coroutine's own last step releases wakes the caller sooner, and `SystemExit` in a
coroutine reaches the caller instead of ending the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

CLEANUP_SECONDS = 5.0  # for an interrupted call's cleanup

# Ctrl-C wakes a thread that waits for a lock, but not on Windows, and on no system just before the wait begins. So
# the thread wakes up by itself at intervals.
_LONGEST_WAIT = 0.1 if sys.platform == "win32" else 1.0


class Call(Generic[T]):
    """A call that a task of its own runs on the loop, while its thread waits."""

    __slots__ = ("_awake", "_begun", "_error", "_finished", "_make", "_result", "_task")

    _result: T

    def __init__(self, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._make = make
        self._error: BaseException | None = None
        self._task: asyncio.Task[None] | None = None
        self._begun = False
        self._finished = False
        self._awake = threading.Lock()
        self._awake.acquire()

    def run_on(self, loop: asyncio.AbstractEventLoop) -> T:
        """Run the coroutine and return its result. An exception that interrupts this cancels it and awaits its cleanup.

        The limit for the cleanup is CLEANUP_SECONDS.
        """
        try:
            # This copies the caller's context, which the task then inherits.
            loop.call_soon_threadsafe(self.start, loop)
            self.wait()
        except BaseException:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nothing runs any more
                loop.call_soon_threadsafe(self.cancel)
                self.wait(CLEANUP_SECONDS)
            raise
        return self.take()

    def wait(self, seconds: float = threading.TIMEOUT_MAX) -> None:
        """Wait for the call's end, of any kind."""
        deadline = time.monotonic() + seconds
        while not self._finished and (left := deadline - time.monotonic()) > 0:
            self._awake.acquire(timeout=min(left, _LONGEST_WAIT))

    def take(self) -> T:
        """Return the coroutine's result, or raise its exception."""
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error  # its traceback has this frame: a cycle that would keep the caller's arguments and secrets alive

    # The methods below run on the loop.

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._task = loop.create_task(self._drive())

    def cancel(self) -> None:
        if not self._begun:
            self._finish()
        elif self._task is not None:
            self._task.cancel()

    async def _drive(self) -> None:
        if self._finished:  # interrupted before it began
            return
        self._begun = True
        try:
            self._result = await self._make()
        except BaseException as error:  # noqa: BLE001  SystemExit and KeyboardInterrupt go to the caller, too
            self._error = error
        finally:
            self._finish()

    def _finish(self) -> None:
        del self._make
        self._task = None
        self._finished = True
        self._awake.release()
