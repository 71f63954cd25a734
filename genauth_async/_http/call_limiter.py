"""The exchanges under way on one event loop: how many at once, and how they end before their time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import anyio

from .._core.shielding import cancelled_by_scope
from ..errors import ClientClosedError, RequestTimeoutError

_T = TypeVar("_T")


class Calls:
    """Every exchange on one event loop passes through here.

    httpx's pool loses a place for many a call that `Task.cancel()` strikes, and for some that are cancelled while they
    wait for a place, until none is left. So nobody waits in that pool, but here; and `Task.cancel()` is brought to it
    as the cancellation of a scope, which it can hold off where it has to.

    Attributes:
        apart: whether the library that carries them has to be kept from `Task.cancel()`.
    """

    __slots__ = ("_running", "_turns", "apart")

    def __init__(self, at_once: int | None) -> None:
        """Begins with none.

        Args:
            at_once: how many may be under way; None for any number.
        """
        self._turns = None if at_once is None else anyio.Semaphore(at_once, fast_acquire=True)
        self.apart = True
        self._running: set[anyio.CancelScope] = set()

    async def begin(self, name: str, seconds: float | None) -> bool:
        """Waits until one more may be under way, and says whether that took time; `end` is for when it no longer is.

        Args:
            name: what is to begin, for the error.
            seconds: how long to wait; None is for as long as the caller's own scope lets it.

        Raises:
            RequestTimeoutError: it took longer than that.
        """
        if self._turns is None:
            return False
        if self._turns.value:
            self._turns.acquire_nowait()
            return False
        if seconds is None:
            await self._turns.acquire()
            return True
        with anyio.move_on_after(seconds) as scope:
            await self._turns.acquire()
        if scope.cancelled_caught:
            raise no_turn(name)
        return True

    def end(self) -> None:
        """Gives the turn to whoever waits for one."""
        if self._turns is not None:
            self._turns.release()

    async def run(self, work: Callable[[], Awaitable[_T]], within: anyio.CancelScope) -> _T:
        """Runs one exchange.

        Args:
            work: the exchange.
            within: the scope around this call. `end_all` cancels it, unless the exchange has one of its own.

        Raises:
            ClientClosedError: it was ended by `end_all`.
        """
        scope = anyio.CancelScope() if self.apart else within
        self._running.add(scope)
        try:
            return await (cancelled_by_scope(partial(_scoped, work, scope), scope) if self.apart else work())
        except Exception:
            if scope in self._running:
                raise
        finally:
            self._running.discard(scope)
        # However it broke when its connection was closed under it.
        raise ended()

    def end_all(self) -> None:
        """Ends all that are under way."""
        running, self._running = self._running, set()
        for scope in running:
            scope.cancel()


async def _scoped(work: Callable[[], Awaitable[_T]], scope: anyio.CancelScope) -> _T:
    with scope:
        return await work()
    raise ended()


def ended() -> ClientClosedError:
    """The error of a call that `end_all` has ended."""
    return ClientClosedError("the client was closed during this call", sent=True)


def no_turn(name: str) -> RequestTimeoutError:
    """The error of a call whose turn did not come in time."""
    return RequestTimeoutError(f"{name}: no connection in time, as all are in use", sent=False)
