"""Work in a task of its own, which outlives its caller and completes before its event loop ends."""

from __future__ import annotations

import asyncio
import os
from asyncio.tasks import _unregister_task
from collections.abc import Awaitable, Callable
from contextvars import copy_context

import anyio
from anyio.lowlevel import checkpoint, current_token
from sniffio import current_async_library

from .shielding import NAME
from .tracebacks import clear_frames

_POLL_SECONDS = 0.01


class Background:
    """Work under way, or done.

    No caller can cancel it. The end of its event loop waits for it: `asyncio.run` cancels all tasks that asyncio lists,
    and waits for them; the work's own task is not listed, but one that waits for it is.

    Args:
        work: has to bound its own time. Its pauses should be `sleep`.
        is_dispensable: True if the end of its event loop cancels it instead.

    Attributes:
        failure: the work's exception, or None.
    """

    __slots__ = ("_done", "_guard", "_is_done", "_loop", "_pid", "_stopping", "failure")

    def __init__(self, work: Callable[[], Awaitable[None]], *, is_dispensable: bool = False) -> None:
        self.failure: Exception | None = None
        self._is_done = False
        self._done = anyio.Event()
        self._stopping = anyio.Event()
        self._loop = current_token().native_token
        self._pid = os.getpid()
        self._guard: asyncio.Task[None] | None = None
        if current_async_library() == "asyncio":
            task = asyncio.create_task(self._run(work, not is_dispensable))
            if is_dispensable:
                self._guard = task  # asyncio itself refers to its tasks weakly
                return
            _unregister_task(task)
            self._guard = asyncio.create_task(self._wait_until_done(), name=NAME)
        else:
            import trio

            trio.lowlevel.spawn_system_task(self._run, work, not is_dispensable, context=copy_context())

    async def wait(self) -> None:
        """Wait until the work is done, or cannot be any more. Any event loop may wait."""
        if self._loop is current_token().native_token:
            await self._done.wait()
            return
        while self.is_running():  # noqa: ASYNC110 - an Event does not cross loops
            await anyio.sleep(_POLL_SECONDS)

    def is_running(self) -> bool:
        """Return False once the work is done, its event loop is closed, or this is a forked child."""
        is_closed: Callable[[], bool] = getattr(self._loop, "is_closed", bool)
        return not self._is_done and self._pid == os.getpid() and not is_closed()

    def is_here(self) -> bool:
        """Return True if the work runs on the running event loop."""
        return self.is_running() and self._loop is current_token().native_token

    def stop(self) -> None:
        """Let the work end at its next pause."""
        self._stopping.set()

    async def sleep(self, seconds: float) -> bool:
        """Pause the work; return False at once when it has to end."""
        with anyio.move_on_after(seconds):
            await self._stopping.wait()
            return False
        return True

    async def _run(self, work: Callable[[], Awaitable[None]], is_shielded: bool) -> None:
        try:
            with anyio.CancelScope(shield=is_shielded):
                await checkpoint()  # an eager task would begin before its caller has this object
                await work()
        except Exception as error:  # noqa: BLE001 - for those who wait
            clear_frames(error, None)
            self.failure = error
        finally:
            self._is_done = True
            self._done.set()

    async def _wait_until_done(self) -> None:
        while not self._is_done:
            try:
                await self._done.wait()
            except asyncio.CancelledError:
                self.stop()


def unlist_current_task() -> None:
    """Protect the current task from `asyncio.run`, which at its end cancels all tasks that asyncio lists."""
    if current_async_library() == "asyncio" and (task := asyncio.current_task()) is not None:
        _unregister_task(task)
