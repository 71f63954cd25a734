"""SM2 public-key encryption (GB/T 32918.4) of passwords, in the form of npm sm-crypto's `doEncrypt(text, key, 1)`.

The package gmssl does the curve arithmetic; gmssl-pyx, if installed, does all of the encryption. gmssl's own `encrypt`
and `decrypt` are not used: they break the standard in ways that lose or reveal passwords. Comments below name each way.
"""

from __future__ import annotations

import itertools
import re
import secrets
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from hmac import compare_digest
from time import sleep
from typing import Any, Literal, TypeAlias

from attrs import frozen

from ..errors import PasswordEncryptionError

Form: TypeAlias = Literal["ASN.1", "C1C3C2", "C1C2C3", "04C1C3C2", "04C1C2C3"]
"""The arrangement of a ciphertext."""

# The recommended curve, y² = x³ + ax + b (GB/T 32918.5).
_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A = _P - 3
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_G = bytes.fromhex(
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)

_COORDINATE = 32
_POINT = 2 * _COORDINATE  # x || y; every value is padded, or one in 128 would be too short
_HASH = 32
_UNCOMPRESSED = 0x04
_GMSSL_PYX_LONGEST = 255
_STEPS_BETWEEN_PAUSES = 64  # about a millisecond
_PAUSE_SECONDS = 0.00001

# SEQUENCE { id-ecPublicKey 1.2.840.10045.2.1, sm2p256v1 1.2.156.10197.1.301 }
_SM2_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_REMEDY = "pass the sm2.publicKey of GET /api/v3/system unchanged"


@frozen
class SM2PublicKey:
    """A point on the SM2 curve; the constructor refuses any other.

    gmssl accepts any pair of numbers. Text encrypted to a point off the curve can be read by the one who chose the
    point.
    """

    x: int
    y: int

    def __attrs_post_init__(self) -> None:
        if self.x == 0 and self.y == 0:
            raise _bad_key("is the point at infinity")
        if not (0 <= self.x < _P and 0 <= self.y < _P):
            raise _bad_key("has a coordinate out of range")
        if not _is_on_curve(self.x, self.y):
            raise _bad_key("is not on the SM2 curve; it is damaged, or belongs to another curve")

    @classmethod
    def parse(cls, text: str) -> SM2PublicKey:
        """Read a key in any of the usual forms of servers and tools.

        Args:
            text: hex or base64 of x || y, with or without the prefix 04; or a SubjectPublicKeyInfo in PEM or as the
                bare base64 of its DER.

        Raises:
            PasswordEncryptionError: it is not an SM2 public key; the message says what it is.
        """
        if "PRIVATE KEY-----" in text:
            raise _bad_key("is a private key, which must stay secret")
        compact = "".join(re.sub(r"-----[A-Z ]+-----", "", text).split())
        try:
            # Base64 of a key is never hex digits alone: in each form, its length requires a "=" at the end.
            is_hex = re.fullmatch("[0-9a-fA-F]*", compact)
            data = bytes.fromhex(compact) if is_hex else b64decode(compact, validate=True)
        except ValueError as error:
            raise _bad_key("must be hex, base64 or PEM") from error
        return cls._from_point(_point_of_spki(data) if _looks_like_spki(data) else data)

    @classmethod
    def _from_point(cls, point: bytes) -> SM2PublicKey:
        # The length tells whether there is a prefix, since x may begin with 04 as well. gmssl strips every leading 0
        # and 4 along with the prefix, which spoils one key in eight.
        if len(point) == 1 + _POINT and point[0] == _UNCOMPRESSED:
            point = point[1:]
        if len(point) != _POINT:
            raise _bad_key(_fault_of(point))
        return cls(*_coordinates(point))

    def to_hex(self) -> str:
        """Return x || y as 128 lower-case hex digits, without the prefix 04."""
        return _point(self.x, self.y).hex()


def generate_key_pair() -> tuple[int, SM2PublicKey]:
    """Generate a private scalar in [1, n-2] (GB/T 32918.1 section 6.1), and its public key."""
    private_key = secrets.randbelow(_N - 2) + 1
    return private_key, SM2PublicKey(*_coordinates(_multiply(private_key, _G)))


def encrypt(plaintext: bytes, key: SM2PublicKey) -> bytes:
    """Encrypt a password under the server's public key.

    Without gmssl-pyx this is some 10 ms of pure Python: call it from a worker thread, not on an event loop.

    Args:
        plaintext: the password's bytes, UTF-8 for GenAuth. Any length, including zero.
        key: the server's public key.

    Returns:
        C1 || C3 || C2, C1 without its prefix 04: 96 bytes more than the password has. They differ each time.
    """
    if 1 <= len(plaintext) <= _GMSSL_PYX_LONGEST:
        with suppress(ImportError):
            return _encrypt_with_gmssl_pyx(plaintext, key)
    return _encrypt(plaintext, key, _random_scalars())


def is_quick(length: int) -> bool:
    """Return whether `encrypt` takes less than 1 ms for that many bytes: with gmssl-pyx, already imported."""
    return 1 <= length <= _GMSSL_PYX_LONGEST and sys.modules.get("gmssl_pyx") is not None


def decrypt(ciphertext: bytes, private_key: int) -> bytes:
    """Decrypt the ciphertext of any usual SM2 library.

    Args:
        ciphertext: C1 || C3 || C2, or C1 || C2 || C3 as before 2012, each with or without the prefix 04; or ASN.1 DER
            (GM/T 0009).
        private_key: the scalar.

    Raises:
        ValueError: the private key is out of range, or the ciphertext is for another key, was changed, or has another
            form. The message does not tell which, since an attacker could learn from it.
    """
    return decrypt_with_form(ciphertext, private_key)[0]


def decrypt_with_form(ciphertext: bytes, private_key: int) -> tuple[bytes, Form]:
    """Decrypt as `decrypt` does, and name the form. C3 is a hash, so that no ciphertext has two."""
    if not 1 <= private_key < _N:
        raise ValueError("The SM2 private key is out of range")
    for form, c1, c3, c2 in _readings(ciphertext):
        # Off the curve, the answers would reveal the private key bit by bit.
        if not _is_on_curve(*_coordinates(c1)):
            continue
        shared = _multiply(private_key, c1)
        # An all-zero mask is accepted, against the standard: sm-crypto sends it for one in 256 one-byte messages.
        plaintext = _xor(c2, _mask(shared, len(c2)))
        # gmssl never compares C3, so that any garbage decrypts to other garbage.
        if compare_digest(c3, _checksum(shared, plaintext)):
            return plaintext, form
    raise ValueError("The SM2 ciphertext is damaged, of an unknown form, or made for another key")


def _random_scalars() -> Iterator[int]:
    # gmssl draws from the random module, whose numbers are predictable; the scalar reveals the password.
    while True:
        yield secrets.randbelow(_N - 1) + 1


def _encrypt(plaintext: bytes, key: SM2PublicKey, scalars: Iterator[int]) -> bytes:
    """Encrypt as in GB/T 32918.4 section 6.1; the scalars are an argument, to reproduce published examples."""
    recipient = _point(key.x, key.y)
    while True:
        k = next(scalars)
        shared = _multiply(k, recipient, pausing=True)
        mask = _mask(shared, len(plaintext))
        # An all-zero mask would send the password in the clear, so another scalar is drawn; gmssl returns None.
        # An empty message has an empty mask, which is no such case; gmssl raises.
        if any(mask) or not plaintext:
            c1 = _multiply(k, _G, pausing=True)
            return c1 + _checksum(shared, plaintext) + _xor(plaintext, mask)


def _encrypt_with_gmssl_pyx(plaintext: bytes, key: SM2PublicKey) -> bytes:
    from gmssl_pyx import sm2_encrypt

    return b"".join(_from_asn1(sm2_encrypt(_point(key.x, key.y), plaintext)))


def _readings(ciphertext: bytes) -> Iterator[tuple[Form, bytes, bytes, bytes]]:
    """Yield each form, and (C1, C3, C2), that the bytes can stand for; C3 then tells the right one."""
    with suppress(ValueError):
        yield ("ASN.1", *_from_asn1(ciphertext))
    forms: list[tuple[bytes, Form, Form]] = [(ciphertext, "C1C3C2", "C1C2C3")]
    if ciphertext[:1] == bytes([_UNCOMPRESSED]):
        forms.append((ciphertext[1:], "04C1C3C2", "04C1C2C3"))
    for raw, new, old in forms:
        if len(raw) >= _POINT + _HASH:
            c1, rest = raw[:_POINT], raw[_POINT:]
            yield new, c1, rest[:_HASH], rest[_HASH:]
            yield old, c1, rest[-_HASH:], rest[:-_HASH]


def _from_asn1(der: bytes) -> tuple[bytes, bytes, bytes]:
    """Decode GM/T 0009's SEQUENCE { INTEGER x, INTEGER y, OCTET STRING C3, OCTET STRING C2 } to C1, C3, C2."""
    from Cryptodome.Util.asn1 import DerOctetString

    match _asn1_sequence(der):
        case [int(x), int(y), bytes(c3), bytes(c2)] if 0 <= x < _P and 0 <= y < _P:
            # ASN.1 integers are minimal, so the coordinates have to be padded again.
            return _point(x, y), DerOctetString().decode(c3).payload, DerOctetString().decode(c2).payload
    raise ValueError("not an SM2Cipher")


def _asn1_sequence(der: bytes) -> list[int | bytes]:
    """Decode a SEQUENCE to its integers, and the encodings of its other members."""
    from Cryptodome.Util.asn1 import DerSequence

    try:
        members: Any = DerSequence().decode(der)
    except IndexError as error:  # raised by Cryptodome for a length of no bytes
        raise ValueError("not ASN.1") from error
    return list(members)


def _looks_like_spki(data: bytes) -> bool:
    return data[:1] == b"\x30" and len(data) not in {_POINT, 1 + _POINT}


def _point_of_spki(der: bytes) -> bytes:
    from Cryptodome.Util.asn1 import DerBitString

    try:
        match _asn1_sequence(der):
            case [bytes(algorithm), bytes(bits)] if algorithm == _SM2_ALGORITHM:
                return DerBitString().decode(bits).value
    except ValueError as error:
        raise _bad_key("is damaged ASN.1") from error
    raise _bad_key("is ASN.1, but not a SubjectPublicKeyInfo of SM2")


def _fault_of(point: bytes) -> str:
    if len(point) == 1 + _COORDINATE and point[0] in {0x02, 0x03}:
        return "is a compressed point; pass it uncompressed, as x || y"
    if len(point) == _COORDINATE:
        return "has 32 bytes, as a private key has"
    if point == b"\x00":
        return "is the point at infinity"
    if len(point) == 1 + _POINT:
        return f"begins with {point[0]:02x}, not with the prefix 04"
    return f"has {len(point)} bytes; x || y has {_POINT}"


def _bad_key(fault: str) -> PasswordEncryptionError:
    return PasswordEncryptionError(f"The SM2 public key {fault}; {_REMEDY}")


def _is_on_curve(x: int, y: int) -> bool:
    return 0 <= x < _P and 0 <= y < _P and (y * y - (x * x * x + _A * x + _B)) % _P == 0


def _point(x: int, y: int) -> bytes:
    return x.to_bytes(_COORDINATE, "big") + y.to_bytes(_COORDINATE, "big")


def _coordinates(point: bytes) -> tuple[int, int]:
    return int.from_bytes(point[:_COORDINATE], "big"), int.from_bytes(point[_COORDINATE:], "big")


def _multiply(k: int, point: bytes, *, pausing: bool = False) -> bytes:
    """Multiply a point by k in [1, n-1]; gmssl takes 0 as 1 and returns None for n."""
    from gmssl.sm2 import CryptSM2

    # Without keys, which the constructor would corrupt (see _from_point). gmssl has no public name for the
    # multiplication.
    curve: Any = CryptSM2(private_key="", public_key="")
    if pausing:
        curve._double_point = _with_pauses(curve._double_point)  # noqa: SLF001
    product: str = curve._kg(k, point.hex())  # noqa: SLF001
    return bytes.fromhex(product)


def _with_pauses(step: Callable[[str], str]) -> Callable[[str], str]:
    """Add a pause to every 64th call of a multiplication's step, in which the event loop's thread can run.

    Otherwise that thread waits for Python's switch interval, 5 ms, each time it needs the interpreter.
    """
    numbers = itertools.count(1)

    def stepped(point: str) -> str:
        if next(numbers) % _STEPS_BETWEEN_PAUSES == 0:
            sleep(_PAUSE_SECONDS)
        return step(point)

    return stepped


def _mask(shared: bytes, length: int) -> bytes:
    """Derive the mask from x2 || y2 with the standard's function, which is ANSI X9.63 with SM3."""
    from cryptography.hazmat.primitives.hashes import SM3
    from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

    return X963KDF(SM3(), length, sharedinfo=None).derive(shared)


def _checksum(shared: bytes, plaintext: bytes) -> bytes:
    """Return C3 = SM3(x2 || M || y2)."""
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    sm3 = Hash(SM3())
    sm3.update(shared[:_COORDINATE] + plaintext + shared[_COORDINATE:])
    return sm3.finalize()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
