"""RSA encryption of passwords: RSAES-PKCS1-v1_5 (RFC 8017 section 7.2), as in npm jsencrypt."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import PasswordEncryptionError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes, PublicKeyTypes

_PADDING_BYTES = 11
_FEWEST_BITS = 1024  # the cloud's own key has no more
_REMEDY = "pass the rsa.publicKey of GET /api/v3/system unchanged"


def encrypt(plaintext: bytes, key_text: str) -> bytes:
    """Encrypt a password under the server's public key.

    Args:
        plaintext: the password's bytes, UTF-8 for GenAuth.
        key_text: the key as a SubjectPublicKeyInfo, a PKCS#1 RSAPublicKey or a certificate, each in PEM or as the bare
            base64 of its DER.

    Returns:
        As many bytes as the key's modulus has. They differ each time, since the padding is random.

    Raises:
        PasswordEncryptionError: the password is too long for the key, or the key is not an RSA public key of at least
            1024 bits.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    try:
        key = _load(key_text)
        _require_room(len(plaintext), key)
        try:
            return key.encrypt(plaintext, PKCS1v15())
        except ValueError as error:
            raise PasswordEncryptionError(f"The RSA public key is damaged and cannot encrypt; {_REMEDY}") from error
    finally:
        del plaintext  # error reporters record the local variables of every frame


@lru_cache(8)  # parsing takes as long as encrypting
def _load(key_text: str) -> RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if "PRIVATE KEY-----" in key_text:
        raise PasswordEncryptionError(f"The RSA public key is a private key, which must stay secret; {_REMEDY}")
    try:
        key = _from_pem(key_text) if "-----BEGIN" in key_text else _from_base64(key_text)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PasswordEncryptionError(
            f"The RSA public key must be a key or certificate in PEM or base64; {_REMEDY}"
        ) from error
    if not isinstance(key, RSAPublicKey):
        raise PasswordEncryptionError(f"The RSA public key must be RSA, not {type(key).__name__}; {_REMEDY}")
    if key.key_size < _FEWEST_BITS:
        raise PasswordEncryptionError(
            f"The RSA public key must have at least {_FEWEST_BITS} bits, not {key.key_size}: a shorter one protects no "
            f"password; {_REMEDY}"
        )
    return key


def _from_pem(text: str) -> PublicKeyTypes | CertificatePublicKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_certificate

    if "CERTIFICATE-----" in text:
        return load_pem_x509_certificate(text.encode()).public_key()
    return load_pem_public_key(text.encode())


def _from_base64(text: str) -> PublicKeyTypes | CertificatePublicKeyTypes:
    from base64 import b64decode

    from cryptography.hazmat.primitives.serialization import load_der_public_key
    from cryptography.x509 import load_der_x509_certificate

    der = b64decode("".join(text.split()), validate=True)
    try:
        return load_der_public_key(der)
    except ValueError:
        return load_der_x509_certificate(der).public_key()


def _require_room(length: int, key: RSAPublicKey) -> None:
    modulus_bytes = (key.key_size + 7) // 8
    room = modulus_bytes - _PADDING_BYTES
    if length > room:
        raise PasswordEncryptionError(
            f"The password has {length} bytes, but at most {room} fit the server's {key.key_size}-bit RSA key; "
            "use a shorter password, or the encrypt type sm2, which has no such limit"
        )
