"""Streams of items: changing states, pages, events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from anyio import CancelScope, Event, ResourceGuard

from ._core.shielding import run_shielded
from ._core.tracebacks import ClearsTracebackFrames

if TYPE_CHECKING:
    from typing import Self

_T = TypeVar("_T")


class Stream(ClearsTracebackFrames, ABC, Generic[_T]):
    """Items that arrive one after another, for `async for`.

    The caller may leave it at any time; `async with` or `aclose` closes one that holds a connection open. A call that
    fails or is cancelled loses nothing: the next one continues from there. One task at a time may wait for an item.

    Raises:
        anyio.BusyResourceError: another task is waiting for the next item.
    """

    def __init__(self) -> None:
        self._guard = ResourceGuard("waiting for the next item of")
        # The wait in progress: the scope that cancels it, and the event of its end.
        self._waiting: tuple[CancelScope, Event] | None = None
        self._newest: list[_T] = []
        self._ended = False
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _T:
        with self._guard:
            if not self._ended:
                left = Event()
                with CancelScope() as scope:
                    self._waiting = scope, left
                    try:
                        item = await self._next()
                    except StopAsyncIteration:
                        self._ended = True
                    else:
                        self._newest = [item]
                        return item
                    finally:
                        self._waiting = None
                        left.set()
            raise StopAsyncIteration

    async def last(self) -> _T:
        """Read to the end and return the last item, even if it has been returned before.

        Raises:
            LookupError: there was no item.
        """
        async for _ in self:
            pass
        if not self._newest:
            raise LookupError("The stream ended without an item")
        return self._newest[0]

    async def aclose(self) -> None:
        """End the stream and close its connection. A task that waits for an item sees the end."""
        self._ended = True
        await run_shielded(self._shut)

    async def _shut(self) -> None:
        if self._waiting is not None:
            scope, left = self._waiting
            scope.cancel()
            await left.wait()
        if not self._closed:
            self._closed = True
            await self._close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @abstractmethod
    async def _next(self) -> _T:
        """Return the next item, or raise StopAsyncIteration.

        Cancellation must not lose a received item; the next call has to return it.
        """

    async def _close(self) -> None:
        """Close the connection, in bounded time. Called once, while no task is in `_next`."""
