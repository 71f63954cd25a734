"""Limit of concurrent calls on one event loop, and their cancellation on close."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import anyio

from .._core.shielding import run_in_cancellable_task
from ..errors import ClientClosedError, RequestTimeoutError

_T = TypeVar("_T")


class CallLimiter:
    """Limits concurrent calls on one event loop and cancels them on close.

    httpx's pool loses a place for many a call that `Task.cancel()` strikes, and for some calls that are cancelled while
    they wait for a place, until none is left. So calls wait here instead of in that pool. `Task.cancel()` reaches the
    pool as the cancellation of a scope, which it can shield itself from.

    Attributes:
        shield_from_task_cancel: whether the HTTP library has to be shielded from `Task.cancel()`.
    """

    __slots__ = ("_scopes", "_slots", "shield_from_task_cancel")

    def __init__(self, limit: int | None) -> None:
        """Start without calls.

        Args:
            limit: the number of concurrent calls; None for no limit.
        """
        self._slots = None if limit is None else anyio.Semaphore(limit, fast_acquire=True)
        self.shield_from_task_cancel = True
        self._scopes: set[anyio.CancelScope] = set()

    async def acquire(self, name: str, seconds: float | None) -> bool:
        """Acquire a place for one call, and return whether that took time; `release` returns it.

        Args:
            name: the call's name, for the error.
            seconds: how long to wait; None for as long as the caller's own scope permits.

        Raises:
            RequestTimeoutError: it took longer than that.
        """
        if self._slots is None:
            return False
        if self._slots.value:
            self._slots.acquire_nowait()
            return False
        if seconds is None:
            await self._slots.acquire()
            return True
        with anyio.move_on_after(seconds) as scope:
            await self._slots.acquire()
        if scope.cancelled_caught:
            raise pool_timeout_error(name)
        return True

    def release(self) -> None:
        """Release the place to the next waiting call."""
        if self._slots is not None:
            self._slots.release()

    async def run(self, work: Callable[[], Awaitable[_T]], within: anyio.CancelScope) -> _T:
        """Run one call.

        Args:
            work: the call.
            within: the scope around it. `cancel_all` cancels it, unless the call has a scope of its own.

        Raises:
            ClientClosedError: `cancel_all` cancelled the call.
        """
        scope = anyio.CancelScope() if self.shield_from_task_cancel else within
        self._scopes.add(scope)
        try:
            return await (
                run_in_cancellable_task(partial(_scoped, work, scope), scope)
                if self.shield_from_task_cancel
                else work()
            )
        except Exception:
            if scope in self._scopes:
                raise
        finally:
            self._scopes.discard(scope)
        # Whatever the call raised when its connection was closed.
        raise client_closed_error()

    def cancel_all(self) -> None:
        """Cancel all calls."""
        running, self._scopes = self._scopes, set()
        for scope in running:
            scope.cancel()


async def _scoped(work: Callable[[], Awaitable[_T]], scope: anyio.CancelScope) -> _T:
    with scope:
        return await work()
    raise client_closed_error()


def client_closed_error() -> ClientClosedError:
    """Build the error of a call that `cancel_all` has cancelled."""
    return ClientClosedError("the client was closed during this call", sent=True)


def pool_timeout_error(name: str) -> RequestTimeoutError:
    """Build the error of a call that acquired no place in time."""
    return RequestTimeoutError(f"{name}: no connection in time; all are in use", sent=False)
