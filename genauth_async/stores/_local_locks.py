"""Locks by key across the tasks, event loops and threads of one process."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

import anyio

from .._core.per_loop import PerLoop

_POLL_SECONDS: Final = 0.005


class LocalLocks:
    """One lock per key while a task holds it or waits for it. A forked child has its own locks."""

    def __init__(self) -> None:
        self._forget()

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of a key, exclusively across all tasks of all event loops."""
        lock = self._lock_for(key)
        async with lock.among_tasks.get():
            # Only another event loop's thread can hold it now, which is rare: polling is enough.
            while not lock.among_loops.acquire(blocking=False):  # noqa: ASYNC110 - an Event does not cross loops
                await anyio.sleep(_POLL_SECONDS)
            try:
                yield
            finally:
                lock.among_loops.release()

    def _lock_for(self, key: str) -> _Lock:
        if self._pid != os.getpid():
            # A thread of the parent that held a lock at the fork does not exist here to release it.
            self._forget()
        with self._guard:
            lock = self._locks.get(key)
            if lock is None:
                lock = self._locks[key] = _Lock()
            return lock

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()


class _Lock:
    __slots__ = ("__weakref__", "among_loops", "among_tasks")

    def __init__(self) -> None:
        self.among_tasks = PerLoop(anyio.Lock)
        self.among_loops = threading.Lock()
