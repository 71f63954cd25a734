"""Cleanup when an event loop ends, or an object that was used on it is dropped."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any
from weakref import finalize

import anyio
from sniffio import current_async_library

if TYPE_CHECKING:
    import trio

Close = Callable[[], Awaitable[None]]


async def close_at_end(owner: object, close: Close) -> Close:
    """Await a function when the running event loop ends, or after the owner is dropped.

    Args:
        owner: must keep what this returns.
        close: must not refer to the owner, nor raise. It is awaited again if it is interrupted.

    Returns:
        A function that does it at once.
    """
    if current_async_library() == "asyncio":
        # An event loop closes asynchronous generators that are dropped, and at its end the others.
        ending = _closing(close)
        await anext(ending)
        return ending.aclose
    return _close_at_end_of_trio(owner, close)


async def _closing(close: Close) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        try:
            await close()
        except (GeneratorExit, anyio.get_cancelled_exc_class()):
            # The end of asyncio.run cancels the task that closes a dropped generator; CPython adds a GeneratorExit.
            await close()


def _close_at_end_of_trio(owner: object, close: Close) -> Close:
    # trio warns of every generator that is dropped, so a system task does it, which trio cancels at its end.
    import trio

    begin, done = trio.Event(), trio.Event()
    # The garbage may be collected in another thread.
    dropping = finalize(owner, _set_soon, trio.lowlevel.current_trio_token(), begin)
    dropping.atexit = False

    async def wait_and_close() -> None:
        try:
            await begin.wait()
        finally:
            dropping.detach()  # or it would keep trio's token, and so the owner among the values of that loop
            with anyio.CancelScope(shield=True):
                await close()
            done.set()

    async def close_now() -> None:
        begin.set()
        await done.wait()

    trio.lowlevel.spawn_system_task(wait_and_close, context=Context())
    return close_now


def _set_soon(token: Any, event: trio.Event) -> None:
    import trio

    with suppress(trio.RunFinishedError):
        token.run_sync_soon(event.set)
