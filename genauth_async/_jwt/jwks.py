"""JSON Web Key Sets (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from ..errors import KeysUnavailableError, TokenVerificationError, UnknownKeyError
from .jws import decoded, is_signed, registry_of, shown, wrong_signature

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

_FEWEST_BITS: Final = 2048
_MOST_BITS: Final = 8192  # verification time grows with the key length
_LONGEST_NUMBER: Final = 2048
_SHOWN: Final = 100
_MOST_LISTED: Final = 1000
_MOST_KEYS: Final = 32  # a token without kid is tried with every key


@frozen(eq=False)
class KeySet:
    """The RS256 verification keys of a set.

    Attributes:
        keys: (kid, key) pairs.
        numbers: (kid, n, e) triples, for comparison of sets.
    """

    keys: tuple[tuple[str | None, RSAKey], ...] = field(repr=False)
    numbers: tuple[tuple[str | None, int, int], ...] = field(repr=False)

    def find(self, key_id: str | None) -> tuple[RSAKey, ...]:
        """Return the keys with this kid, perhaps several (RFC 7517 section 4.5), or all keys if it is None."""
        return tuple([key for id_, key in self.keys if key_id is None or key_id == id_])

    def refusal(self, token: str, key_id: str | None) -> TokenVerificationError | None:
        """Return the error for a token that none of these keys has signed, or None if one has."""
        found = self.find(key_id)
        if not found:
            known = shown(", ".join(str(id_)[:_SHOWN] for id_, _ in self.keys))
            return UnknownKeyError(f"The token is signed with the key {shown(key_id)}; the server publishes {known}")
        for key in found:
            if is_signed(token, "RS256", key):
                return None
        return wrong_signature("RS256")


def read_key_set(document: object) -> KeySet:
    """Read a key set (RFC 7517 section 5), without keys that are too short, damaged, or of another type or use.

    At most 32 keys are read, of 1,000 listed ones. Slow on the first call: it imports joserfc and parses the keys.

    Raises:
        KeysUnavailableError: the document is no key set, or contains no usable key.
    """
    registry_of("RS256")
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, (list, tuple)):
        raise KeysUnavailableError("A key set must be an object with a list of `keys`; this is not one")
    keys: list[tuple[str | None, RSAKey]] = []
    numbers: list[tuple[str | None, int, int]] = []
    for item in listed[:_MOST_LISTED]:
        key = _read_key(item)
        if key is not None:
            id_ = item["kid"] if item.get("kid") else None
            public = key.public_key.public_numbers()
            keys.append((id_, key))
            numbers.append((id_, public.n, public.e))
        if len(keys) == _MOST_KEYS:
            break
    if not keys:
        raise KeysUnavailableError(f"None of the {len(listed)} keys in the set can verify RS256 signatures")
    return KeySet(tuple(keys), tuple(numbers))


def _read_key(item: object) -> RSAKey | None:
    from joserfc.errors import JoseError
    from joserfc.jwk import RSAKey

    if not isinstance(item, Mapping) or not _is_for_rs256(item):
        return None
    modulus, exponent = _digits(item.get("n")), _digits(item.get("e"))
    # joserfc only warns of short keys.
    bits = int.from_bytes(decoded(modulus) or b"", "big").bit_length()
    if not _FEWEST_BITS <= bits <= _MOST_BITS:
        return None
    try:
        # Keep the public part only.
        key: RSAKey = RSAKey.import_key({"kty": "RSA", "n": modulus, "e": exponent})
    except (JoseError, ValueError, TypeError):
        return None
    return key


def _digits(number: object) -> str:
    """Return a number of a key, in base64url without the padding that some servers add; "" if it is none."""
    return number.rstrip("=") if isinstance(number, str) and len(number) <= _LONGEST_NUMBER else ""


def _is_for_rs256(item: Mapping[str, object]) -> bool:
    # Empty members mean absent.
    operations, key_id = item.get("key_ops") or ["verify"], item.get("kid") or None
    return (
        (item.get("kty"), item.get("use") or "sig", item.get("alg") or "RS256") == ("RSA", "sig", "RS256")
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(key_id, (str, type(None)))
    )
