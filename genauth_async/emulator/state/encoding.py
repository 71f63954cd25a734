"""Encoding and comparison of secrets."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hmac import compare_digest


def same_text(given: str, expected: str) -> bool:
    """Compare a text from a client with a secret, in constant time."""
    # JSON can hold lone surrogates, which plain UTF-8 cannot.
    return compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


def base64url(raw: bytes) -> str:
    """Encode bytes in base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes | None:
    """Decode base64url; None if the text is not of that form."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
