"""Work that runs to completion even if its caller is cancelled."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
from sniffio import current_async_library

if TYPE_CHECKING:
    import asyncio

_T = TypeVar("_T")

NAME: Final = "genauth: to be finished"


async def run_shielded(work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run work to completion even if the calling task is cancelled, then raise the cancellation.

    The work has to bound its own time: the caller waits for it in any case, so that nothing is left behind.
    """
    if current_async_library() == "asyncio":
        return await _run_shielded_on_asyncio(work)
    with anyio.CancelScope(shield=True):
        return await work()
    raise AssertionError("an uncancelled scope suppresses nothing")


async def _run_shielded_on_asyncio(work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    # A shielded scope withstands anyio's cancellation, but not Task.cancel(), which asyncio.timeout, asyncio.wait_for
    # and most servers use. So the work has its own task, and this one waits for it however often it is cancelled.
    import asyncio

    task = asyncio.create_task(work(), name=NAME)
    with anyio.CancelScope(shield=True):
        return _result(task, await _wait_despite_cancellation(task))
    raise AssertionError("an uncancelled scope suppresses nothing")


async def run_in_cancellable_task(work: Callable[[], Coroutine[Any, Any, _T]], scope: anyio.CancelScope) -> _T:
    """Run work inside a scope of its own, and cancel that scope when the calling task is cancelled.

    For libraries whose cleanup withstands the cancellation of anyio's scopes, but not `Task.cancel()`.
    """
    if current_async_library() != "asyncio":
        return await work()
    import asyncio

    task = asyncio.create_task(work(), name=NAME)
    cancelled: asyncio.CancelledError | None = None
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError as error:
        cancelled = error
        scope.cancel()
        with anyio.CancelScope(shield=True):
            await _wait_despite_cancellation(task)
    return _result(task, cancelled)


async def _wait_despite_cancellation(task: asyncio.Task[Any]) -> asyncio.CancelledError | None:
    """Wait until a task is done; return the last cancellation meanwhile."""
    import asyncio

    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


def _result(task: asyncio.Task[_T], cancelled: asyncio.CancelledError | None) -> _T:
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # retrieved, or asyncio would log it: the cancelled caller does not see it
    raise cancelled


def is_shielded(task: asyncio.Task[Any]) -> bool:
    """Return whether a task is such work, which has to complete before its event loop ends."""
    return task.get_name() == NAME
