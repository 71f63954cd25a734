"""A token store in a directory of this machine."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from os import PathLike
from pathlib import Path
from typing import Final, TypeVar

import anyio

from .._arguments.numbers import require_seconds
from .._core.files import write_private
from .._core.shielding import run_shielded
from .._core.worker_threads import Threads
from ..errors import ConfigurationError, StoreError, StoreLockedError
from ._codec import RecordCodec
from ._files import prepare_directory, read_private, remove, set_aside, store_error
from ._given import kind_of
from ._local_locks import LocalLocks
from ._process_locks import ProcessLock, file_lock
from ._protocol import SessionRecord
from ._sweep import LOCK, RECORD, Stored, sweep

_T = TypeVar("_T")

_log: Final = logging.getLogger(__name__)

_THREADS: Final = 16


class FileStore:
    """Keeps sessions in files of one directory, for all processes of this machine and for the next run.

    Each record is a file, named by a digest of its key and replaced atomically: a killed process or a power failure
    leaves no partial record. A file that is not a record is renamed (`.corrupt-...`) and counts as absent. Records are
    removed after their `expires_at`.

    Tasks, threads and event loops may share the store, also after a fork.

    A directory, file or filesystem that has to be changed before the store can be used raises a StoreUnusableError with
    the remedy; a full disk, or a file that is busy, a StoreError.

    Args:
        directory: a directory of this user only (mode 0700, files 0600); a more open one is refused. It is created on
            first use; None means the system's directory for application state.
        secrets: random texts of at least 32 characters that seal the records; the first seals, all open. Records are in
            clear when None.
        accepts_clear: read records in clear, too, although there are secrets, as during a migration.
        lock_timeout: seconds to wait for a lock. The store never takes a lock from a living process.

    Raises:
        ConfigurationError: an argument is invalid, or there is no home directory.
    """

    def __init__(
        self,
        directory: str | PathLike[str] | None = None,
        *,
        secrets: str | Sequence[str] | None = None,
        accepts_clear: bool = False,
        lock_timeout: float = 60.0,
    ) -> None:
        require_seconds("lock_timeout", lock_timeout, least=math.ulp(0.0), most=math.inf, words="above 0")
        self._directory = session_directory(directory)
        self._codec = RecordCodec(secrets, accepts_clear=accepts_clear)
        self._lock_timeout = lock_timeout
        self._locks = LocalLocks(lock_timeout)
        self._threads = Threads(_THREADS, or_here=True)

    def __repr__(self) -> str:
        return f"<FileStore {str(self._directory)!r}>"

    @property
    def directory(self) -> Path:
        """Return the directory of the sessions."""
        return self._directory

    async def get(self, key: str) -> SessionRecord | None:
        """Return the record, or None."""
        return await self._when_not_busy(lambda: self._get(key))

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Write the record if the stored one has this generation (None: if there is none); return True if written."""
        return await self._when_not_busy(lambda: self._compare_and_set(key, record, expected))

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Remove the record if it has this generation (None: any, also one that cannot be opened).

        Returns:
            True if there is no record now.
        """
        return await self._when_not_busy(lambda: self._delete(key, expected))

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the key's lock, exclusively across all processes of this machine; the end of a process releases it."""
        lock = ProcessLock(self._path(key).with_suffix(LOCK))
        async with AsyncExitStack() as stack:
            is_taken = False
            with anyio.move_on_after(self._lock_timeout):
                # One task per process asks for the file.
                await stack.enter_async_context(self._locks.hold(key))
                stack.push_async_callback(self._in_thread, lock.release)
                for pause in _pauses():
                    if is_taken := await self._in_thread(lambda: self._take(lock)):
                        break
                    await anyio.sleep(pause)
            if not is_taken:
                raise StoreLockedError(
                    f"Could not acquire the session lock within {self._lock_timeout:g} s: "
                    f"{await self._in_thread(lock.holder)} holds it and may be suspended"
                )
            yield

    async def add_session(self, user: str, key: str, *, now: float, until: float) -> None:
        """Add a session to the user's, or set its `until`."""
        await self._change_sessions(user, now, lambda sessions: sessions | {key: until})

    async def touch_session(self, user: str, key: str, *, now: float, until: float) -> bool:
        """Set the `until` of a session; return False, and do nothing, if it is not there or its `until` has passed."""
        return key in await self._change_sessions(
            user, now, lambda sessions: sessions | {key: until} if key in sessions else sessions
        )

    async def remove_session(self, user: str, key: str) -> None:
        """Remove a session from the user's, if it is there."""
        await self._change_sessions(user, -math.inf, lambda sessions: {k: sessions[k] for k in sessions if k != key})

    async def sessions_of(self, user: str, *, now: float) -> list[str]:
        """Return the keys of the user's sessions whose `until` has not passed."""
        return list(await self._change_sessions(user, now, lambda sessions: sessions))

    async def _change_sessions(
        self, user: str, now: float, change: Callable[[dict[str, float]], dict[str, float]]
    ) -> dict[str, float]:
        """Change the live sessions of a user, and return them."""
        # A file like those of records, so that it is removed like them.
        path = self._path(f"sessions of {user}")

        def apply() -> dict[str, float]:
            prepare_directory(self._directory)
            with self._writing(path):
                present = _sessions(read_private(path))
                changed = change({key: until for key, until in present.items() if until >= now})
                if not changed:
                    remove(path)
                elif changed != present:
                    write_private(path, Stored(json.dumps(changed), max(changed.values())).to_bytes())
            return changed

        return await self._when_not_busy(apply)

    def _get(self, key: str) -> SessionRecord | None:
        prepare_directory(self._directory)
        path = self._path(key)
        try:
            return self._read(key, path)
        except ValueError:
            # Another process may have replaced it meanwhile.
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
        """Read the record under the write lock; rename a file that is not a record."""
        try:
            return self._read(key, path)
        except ValueError:
            aside = set_aside(path, time.strftime(".corrupt-%Y%m%dT%H%M%SZ", time.gmtime()))
            _log.warning("A session's record could not be read; its file was renamed to %s", aside)
            return None

    @contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        """Hold the write lock of this record, shared with some others."""
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
            f"The session store in {self._directory} was busy for {self._lock_timeout:g} s: a writing process may be "
            "suspended"
        )

    async def _in_thread(self, action: Callable[[], _T]) -> _T:
        try:
            return await run_shielded(lambda: self._threads.run(action))
        except OSError as error:
            raise store_error(self._directory, error) from error

    def _path(self, key: str) -> Path:
        return self._directory / (hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest() + RECORD)


def _sessions(content: bytes | None) -> dict[str, float]:
    try:
        read = {} if content is None else json.loads(Stored.from_bytes(content).record)
    except (ValueError, RecursionError):
        read = {}  # not complete: a power failure, on some filesystems
    return {key: until for key, until in read.items() if type(until) in {int, float}} if isinstance(read, dict) else {}


class _BusyError(Exception):
    """Another process is writing."""


def session_directory(given: str | PathLike[str] | None) -> Path:
    """Return the directory as an absolute path; None means the system's directory for application state.

    Raises:
        ConfigurationError: it cannot be a path, or there is no home directory.
    """
    if given is not None and not isinstance(given, (str, PathLike)):
        raise ConfigurationError("directory", f"must be a str or a Path, not {kind_of(given)}")
    if isinstance(given, str) and "://" in given:
        raise ConfigurationError("directory", "must be a path, not a URL; RedisStore takes the URL of a Redis server")
    try:
        path = _state_directory() if given is None else Path(given).expanduser().absolute()
    except RuntimeError:  # raised by pathlib and platformdirs
        problem = "must be an absolute path where there is no home directory; pass one, or set HOME"
        raise ConfigurationError("directory", problem) from None
    except OSError:
        problem = "must be an absolute path where there is no working directory"
        raise ConfigurationError("directory", problem) from None
    except TypeError:
        problem = "must be a path of text, not of bytes"
        raise ConfigurationError("directory", problem) from None
    try:
        is_path = b"\0" not in os.fsencode(path)
    except UnicodeError:
        is_path = False
    if not is_path:
        raise ConfigurationError("directory", "must be a path, without null characters and lone surrogates")
    return path


def _state_directory() -> Path:
    import platformdirs

    return platformdirs.user_state_path("genauth", appauthor=False)


def _pauses() -> Iterable[float]:
    return itertools.chain((0.001, 0.002, 0.005, 0.01, 0.02), itertools.repeat(0.05))
