"""Worker threads of the SDK's own: the application's may all be waiting for the SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from .per_loop import PerLoop

_T = TypeVar("_T")


class Threads:
    """Worker threads for blocking functions.

    The application shares anyio's default limiter. If all of its 40 threads waited for a session, none would be left
    for the work that the session waits for.

    Args:
        at_once: the number of concurrent calls per event loop.
        or_here: run a function in the calling thread if no other can be started: at the system's limit of threads, and
            on Python 3.12.0 and 3.12.1 after the main thread has ended.
    """

    __slots__ = ("_limiter", "_or_here")

    def __init__(self, at_once: int, *, or_here: bool = False) -> None:
        self._limiter = PerLoop(lambda: anyio.CapacityLimiter(at_once))
        self._or_here = or_here

    async def run(self, action: Callable[[], _T], *, abandoned: bool = False) -> _T:
        """Run a function in a worker thread and return its result.

        Args:
            action: the function to call.
            abandoned: True if a cancelled caller leaves the thread running, False if it waits for the thread's end.
        """
        has_begun = False

        def act() -> _T:
            nonlocal has_begun
            has_begun = True
            return action()

        try:
            return await anyio.to_thread.run_sync(act, limiter=self._limiter.get(), abandon_on_cancel=abandoned)
        except RuntimeError:
            if has_begun or not self._or_here:
                raise
        return action()
