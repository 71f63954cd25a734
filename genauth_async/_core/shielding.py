"""Work that, once begun, is finished."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
from sniffio import current_async_library

if TYPE_CHECKING:
    import asyncio

_T = TypeVar("_T")

_NAME: Final = "genauth: to be finished"


async def finish(work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Runs work to its end even when the calling task is cancelled meanwhile; the cancellation goes on afterwards.

    The work has to bound its own time. Nothing is left behind: the caller waits for it in any case.
    """
    if current_async_library() == "asyncio":
        return await _finish_on_asyncio(work)
    with anyio.CancelScope(shield=True):
        return await work()
    raise AssertionError("a scope that nobody cancels swallows nothing")


async def _finish_on_asyncio(work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    # A shielded scope holds off anyio's cancellation, but not Task.cancel(), which asyncio.timeout, asyncio.wait_for
    # and most servers use. So the work gets a task of its own, and this one waits for it however often it is cancelled.
    import asyncio

    task = asyncio.create_task(work(), name=_NAME)
    with anyio.CancelScope(shield=True):
        return _result(task, await _outwaited(task))
    raise AssertionError("a scope that nobody cancels swallows nothing")


async def cancelled_by_scope(work: Callable[[], Coroutine[Any, Any, _T]], scope: anyio.CancelScope) -> _T:
    """Runs work that ends when a scope of its own is cancelled, and cancels that when the calling task is cancelled.

    For what holds off the cancellation of anyio's scopes while it tidies up, but not `Task.cancel()`.
    """
    if current_async_library() != "asyncio":
        return await work()
    import asyncio

    task = asyncio.create_task(work(), name=_NAME)
    cancelled: asyncio.CancelledError | None = None
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError as error:
        cancelled = error
        scope.cancel()
        with anyio.CancelScope(shield=True):
            await _outwaited(task)
    return _result(task, cancelled)


async def _outwaited(task: asyncio.Task[Any]) -> asyncio.CancelledError | None:
    """Waits until a task is done; returns the last cancellation meanwhile."""
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
        task.exception()  # Seen; the caller has left.
    raise cancelled


def is_to_be_finished(task: asyncio.Task[Any]) -> bool:
    """Whether a task is such work; who ends an event loop should let it end by itself."""
    return task.get_name() == _NAME
