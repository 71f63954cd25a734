"""A store in a directory of this machine."""

from __future__ import annotations

import hashlib
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from os import PathLike
from pathlib import Path
from typing import Final, TypeVar

import anyio

from .._core.shielding import finish
from .._core.worker_threads import Threads
from ..errors import ConfigurationError, StoreError
from ._codec import RecordCodec
from ._files import prepare_directory, read_private, remove, set_aside, write_private
from ._local_locks import LocalLocks
from ._process_locks import ProcessLock, file_lock
from ._protocol import SessionRecord
from ._sweep import LOCK, RECORD, Stored, sweep

_T = TypeVar("_T")

_log: Final = logging.getLogger(__name__)

_THREADS: Final = 16


class FileStore:
    """Keeps sessions in files of one directory, for all processes of this machine and for the next run.

    A record is a file of its own, named by a digest of its key. It is replaced as a whole, so that neither the end of
    a process nor of the machine leaves half of one. What is not a record is set aside (`.corrupt-...`), and counts as
    absent. Records that say when they expire are removed after that.

    The store may be shared by tasks, threads and event loops, and used after a fork.

    Args:
        directory: of this user only (mode 0700), as are the files (0600); anything more open is refused. It is made
            when first needed, in the place that the system has for such things when None.
        secrets: seal the records with these random texts of 32 characters at least: the first seals, all open.
        accepts_clear: whether records in clear are read although there are secrets, while a store changes over.
        lock_timeout: for how many seconds a lock is waited for. One that a living process holds is not taken from it.

    Raises:
        ConfigurationError: a secret is too short, or the timeout not above 0.
    """

    def __init__(
        self,
        directory: str | PathLike[str] | None = None,
        *,
        secrets: str | Sequence[str] | None = None,
        accepts_clear: bool = False,
        lock_timeout: float = 60.0,
    ) -> None:
        if not lock_timeout > 0:
            raise ConfigurationError("lock_timeout", f"is in seconds, above 0: {lock_timeout!r}")
        self._directory = session_directory(directory)
        self._codec = RecordCodec(secrets, accepts_clear=accepts_clear)
        self._lock_timeout = lock_timeout
        self._locks = LocalLocks()
        self._threads = Threads(_THREADS)

    def __repr__(self) -> str:
        return f"<FileStore {str(self._directory)!r}>"

    @property
    def directory(self) -> Path:
        """Where the sessions are."""
        return self._directory

    async def get(self, key: str) -> SessionRecord | None:
        """The record, or None."""
        return await self._when_not_busy(lambda: self._get(key))

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Writes the record if the stored one has this generation (None: if there is none); tells whether it did."""
        return await self._when_not_busy(lambda: self._compare_and_set(key, record, expected))

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Removes the record if it has this generation (None: any, also one that cannot be opened).

        Returns:
            Whether there is none now.
        """
        return await self._when_not_busy(lambda: self._delete(key, expected))

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Held by one at a time among all processes of this machine; the end of a process releases it."""
        lock = ProcessLock(self._path(key).with_suffix(LOCK))
        async with AsyncExitStack() as stack:
            is_taken = False
            with anyio.move_on_after(self._lock_timeout):
                # One task of this process at a time asks for the file.
                await stack.enter_async_context(self._locks.hold(key))
                stack.push_async_callback(self._in_thread, lock.release)
                for pause in _pauses():
                    if is_taken := await self._in_thread(lambda: self._take(lock)):
                        break
                    await anyio.sleep(pause)
            if not is_taken:
                raise StoreError(
                    f"The session's lock was not free for {self._lock_timeout:g} s: "
                    f"{await self._in_thread(lock.holder)} has it, and may be stopped"
                )
            yield

    def _get(self, key: str) -> SessionRecord | None:
        prepare_directory(self._directory)
        path = self._path(key)
        try:
            return self._read(key, path)
        except ValueError:
            # Somebody may have replaced it meanwhile.
            with self._writing(path):
                return self._present(key, path)

    def _compare_and_set(self, key: str, record: SessionRecord, expected: int | None) -> bool:
        prepare_directory(self._directory)
        path = self._path(key)
        with self._writing(path):
            present = self._present(key, path)
            if (None if present is None else present.generation) != expected:
                return False
            write_private(path, Stored(self._codec.encode(key, record), record.expires_at).to_bytes())
        if expected is None:
            sweep(self._directory, time.time(), self._writing)
        return True

    def _delete(self, key: str, expected: int | None) -> bool:
        prepare_directory(self._directory)
        path = self._path(key)
        with self._writing(path):
            if expected is not None:
                present = self._present(key, path)
                if present is not None and present.generation != expected:
                    return False
            remove(path)
        return True

    def _take(self, lock: ProcessLock) -> bool:
        prepare_directory(self._directory)
        return lock.take()

    def _read(self, key: str, path: Path) -> SessionRecord | None:
        content = read_private(path)
        return None if content is None else self._codec.decode(key, Stored.from_bytes(content).record)

    def _present(self, key: str, path: Path) -> SessionRecord | None:
        """The record, for whoever has the lock for writing."""
        try:
            return self._read(key, path)
        except ValueError:
            aside = set_aside(path, time.strftime(".corrupt-%Y%m%dT%H%M%SZ", time.gmtime()))
            _log.warning("A session's record could not be read, and was set aside as %s", aside)
            return None

    @contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        """Alone in changing this record and some others."""
        from filelock import Timeout

        lock = file_lock(self._directory / f"write-{path.name[0]}{LOCK}")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise _BusyError from None
        try:
            yield
        finally:
            lock.release()

    async def _when_not_busy(self, action: Callable[[], _T]) -> _T:
        with anyio.move_on_after(self._lock_timeout):
            for pause in _pauses():
                try:
                    return await self._in_thread(action)
                except _BusyError:
                    await anyio.sleep(pause)
        raise StoreError(
            f"The session store in {self._directory} was busy for {self._lock_timeout:g} s: a process that was writing "
            "may be stopped"
        )

    async def _in_thread(self, action: Callable[[], _T]) -> _T:
        try:
            return await finish(lambda: self._threads.run(action))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StoreError(f"The session store in {self._directory} failed: {reason}") from error

    def _path(self, key: str) -> Path:
        return self._directory / (hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest() + RECORD)


class _BusyError(Exception):
    """Somebody else is writing."""


def session_directory(given: str | PathLike[str] | None) -> Path:
    """The directory as an absolute path, the system's place for such things when None."""
    if given is not None:
        return Path(given).expanduser().absolute()
    import platformdirs

    return platformdirs.user_state_path("genauth", appauthor=False)


def _pauses() -> Iterable[float]:
    return itertools.chain((0.001, 0.002, 0.005, 0.01, 0.02), itertools.repeat(0.05))
