"""Locks by key across the tasks, event loops and threads of one process."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final, TypeAlias
from weakref import WeakValueDictionary, ref

import anyio
from anyio.lowlevel import current_token

from .._core.per_loop import PerLoop
from ..errors import StoreLockedError

_POLL_SECONDS: Final = 0.005

_Loop: TypeAlias = "ref[object]"


class LocalLocks:
    """One lock per key while a task holds it or waits for it. A forked child has its own locks.

    Args:
        timeout: seconds after which waiting for a lock ends with a StoreError.
    """

    __slots__ = ("_guard", "_locks", "_pid", "_timeout")

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        # Made when it is needed: most stores in memory are of one session, and small.
        self._locks: WeakValueDictionary[str, _Lock] | None
        self._forget()

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key, exclusively across all tasks of all event loops.

        Raises:
            StoreError: another task held it until the timeout.
        """
        lock = self._lock_for(key)
        # A weak reference: a task that was abandoned must not keep its loop.
        holder: _Loop = ref(current_token().native_token)
        async with AsyncExitStack() as stack:
            with anyio.move_on_after(self._timeout) as limit:
                among_tasks = lock.among_tasks.get()
                await among_tasks.acquire()
                stack.callback(lock.release, among_tasks, holder)
                # Only another event loop's thread can hold it now, which is rare: polling is enough.
                while not lock.take(holder):  # noqa: ASYNC110 - an Event does not cross loops
                    await anyio.sleep(_POLL_SECONDS)
            if limit.cancelled_caught:
                raise StoreLockedError(
                    f"Could not acquire the session lock within {self._timeout:g} s: a task of this process holds it. "
                    "If the event loop of that task was interrupted, close that loop"
                )
            yield

    def _lock_for(self, key: str) -> _Lock:
        if self._pid != os.getpid():
            # A thread of the parent that held a lock at the fork does not exist here to release it.
            self._forget()
        with self._guard:
            if self._locks is None:
                self._locks = WeakValueDictionary()
            lock = self._locks.get(key)
            if lock is None:
                lock = self._locks[key] = _Lock()
            return lock

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._guard = threading.Lock()
        self._locks = None


class _Lock:
    """A lock among the tasks of each loop, and among the loops."""

    __slots__ = ("__weakref__", "_guard", "_holder", "among_tasks")

    def __init__(self) -> None:
        self.among_tasks = PerLoop(anyio.Lock)
        self._guard = threading.Lock()
        self._holder: _Loop | None = None

    def take(self, holder: _Loop) -> bool:
        with self._guard:
            # The tasks of a closed loop do not go on, so they never release it.
            if self._holder is not None and not _is_closed(self._holder):
                return False
            self._holder = holder
            return True

    def release(self, among_tasks: anyio.Lock, holder: _Loop) -> None:
        with self._guard:
            if self._holder is holder:
                self._holder = None
        with suppress(RuntimeError):  # in the finaliser of a task whose loop is closed
            among_tasks.release()


def _is_closed(holder: _Loop) -> bool:
    loop = holder()
    # trio's has no such method: its tasks have always ended when it does.
    return loop is None or bool(getattr(loop, "is_closed", bool)())
