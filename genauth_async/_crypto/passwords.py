"""Passwords for the wire: unencrypted, or encrypted under the server's RSA or SM2 public key."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias, TypeVar, get_args

import anyio

from .. import models
from .._core.per_loop import PerLoop
from .._core.worker_threads import Threads
from ..errors import ConfigurationError, PasswordDecryptionError, PasswordEncryptionError
from . import rsa, sm2

_T = TypeVar("_T")

Encrypt: TypeAlias = Callable[[str], Awaitable[str]]
"""Encrypts a password."""


class PasswordEncryptor:
    """Encrypts passwords under the server's current keys, which are fetched once for all callers."""

    def __init__(self) -> None:
        self._keys: models.SystemInfoResp | None = None
        self._lock = PerLoop(anyio.Lock)
        self._worker = _EncryptionWorker()

    async def send_encrypted(
        self,
        encrypt_type: str | None,
        fetch_keys: Callable[[], Awaitable[models.SystemInfoResp]],
        send: Callable[[Encrypt], Awaitable[_T]],
    ) -> _T:
        """Send a request with passwords in it; send it once more under new keys if the server cannot decrypt.

        Args:
            encrypt_type: none, rsa or sm2; None is none.
            fetch_keys: asks the server for its keys.
            send: receives the function that encrypts a password, and sends.

        Raises:
            ConfigurationError: another encrypt_type.
            PasswordEncryptionError: the password is too long for the key, or the key is not a key.
            PasswordDecryptionError: the server could not decrypt the password, even under its newest keys.
        """
        if encrypt_type is None or encrypt_type == "none":
            return await send(_as_it_is)
        known: tuple[str, ...] = get_args(models.PasswordEncryptType)
        if encrypt_type not in known:
            # A misspelt name must not send the password in the clear.
            raise ConfigurationError(
                "password_encrypt_type", f"must be one of {', '.join(known)}, not {encrypt_type!r}"
            )
        keys = await self._current_keys(fetch_keys)
        try:
            return await send(_Encryptor(encrypt_type, keys, self._worker))
        except PasswordDecryptionError:
            newer = await self._current_keys(fetch_keys, other_than=keys)
            if newer == keys:
                raise
        return await send(_Encryptor(encrypt_type, newer, self._worker))

    async def _current_keys(
        self, fetch: Callable[[], Awaitable[models.SystemInfoResp]], other_than: models.SystemInfoResp | None = None
    ) -> models.SystemInfoResp:
        if self._keys is None or self._keys is other_than:
            async with self._lock.get():
                if self._keys is None or self._keys is other_than:
                    self._keys = await fetch()
        return self._keys


async def _as_it_is(password: str) -> str:
    _check_is_text(password)
    return password


def _check_is_text(password: str) -> None:
    if not isinstance(password, str):
        raise ConfigurationError("password", f"must be a str, not {type(password).__name__}")


class _EncryptionWorker:
    """Runs encryption: slow work in a thread, quick work on the event loop.

    SM2 holds the GIL, in C as in Python, so several threads are no faster than one. Encryption in C takes no longer
    than the way to a thread and back.
    """

    __slots__ = ("_imported", "_sm2_lock", "_thread")

    def __init__(self) -> None:
        self._imported: set[str] = set()  # encrypt types whose libraries are imported
        self._thread = Threads(1)
        self._sm2_lock = PerLoop(anyio.Lock)

    async def run(self, encryptor: _Encryptor, password: str) -> str | PasswordEncryptionError:
        if encryptor.encrypt_type in self._imported:
            if encryptor.encrypt_type == "rsa":
                return encryptor.encrypt(password)
            if sm2.is_quick(len(password.encode(errors="replace"))):
                async with self._sm2_lock.get():  # fair: the next holder waits for the loop's next iteration
                    return encryptor.encrypt(password)
        # A cancelled caller may abandon it, since it has no side effects.
        result = await self._thread.run(partial(encryptor.encrypt, password), abandoned=True)
        if isinstance(result, str):
            self._imported.add(encryptor.encrypt_type)
        return result


class _Encryptor:
    __slots__ = ("_keys", "_worker", "encrypt_type")

    def __init__(self, encrypt_type: str, keys: models.SystemInfoResp, worker: _EncryptionWorker) -> None:
        self.encrypt_type = encrypt_type
        self._keys = keys
        self._worker = worker

    async def __call__(self, password: str) -> str:
        _check_is_text(password)
        result = await self._worker.run(self, password)
        if isinstance(result, PasswordEncryptionError):
            raise result
        return result

    def encrypt(self, password: str) -> str | PasswordEncryptionError:
        """Return errors instead of raising them: a worker thread's frames hold the password."""
        try:
            if self.encrypt_type == "rsa":
                return b64encode(rsa.encrypt(password.encode(), self._keys.rsa.public_key)).decode()
            key = sm2.SM2PublicKey.parse(self._keys.sm2.public_key)
            return sm2.encrypt(password.encode(), key).hex()
        except PasswordEncryptionError as error:
            return error
        except UnicodeEncodeError:
            pass
        return PasswordEncryptionError("The password contains a lone surrogate")
