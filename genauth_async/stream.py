"""What arrives piece by piece: states that change, pages, events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from anyio import ResourceGuard

from ._guard import FramesCleared

if TYPE_CHECKING:
    from typing_extensions import Self

_T = TypeVar("_T")


class Stream(FramesCleared, ABC, Generic[_T]):
    """Items that arrive one after another, for `async for`.

    It holds nothing open between two items unless its maker says so, and may be left at any time; `async with` or
    `aclose` ends one that does. A call that fails, or is cancelled, loses nothing: the next one goes on from there. One
    task at a time may wait for an item.

    Raises:
        anyio.BusyResourceError: another task is waiting for the next item.
    """

    def __init__(self) -> None:
        self._guard = ResourceGuard("waiting for the next item of this stream")
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _T:
        with self._guard:
            if self._ended:
                raise StopAsyncIteration
            try:
                return await self._next()
            except StopAsyncIteration:
                self._ended = True
                raise

    async def aclose(self) -> None:
        """Ends the stream, and closes what it holds open."""
        self._ended = True
        await self._close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @abstractmethod
    async def _next(self) -> _T:
        """The next item, or StopAsyncIteration."""

    async def _close(self) -> None:
        """Closes what is held open."""
