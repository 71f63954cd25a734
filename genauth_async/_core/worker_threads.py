"""Worker threads of the SDK's own: an application's may all be waiting for the SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from .per_loop import PerLoop

_T = TypeVar("_T")


class Threads:
    """Runs what blocks beside the event loop.

    anyio's default limiter is the application's, too: where each of its 40 threads waits for a session, none would be
    left for what the session waits for.

    Args:
        at_once: how many at once for each event loop.
    """

    __slots__ = ("_limiter",)

    def __init__(self, at_once: int) -> None:
        self._limiter = PerLoop(lambda: anyio.CapacityLimiter(at_once))

    async def run(self, action: Callable[[], _T], *, abandoned: bool = False) -> _T:
        """What the action returns.

        Args:
            action: is called in a thread.
            abandoned: whether a caller that is cancelled leaves it to itself, instead of waiting for its end.
        """
        return await anyio.to_thread.run_sync(action, limiter=self._limiter.get(), abandon_on_cancel=abandoned)
