"""The server's key pairs: one signs tokens, two decrypt passwords. They are generated on first use."""

from __future__ import annotations

import secrets
from base64 import b64decode
from threading import Lock

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import KeySet, RSAKey

from genauth_async._crypto import sm2

_RSA_BITS = 2048
_SMALLEST_PADDING = 8


class SigningKeys:
    """The RSA keys of RS256 tokens: the newest signs, and those still published verify."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._published: tuple[RSAKey, ...] = ()

    @property
    def current(self) -> RSAKey:
        """The signing key."""
        return self._keys()[0]

    def rotate(self, *, keep_previous: bool) -> None:
        """Replace the signing key; keep publishing the previous ones, or not."""
        key = _new_signing_key()
        with self._lock:
            self._published = (key, *self._published) if keep_previous else (key,)

    def jwks(self) -> dict[str, object]:
        """Return the JSON Web Key Set, without private parts."""
        return {"keys": [key.as_dict(private=False) for key in self._keys()]}

    def key_set(self) -> KeySet:
        """Return the published keys for verification."""
        return KeySet(list(self._keys()))

    def _keys(self) -> tuple[RSAKey, ...]:
        with self._lock:
            if not self._published:
                self._published = (_new_signing_key(),)
            return self._published


def _new_signing_key() -> RSAKey:
    key: RSAKey = RSAKey.generate_key(_RSA_BITS, {"kid": secrets.token_urlsafe(16), "use": "sig", "alg": "RS256"})
    return key


class PasswordKeys:
    """The key pairs that encrypt passwords. They are slow: use them in worker threads only."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pairs: _Pairs | None = None

    def rotate(self) -> None:
        """Replace both pairs; ciphertexts for the old ones can no longer be decrypted."""
        pairs = _Pairs()
        with self._lock:
            self._pairs = pairs

    def public(self) -> dict[str, str]:
        """Return the public keys by encryption: rsa as PEM of the SubjectPublicKeyInfo, sm2 as the point in hex."""
        pairs = self._current()
        pem = pairs.rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {"rsa": pem.decode(), "sm2": f"04{pairs.sm2[1].to_hex()}"}

    def decrypt(self, encryption: str, ciphertext: str) -> str:
        """Decrypt a password of type rsa or sm2.

        Raises:
            ValueError: it was not encrypted in this way, or not to these keys.
        """
        pairs = self._current()
        if encryption == "rsa":
            return _decrypt_rsa(b64decode(ciphertext, validate=True), pairs.rsa.private_numbers()).decode()
        return sm2.decrypt(bytes.fromhex(ciphertext), pairs.sm2[0]).decode()

    def _current(self) -> _Pairs:
        with self._lock:
            if self._pairs is None:
                self._pairs = _Pairs()
            return self._pairs


@frozen
class _Pairs:
    rsa: RSAPrivateKey = field(factory=lambda: generate_private_key(65537, _RSA_BITS), repr=False)
    sm2: tuple[int, sm2.SM2PublicKey] = field(factory=sm2.generate_key_pair, repr=False)


def _decrypt_rsa(ciphertext: bytes, key: RSAPrivateNumbers) -> bytes:
    """Decrypt RSAES-PKCS1-v1_5, and refuse invalid padding (RFC 8017 section 7.2.2).

    OpenSSL answers an invalid ciphertext with random bytes, so that the error reveals nothing. The emulator guards no
    real password, and its clients need to know that they used an old key.
    """
    size = _RSA_BITS // 8
    number = int.from_bytes(ciphertext, "big")  # JSEncrypt drops leading zeros, so shorter is valid, too
    if len(ciphertext) > size or number >= key.public_numbers.n:
        raise ValueError("the ciphertext is too long")
    at_p, at_q = pow(number, key.dmp1, key.p), pow(number, key.dmq1, key.q)
    message = (at_q + (at_p - at_q) * key.iqmp % key.p * key.q).to_bytes(size, "big")
    padding, separator, plaintext = message[2:].partition(b"\0")
    if message[:2] != b"\0\2" or not separator or len(padding) < _SMALLEST_PADDING:
        raise ValueError("the padding is wrong")
    return plaintext
