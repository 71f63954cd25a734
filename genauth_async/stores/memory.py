"""A store in this process's memory."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

import anyio

from .._loops import PerLoop
from ._protocol import SessionRecord

_POLL_SECONDS: Final = 0.005


class MemoryStore:
    """Keeps sessions in a dict; they end with the process.

    It may be shared by tasks, by threads and by event loops. Records stay until they are deleted, which `logout` and
    the end of a session do.
    """

    def __init__(self) -> None:
        self._records: dict[str, SessionRecord] = {}
        self._forget_locks()

    async def get(self, key: str) -> SessionRecord | None:
        """The record, or None."""
        return self._records.get(key)

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Writes the record if the stored one has this generation (None: if there is none); tells whether it did."""
        present = self._records.get(key)
        if (None if present is None else present.generation) != expected:
            return False
        self._records[key] = record
        return True

    async def delete(self, key: str) -> None:
        """Removes the record, if there is one."""
        self._records.pop(key, None)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Held by one at a time, among all tasks of all event loops."""
        lock = self._lock_for(key)
        async with lock.among_tasks.get():
            # Only another event loop's thread can hold it now, which is rare: asking again is enough.
            while not lock.among_loops.acquire(blocking=False):  # noqa: ASYNC110 - an Event does not cross loops
                await anyio.sleep(_POLL_SECONDS)
            try:
                yield
            finally:
                lock.among_loops.release()

    def _lock_for(self, key: str) -> _Lock:
        if self._pid != os.getpid():
            # Whoever held a lock when the process forked is not here to release it.
            self._forget_locks()
        with self._guard:
            lock = self._locks.get(key)
            if lock is None:
                lock = self._locks[key] = _Lock()
            return lock

    def _forget_locks(self) -> None:
        self._pid = os.getpid()
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()


class _Lock:
    __slots__ = ("__weakref__", "among_loops", "among_tasks")

    def __init__(self) -> None:
        self.among_tasks = PerLoop(anyio.Lock)
        self.among_loops = threading.Lock()
