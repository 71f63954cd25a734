"""A store in a directory of this machine, sealed with a secret that the system's keyring keeps."""

from __future__ import annotations

import concurrent.futures
import logging
import secrets
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from os import PathLike
from pathlib import Path
from typing import Final, TypeVar

from .._core.worker_threads import Threads
from ..errors import ConfigurationError, StoreError
from ._files import prepare_directory, read_private, write_private
from ._local_locks import LocalLocks
from ._process_locks import file_lock
from ._protocol import SessionRecord
from .file import FileStore, session_directory

try:
    import keyring
except ImportError as missing:
    raise ImportError("KeyringStore needs the extra keyring: pip install 'genauth-async[keyring]'") from missing

_T = TypeVar("_T")

_log: Final = logging.getLogger(__name__)

_SHORTEST_SECRET: Final = 32
_THREADS: Final = 8


class KeyringStore:
    """A FileStore whose records are sealed with a random secret in the system's keyring.

    The records themselves are not in the keyring, since Windows' takes 2560 bytes at most. The first process to come
    makes the secret. Records in clear are read, and sealed with their next write. A record that cannot be opened, since
    the keyring is away or has another secret, gives a StoreError, and stays.

    Args:
        service: what the secret's entry in the keyring is called.
        directory: as in FileStore. Its file `keyring` has the entry's user name.
        fallback: without a usable keyring, keep the records in clear, as FileStore does, and log a warning. If False, a
            StoreError says what to do.
        keyring_timeout: seconds until a keyring that does not answer is not usable; it may be asking the user for a
            password meanwhile.
        lock_timeout: as in FileStore.

    Raises:
        ConfigurationError: a timeout is not above 0.
    """

    def __init__(
        self,
        service: str = "genauth",
        directory: str | PathLike[str] | None = None,
        *,
        fallback: bool = True,
        keyring_timeout: float = 30.0,
        lock_timeout: float = 60.0,
    ) -> None:
        if not keyring_timeout > 0:
            raise ConfigurationError("keyring_timeout", f"is in seconds, above 0: {keyring_timeout!r}")
        self._service = service
        self._directory = session_directory(directory)
        self._fallback = fallback
        self._keyring_timeout = keyring_timeout
        self._lock_timeout = lock_timeout
        self._in_clear = FileStore(self._directory, lock_timeout=lock_timeout)
        self._locks = LocalLocks()
        self._threads = Threads(_THREADS)
        self._opened: FileStore | None = None

    def __repr__(self) -> str:
        return f"<KeyringStore {self._service!r}, {str(self._directory)!r}>"

    @property
    def directory(self) -> Path:
        """Where the sessions are."""
        return self._directory

    async def get(self, key: str) -> SessionRecord | None:
        """The record, or None."""
        return await self._with_files(lambda files: files.get(key))

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Writes the record if the stored one has this generation (None: if there is none); tells whether it did."""
        return await self._with_files(lambda files: files.compare_and_set(key, record, expected=expected))

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Removes the record if it has this generation (None: any, also one that cannot be opened).

        Returns:
            Whether there is none now.
        """
        if expected is None:
            return await self._in_clear.delete(key)
        return await self._with_files(lambda files: files.delete(key, expected=expected))

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Held by one at a time among all processes of this machine; the end of a process releases it."""
        async with self._in_clear.lock(key):
            yield

    async def _with_files(self, work: Callable[[FileStore], Awaitable[_T]]) -> _T:
        files = await self._files()
        try:
            return await work(files)
        except StoreError:
            if files is not self._in_clear:
                raise
            # It may be sealed, by somebody who had the keyring, which this process had not when it looked.
            if self._opened is files:
                self._opened = None
        return await work(await self._files())

    async def _files(self) -> FileStore:
        if self._opened is None:
            async with self._locks.hold("keyring"):
                if self._opened is None:
                    # A keyring may wait for the user for a long time; whoever is cancelled need not.
                    self._opened = await self._threads.run(self._open, abandoned=True)
        return self._opened

    def _open(self) -> FileStore:
        try:
            return FileStore(
                self._directory, secrets=self._usable_secret(), accepts_clear=True, lock_timeout=self._lock_timeout
            )
        except _UnusableError as error:
            if not self._fallback:
                raise StoreError(
                    f"There is no usable keyring: {error}. Unlock or install one (`keyring diagnose` shows which is "
                    "used), or give a FileStore secrets of your own"
                ) from error.__cause__
            _log.warning(
                "There is no usable keyring (%s): sessions in %s are kept in clear, in files of this user only",
                error,
                self._directory,
            )
            return self._in_clear

    def _usable_secret(self) -> str:
        """The secret; asked for in a thread that the end of the process does not wait for."""
        answer: concurrent.futures.Future[str] = concurrent.futures.Future()

        def ask() -> None:
            try:
                answer.set_result(self._secret())
            except Exception as error:  # noqa: BLE001 - backends raise anything
                # Without its frames, which have the secret.
                answer.set_exception(error.with_traceback(None))

        threading.Thread(target=ask, name="genauth: keyring", daemon=True).start()
        try:
            return answer.result(self._keyring_timeout)
        except (StoreError, _UnusableError):
            raise
        except (concurrent.futures.TimeoutError, TimeoutError) as error:
            raise _UnusableError(f"it did not answer for {self._keyring_timeout:g} s") from error
        except Exception as error:
            # What it says is the backend's, and might quote what it was given.
            raise _UnusableError(f"{type(error).__name__}") from error

    def _secret(self) -> str:
        prepare_directory(self._directory)
        # Two processes that come at once must not make two secrets.
        with file_lock(self._directory / "keyring.lock").acquire(timeout=self._keyring_timeout):
            name = self._user_name()
            secret = keyring.get_password(self._service, name)
            if secret is None:
                secret = secrets.token_urlsafe(32)
                keyring.set_password(self._service, name, secret)
                if keyring.get_password(self._service, name) != secret:
                    raise _UnusableError("it does not keep what it is given")
            if len(secret) < _SHORTEST_SECRET:
                raise _UnusableError(f"its entry {self._service!r}, {name!r} is not what was put there")
            return secret

    def _user_name(self) -> str:
        """What the entry is called: a name that moves with the directory, and is no other directory's."""
        path = self._directory / "keyring"
        name = read_private(path)
        if not name:
            name = f"sessions {secrets.token_hex(8)}".encode()
            write_private(path, name)
        return name.decode()


class _UnusableError(Exception):
    """The keyring cannot be used; says why."""
