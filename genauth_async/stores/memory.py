"""A token store in this process's memory."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager
from typing import Final

from ._local_locks import LocalLocks
from ._protocol import SessionRecord

_FIRST_SWEEP: Final = 1024


class MemoryStore:
    """Keeps sessions in a dict; they end with the process.

    Tasks, threads and event loops may share it. Records stay until `logout` or the end of their session deletes them,
    or until their `expires_at`.
    """

    def __init__(self) -> None:
        self._records: dict[str, SessionRecord] = {}
        self._locks = LocalLocks()
        self._sweep_at = _FIRST_SWEEP

    async def get(self, key: str) -> SessionRecord | None:
        """Return the record, or None."""
        return self._records.get(key)

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Write the record if the stored one has this generation (None: if there is none); return True if written."""
        present = self._records.get(key)
        if (None if present is None else present.generation) != expected:
            return False
        self._records[key] = record
        if len(self._records) >= self._sweep_at:
            self._sweep(time.time())
        return True

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Remove the record if it has this generation (None: any); return True if there is none now."""
        present = self._records.get(key)
        if present is not None and expected is not None and present.generation != expected:
            return False
        self._records.pop(key, None)
        return True

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the key's lock, exclusively across all tasks of all event loops."""
        return self._locks.hold(key)

    def _sweep(self, now: float) -> None:
        """Drop expired records; the next sweep is due at twice the remaining number, so its amortised cost is small."""
        for key, record in list(self._records.items()):
            if record.expires_at is not None and record.expires_at < now:
                del self._records[key]
        self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._records))
