"""File locks across the processes of one machine; the system releases them when a process dies."""

from __future__ import annotations

import os
import platform
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock


def file_lock(path: Path) -> BaseFileLock:
    """Create a lock on this file, which any thread may acquire and release; a forked child does not inherit it."""
    from filelock import FileLock

    # Without flock, the existence of a file would be the lock, which outlives a dead process: an error is better.
    return FileLock(path, mode=0o600, thread_local=False, is_singleton=False, fallback_to_soft=False)


class ProcessLock:
    """A file lock to acquire once. Its methods block briefly, and any thread may call them.

    Args:
        path: the lock's file, which exists only while a process holds the lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._lock: BaseFileLock | None = None
        self._is_over = False

    def take(self) -> bool:
        """Try to acquire the lock without waiting; return True on success."""
        from filelock import Timeout

        # An abandoned attempt, whose event loop has ended, must not acquire the lock.
        with self._guard:
            if self._is_over:
                return False
            lock = file_lock(self._path)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                return False
            self._lock = lock
            self._sign()
            return True

    def release(self) -> None:
        """Release the lock if it is held; it cannot be acquired again."""
        with self._guard:
            self._is_over = True
            lock, self._lock = self._lock, None
            if lock is None or not lock.is_locked:
                return
            # A process that waits for the removed file notices that and creates the next. Windows does not remove open
            # files: there the first unlink fails, or both, which does no harm.
            with suppress(OSError):
                self._path.unlink()
            lock.release()
            if os.name == "nt":
                with suppress(OSError):
                    self._path.unlink()

    def holder(self) -> str:
        """Describe the process that holds the lock, as far as known."""
        try:
            pid, host, since = self._path.read_text(encoding="utf-8").split("\n")[:3]
        except (OSError, ValueError):
            return "another process"
        return f"process {pid} on {host} since {since}"

    def _sign(self) -> None:
        # Windows does not allow writing to a locked file.
        with suppress(OSError), self._path.open("w", encoding="utf-8") as file:
            since = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
            file.write(f"{os.getpid()}\n{platform.node()}\n{since}\n")
