"""A token store in this process's memory."""

from __future__ import annotations

import math
import os
import time
from contextlib import AbstractAsyncContextManager
from typing import Final

from .._arguments.numbers import require_seconds
from ..errors import StoreUnusableError
from ._local_locks import LocalLocks
from ._protocol import SessionRecord

_FIRST_SWEEP: Final = 1024


class MemoryStore:
    """Keeps sessions in a dict; they end with the process.

    Tasks, threads and event loops may share it. Records stay until `logout` or the end of their session deletes them,
    or until their `expires_at`.

    A forked child has copies of its parent's sessions, and may read and delete them. To refresh one raises a
    StoreUnusableError: the refresh token would be used by two processes.

    Args:
        lock_timeout: seconds after which waiting for a lock ends with a StoreError.

    Raises:
        ConfigurationError: `lock_timeout` is invalid.
    """

    __slots__ = ("__weakref__", "_index", "_inherited", "_locks", "_pid", "_records", "_sweep_at")

    def __init__(self, *, lock_timeout: float = 60.0) -> None:
        require_seconds("lock_timeout", lock_timeout, least=math.ulp(0.0), most=math.inf, words="above 0")
        self._records: dict[str, SessionRecord] = {}
        # Made when it is needed: most stores in memory are of one session, and small.
        self._index: dict[str, dict[str, float]] | None = None
        self._inherited: set[str] | None = None
        self._locks = LocalLocks(lock_timeout)
        self._pid = os.getpid()
        self._sweep_at = _FIRST_SWEEP

    async def get(self, key: str) -> SessionRecord | None:
        """Return the record, or None."""
        return self._records.get(key)

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Write the record if the stored one has this generation (None: if there is none); return True if written.

        Raises:
            StoreUnusableError: it is an attempt to refresh a session of this process's parent.
        """
        present = self._records.get(key)
        if (None if present is None else present.generation) != expected:
            return False
        self._check_not_inherited(key, record)
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

    async def add_session(self, user: str, key: str, *, now: float, until: float) -> None:
        """Add a session to the user's, or set its `until`."""
        if self._index is None:
            self._index = {}
        self._index[user] = self._live(user, now) | {key: until}
        if len(self._index) >= self._sweep_at:
            self._sweep(now)

    async def touch_session(self, user: str, key: str, *, now: float, until: float) -> bool:
        """Set the `until` of a session; return False, and do nothing, if it is not there or its `until` has passed."""
        if key not in self._live(user, now):
            return False
        await self.add_session(user, key, now=now, until=until)
        return True

    async def remove_session(self, user: str, key: str) -> None:
        """Remove a session from the user's, if it is there."""
        sessions = (self._index or {}).get(user, {})
        sessions.pop(key, None)
        if self._index is not None and not sessions:
            self._index.pop(user, None)

    async def sessions_of(self, user: str, *, now: float) -> list[str]:
        """Return the keys of the user's sessions whose `until` has not passed."""
        return list(self._live(user, now))

    def _live(self, user: str, now: float) -> dict[str, float]:
        sessions = (self._index or {}).get(user, {})
        return {key: until for key, until in sessions.copy().items() if until >= now}

    def _check_not_inherited(self, key: str, record: SessionRecord) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._inherited = set(self._records)
        if not self._inherited or key not in self._inherited:
            return
        if record.attempt is None or key not in self._records:
            self._inherited.discard(key)
        elif record.attempt.seconds > 0:
            raise StoreUnusableError(
                "This session was made before a fork and is in memory, so the parent process may use its refresh "
                "token, too; share sessions between processes in a FileStore or a RedisStore, or sign in after the fork"
            )

    def _sweep(self, now: float) -> None:
        """Drop expired records; the next sweep is due at twice the remaining number, so its amortised cost is small."""
        for key, record in list(self._records.items()):
            if record.expires_at is not None and record.expires_at < now:
                self._records.pop(key, None)
        for user in list(self._index or ()):
            if self._index is not None and not self._live(user, now):
                self._index.pop(user, None)
        self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._records), 2 * len(self._index or ()))
