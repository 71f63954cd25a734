"""A token store in a directory of this machine, sealed with a secret in the system's keyring."""

from __future__ import annotations

import concurrent.futures
import logging
import math
import secrets
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from os import PathLike
from pathlib import Path
from typing import Final, TypeVar

from .._arguments.numbers import require_bool, require_seconds
from .._arguments.text import require_str
from .._core.files import write_private
from .._core.worker_threads import Threads
from ..errors import StoreError, StoreUnusableError
from ._files import prepare_directory, read_private, store_error
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

    The keyring holds only the secret, since that of Windows limits entries to 2560 bytes. The first process creates the
    secret. Records in clear are read, and sealed on their next write. If the keyring is missing or has another secret,
    a sealed record raises a StoreUnusableError and stays.

    Args:
        service: the name of the secret's entry in the keyring.
        directory: as in FileStore. Its file `keyring` has the entry's user name.
        fallback: without a usable keyring, keep the records in clear, as FileStore does, and log a warning. If False,
            raise a StoreUnusableError with the remedy.
        keyring_timeout: seconds after which a keyring that does not answer counts as unusable; it may be asking the
            user for a password meanwhile.
        lock_timeout: as in FileStore.

    Raises:
        ConfigurationError: an argument is invalid, or there is no home directory.
    """

    def __init__(
        self,
        service: str = "genauth",
        directory: str | PathLike[str] | None = None,
        *,
        fallback: bool = False,
        keyring_timeout: float = 30.0,
        lock_timeout: float = 60.0,
    ) -> None:
        require_seconds(
            "keyring_timeout",
            keyring_timeout,
            least=math.ulp(0.0),
            most=threading.TIMEOUT_MAX,
            words="above 0, and less than a century",
        )
        self._service = require_str("service", service)
        self._directory = session_directory(directory)
        self._fallback = require_bool("fallback", fallback)
        self._keyring_timeout = keyring_timeout
        self._lock_timeout = lock_timeout
        self._in_clear = FileStore(self._directory, lock_timeout=lock_timeout)
        self._locks = LocalLocks(lock_timeout)
        self._threads = Threads(_THREADS)
        self._opened: FileStore | None = None

    def __repr__(self) -> str:
        return f"<KeyringStore {self._service!r}, {str(self._directory)!r}>"

    @property
    def directory(self) -> Path:
        """Return the directory of the sessions."""
        return self._directory

    @property
    def is_in_clear(self) -> bool:
        """Return True if no usable keyring was found, so that records are written in clear."""
        return self._opened is self._in_clear

    async def get(self, key: str) -> SessionRecord | None:
        """Return the record, or None."""
        return await self._with_files(lambda files: files.get(key))

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Write the record if the stored one has this generation (None: if there is none); return True if written."""
        return await self._with_files(lambda files: files.compare_and_set(key, record, expected=expected))

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Remove the record if it has this generation (None: any, also one that cannot be opened).

        Returns:
            True if there is no record now.
        """
        if expected is None:
            return await self._in_clear.delete(key)
        return await self._with_files(lambda files: files.delete(key, expected=expected))

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Hold the key's lock, exclusively across all processes of this machine; the end of a process releases it."""
        async with self._in_clear.lock(key):
            yield

    async def _with_files(self, work: Callable[[FileStore], Awaitable[_T]]) -> _T:
        files = await self._files()
        try:
            return await work(files)
        except StoreError:
            if files is not self._in_clear:
                raise
            # Another process, which could use the keyring, may have sealed the record: ask the keyring again.
            if self._opened is files:
                self._opened = None
        return await work(await self._files())

    async def _files(self) -> FileStore:
        if self._opened is None:
            async with self._locks.hold("keyring"):
                if self._opened is None:
                    # A keyring may wait for the user for a long time; a cancelled caller need not.
                    self._opened = await self._threads.run(self._open, abandoned=True)
        return self._opened

    def _open(self) -> FileStore:
        try:
            return FileStore(
                self._directory, secrets=self._usable_secret(), accepts_clear=True, lock_timeout=self._lock_timeout
            )
        except _UnusableError as error:
            if not self._fallback:
                raise StoreUnusableError(
                    f"There is no usable keyring: {error}. Unlock or install one (`keyring diagnose` shows which is "
                    "used), use a FileStore with secrets of your own, or pass fallback=True to keep sessions in clear"
                ) from error.__cause__
            _log.warning(
                "There is no usable keyring (%s): sessions in %s are in clear, in files of this user only",
                error,
                self._directory,
            )
            return self._in_clear

    def _usable_secret(self) -> str:
        """Return the secret, read in a daemon thread that does not delay the end of the process."""
        answer: concurrent.futures.Future[str] = concurrent.futures.Future()

        def ask() -> None:
            try:
                answer.set_result(self._secret())
            except Exception as error:  # noqa: BLE001 - backends raise anything
                # Drop its frames, which hold the secret.
                answer.set_exception(error.with_traceback(None))

        threading.Thread(target=ask, name="genauth: keyring", daemon=True).start()
        try:
            return answer.result(self._keyring_timeout)
        except (StoreError, _UnusableError):
            raise
        except (concurrent.futures.TimeoutError, TimeoutError) as error:
            raise _UnusableError(f"it did not answer for {self._keyring_timeout:g} s") from error
        except Exception as error:
            # The backend's message might quote the secret.
            raise _UnusableError(f"{type(error).__name__}") from error

    def _secret(self) -> str:
        with ExitStack() as stack:
            try:
                prepare_directory(self._directory)
                # Two processes at once must not create two secrets.
                stack.enter_context(file_lock(self._directory / "keyring.lock").acquire(timeout=self._keyring_timeout))
                name = self._user_name()
            except TimeoutError:
                raise
            except OSError as error:
                raise store_error(self._directory, error) from error
            secret = keyring.get_password(self._service, name)
            if secret is None:
                secret = secrets.token_urlsafe(32)
                keyring.set_password(self._service, name, secret)
                if keyring.get_password(self._service, name) != secret:
                    raise _UnusableError("it does not keep the entry that it was given")
            if len(secret) < _SHORTEST_SECRET:
                raise _UnusableError(f"its entry {self._service!r}, {name!r} is not the one that was stored")
            return secret

    def _user_name(self) -> str:
        """Return the entry's user name, which moves with the directory and is unique to it."""
        path = self._directory / "keyring"
        name = read_private(path)
        if not name:
            name = f"sessions {secrets.token_hex(8)}".encode()
            write_private(path, name)
        return name.decode()


class _UnusableError(Exception):
    """The keyring cannot be used; the message is the reason."""
