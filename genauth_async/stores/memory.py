"""A store in this process's memory."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager
from typing import Final

from ._local_locks import LocalLocks
from ._protocol import SessionRecord

_FIRST_SWEEP: Final = 1024


class MemoryStore:
    """Keeps sessions in a dict; they end with the process.

    It may be shared by tasks, by threads and by event loops. Records stay until they are deleted, which `logout` and
    the end of a session do, or until they expire, if they say when.
    """

    def __init__(self) -> None:
        self._records: dict[str, SessionRecord] = {}
        self._locks = LocalLocks()
        self._sweep_at = _FIRST_SWEEP

    async def get(self, key: str) -> SessionRecord | None:
        """The record, or None."""
        return self._records.get(key)

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Writes the record if the stored one has this generation (None: if there is none); tells whether it did."""
        present = self._records.get(key)
        if (None if present is None else present.generation) != expected:
            return False
        self._records[key] = record
        if len(self._records) >= self._sweep_at:
            self._sweep(time.time())
        return True

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Removes the record if it has this generation (None: any); tells whether there is none now."""
        present = self._records.get(key)
        if present is not None and expected is not None and present.generation != expected:
            return False
        self._records.pop(key, None)
        return True

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Held by one at a time, among all tasks of all event loops."""
        return self._locks.hold(key)

    def _sweep(self, now: float) -> None:
        """Drops what has expired; again when twice as many are there as remain, so that it costs next to nothing."""
        for key, record in list(self._records.items()):
            if record.expires_at is not None and record.expires_at < now:
                del self._records[key]
        self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._records))
