"""The server's key pairs: one signs tokens, two decrypt passwords. They are generated on first use."""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Generic, TypeVar

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from joserfc.jwk import KeySet, RSAKey

from genauth_async._crypto import sm2

_SIGNING_BITS = 2048
_PASSWORD_BITS = 1024  # as in the cloud: a password has at most 117 bytes
_SMALLEST_PADDING = 8
_MOBILE_FORM = "04C1C2C3"

_Key = TypeVar("_Key")


class EmulatorKeys:
    """A pool of key pairs for a test suite, made as they are needed and handed out in turn.

    A new RSA key takes some 50 ms: a thousand tests with an emulator each would spend a minute on keys. Give all of
    them one pool, `Emulator(keys=pool)`. Emulators made one after another have different keys, and each has key ids of
    its own; but when all keys of the pool are given out, the first comes again.

    Args:
        size: the number of key pairs of each kind: more than one test has emulators and rotates keys.
    """

    def __init__(self, size: int = 8) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        self.signing = _Ring(_new_signing_key, size)
        self.rsa = _Ring(_new_password_key, size)
        self.sm2 = _Ring(sm2.generate_key_pair, size)


class _Ring(Generic[_Key]):
    def __init__(self, generate: Callable[[], _Key], size: int) -> None:
        self._generate = generate
        self._size = size
        self._lock = Lock()
        self._keys: deque[_Key] = deque()

    def take(self) -> _Key:
        """Return the next key."""
        with self._lock:
            key = self._generate() if len(self._keys) < self._size else self._keys.popleft()
            self._keys.append(key)
            return key


def _new_signing_key() -> RSAPrivateKey:
    return generate_private_key(65537, _SIGNING_BITS)


def _new_password_key() -> RSAPrivateKey:
    return generate_private_key(65537, _PASSWORD_BITS)


class SigningKeys:
    """The RSA keys of RS256 tokens: the newest signs, and those still published verify."""

    def __init__(self, keys: EmulatorKeys | None = None) -> None:
        self._pool = keys
        self._lock = Lock()
        self._published: tuple[RSAKey, ...] = ()

    @property
    def current(self) -> RSAKey:
        """The signing key."""
        return self._keys()[0]

    def rotate(self, *, keep_previous: bool) -> None:
        """Replace the signing key; keep publishing the previous ones, or not."""
        key = self._new()
        with self._lock:
            self._published = (key, *self._published) if keep_previous else (key,)

    def records(self) -> list[dict[str, object]]:
        """Return the keys made so far as JSON Web Keys, private parts included, the newest first."""
        return [{**key.as_dict(private=True)} for key in self._published]

    def restore(self, records: Iterable[Mapping[str, object]]) -> None:
        """Replace the keys by the `records` of another emulator.

        Raises:
            ValueError: one is no private RSA key.
        """
        keys = tuple(RSAKey.import_key({name: str(value) for name, value in key.items()}) for key in records)
        if not all(key.is_private and key.kid for key in keys):
            raise ValueError("a signing key must be a private RSA key with a kid")
        with self._lock:
            self._published = keys

    def jwks(self) -> dict[str, object]:
        """Return the JSON Web Key Set, without private parts."""
        return {"keys": [key.as_dict(private=False) for key in self._keys()]}

    def key_set(self) -> KeySet:
        """Return the published keys for verification."""
        return KeySet(list(self._keys()))

    def _keys(self) -> tuple[RSAKey, ...]:
        with self._lock:
            if not self._published:
                self._published = (self._new(),)
            return self._published

    def _new(self) -> RSAKey:
        key = self._pool.signing.take() if self._pool else _new_signing_key()
        return RSAKey.import_key(key, {"kid": secrets.token_urlsafe(32), "use": "sig", "alg": "RS256"})


class PasswordKeys:
    """The key pairs that encrypt passwords. They are slow: use them in worker threads only."""

    def __init__(self, keys: EmulatorKeys | None = None) -> None:
        self._pool = keys
        self._lock = Lock()
        self._pairs: _Pairs | None = None

    def rotate(self) -> None:
        """Replace both pairs; ciphertexts for the old ones can no longer be decrypted."""
        pairs = self._new()
        with self._lock:
            self._pairs = pairs

    def records(self) -> dict[str, str]:
        """Return the private keys by encryption, in the forms that `restore` takes; nothing if there are none yet."""
        if self._pairs is None:
            return {}
        pem = self._pairs.rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        private, public = self._pairs.sm2
        return {"rsa": pem.decode(), "sm2": f"{private:064x}", "sm2_public": public.to_hex()}

    def restore(self, records: Mapping[str, str]) -> None:
        """Replace the pairs by the `records` of another emulator.

        Raises:
            ValueError: a key is invalid.
        """
        rsa = load_pem_private_key(records["rsa"].encode(), None)
        if not isinstance(rsa, RSAPrivateKey):
            raise ValueError("the password key rsa must be a private RSA key")  # noqa: TRY004 - the file is invalid
        pair = int(records["sm2"], 16), sm2.SM2PublicKey.parse(records["sm2_public"])
        with self._lock:
            self._pairs = _Pairs(rsa, pair)

    def public(self) -> dict[str, str]:
        """Return the public keys by encryption: rsa as PEM of the SubjectPublicKeyInfo, sm2 as the point in hex."""
        pairs = self._current()
        pem = pairs.rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {"rsa": pem.decode(), "sm2": f"04{pairs.sm2[1].to_hex()}"}

    def decrypt(self, encryption: str, ciphertext: str) -> str:
        """Decrypt a password of type rsa or sm2.

        SM2 ciphertexts are hex of any usual form. Of the vendor's clients, browsers and mini programs send C1C3C2 of
        the password, its mobile SDKs 04C1C2C3 of the password's base64.

        Raises:
            ValueError: it was not encrypted in this way, or not to these keys.
        """
        pairs = self._current()
        if encryption == "rsa":
            return _decrypt_rsa(b64decode(ciphertext, validate=True), pairs.rsa.private_numbers()).decode()
        plaintext, form = sm2.decrypt_with_form(bytes.fromhex(ciphertext), pairs.sm2[0])
        return (_from_base64(plaintext) if form == _MOBILE_FORM else plaintext).decode()

    def _current(self) -> _Pairs:
        with self._lock:
            if self._pairs is None:
                self._pairs = self._new()
            return self._pairs

    def _new(self) -> _Pairs:
        if self._pool is None:
            return _Pairs(_new_password_key(), sm2.generate_key_pair())
        return _Pairs(self._pool.rsa.take(), self._pool.sm2.take())


@frozen
class _Pairs:
    rsa: RSAPrivateKey = field(repr=False)
    sm2: tuple[int, sm2.SM2PublicKey] = field(repr=False)


def _from_base64(plaintext: bytes) -> bytes:
    """Decode base64 of a UTF-8 text; anything else is the password itself."""
    try:
        decoded = b64decode(plaintext, validate=True)
        decoded.decode()
    except ValueError:
        return plaintext
    return decoded if b64encode(decoded) == plaintext else plaintext


def _decrypt_rsa(ciphertext: bytes, key: RSAPrivateNumbers) -> bytes:
    """Decrypt RSAES-PKCS1-v1_5, and refuse invalid padding (RFC 8017 section 7.2.2).

    OpenSSL answers an invalid ciphertext with random bytes, so that the error reveals nothing. The emulator guards no
    real password, and its clients need to know that they used an old key.
    """
    size = (key.public_numbers.n.bit_length() + 7) // 8
    number = int.from_bytes(ciphertext, "big")  # JSEncrypt drops leading zeros, so shorter is valid, too
    if len(ciphertext) > size or number >= key.public_numbers.n:
        raise ValueError("the ciphertext is too long")
    at_p, at_q = pow(number, key.dmp1, key.p), pow(number, key.dmq1, key.q)
    message = (at_q + (at_p - at_q) * key.iqmp % key.p * key.q).to_bytes(size, "big")
    padding, separator, plaintext = message[2:].partition(b"\0")
    if message[:2] != b"\0\2" or not separator or len(padding) < _SMALLEST_PADDING:
        raise ValueError("the padding is wrong")
    return plaintext
