"""Locks among processes of one machine, by files; an end of the process, however sudden, releases them."""

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
    """A lock by this file, whichever threads take and release it. A forked child does not have its parent's."""
    from filelock import FileLock

    # Where there is no flock, existing files would be the lock, which outlive whoever made them: an error is better.
    return FileLock(path, mode=0o600, thread_local=False, is_singleton=False, fallback_to_soft=False)


class ProcessLock:
    """A lock that is taken once; its methods block for a moment, and may be called by different threads.

    Args:
        path: the lock's file, which is there only as long as somebody has the lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._lock: BaseFileLock | None = None
        self._is_over = False

    def take(self) -> bool:
        """Whether it has the lock; it does not wait for it."""
        from filelock import Timeout

        # An attempt that nobody waits for any longer, since its event loop has ended, must not take the lock.
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
        """Releases the lock if it was taken; it cannot be taken any more."""
        with self._guard:
            self._is_over = True
            lock, self._lock = self._lock, None
            if lock is None or not lock.is_locked:
                return
            # Whoever waits for the file that is removed here notices that it is no more, and makes the next. Windows
            # removes none that somebody has open: there the first attempt fails, or both, and nothing is lost.
            with suppress(OSError):
                self._path.unlink()
            lock.release()
            if os.name == "nt":
                with suppress(OSError):
                    self._path.unlink()

    def holder(self) -> str:
        """Who has it, as far as that can be told."""
        try:
            pid, host, since = self._path.read_text(encoding="utf-8").split("\n")[:3]
        except (OSError, ValueError):
            return "another process"
        return f"process {pid} on {host} since {since}"

    def _sign(self) -> None:
        # Windows lets nobody write where a lock is.
        with suppress(OSError), self._path.open("w", encoding="utf-8") as file:
            since = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
            file.write(f"{os.getpid()}\n{platform.node()}\n{since}\n")
