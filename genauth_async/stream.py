"""What arrives piece by piece: states that change, pages, events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from anyio import CancelScope, Event, ResourceGuard

from ._core.shielding import finish
from ._core.tracebacks import FramesCleared

if TYPE_CHECKING:
    from typing import Self

_T = TypeVar("_T")


class Stream(FramesCleared, ABC, Generic[_T]):
    """Items that arrive one after another, for `async for`.

    It may be left at any time; `async with` or `aclose` ends one that holds a connection open. A call that fails, or is
    cancelled, loses nothing: the next one goes on from there. One task at a time may wait for an item.

    Raises:
        anyio.BusyResourceError: another task is waiting for the next item.
    """

    def __init__(self) -> None:
        self._guard = ResourceGuard("waiting for the next item of")
        # The wait in progress: what ends it, and what tells that it has ended.
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
        """Goes on to the end, and gives the last item of all, even if it has been given before.

        Raises:
            LookupError: there was none.
        """
        async for _ in self:
            pass
        if not self._newest:
            raise LookupError("The stream ended without an item")
        return self._newest[0]

    async def aclose(self) -> None:
        """Ends the stream, and closes what it holds open. A task that waits for an item sees the end."""
        self._ended = True
        await finish(self._shut)

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
        """The next item, or StopAsyncIteration.

        An item that was received must not be lost when this is cancelled; the call after that has to give it.
        """

    async def _close(self) -> None:
        """Closes what is held open, and bounds its own time. Called once, while nobody is in `_next`."""
