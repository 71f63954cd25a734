"""Sealed text: nobody can read or change it without the secret."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def fernet(secrets: Sequence[str], purpose: str) -> MultiFernet:
    """What seals with the first secret, and opens what any of them sealed for the same purpose.

    Args:
        secrets: of any length; the keys are derived from them (HKDF, RFC 5869).
        purpose: what was sealed for another purpose is not opened.
    """
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def key(secret: str) -> bytes:
        derived = HKDF(SHA256(), 32, salt=None, info=f"genauth_async {purpose}".encode())
        return urlsafe_b64encode(derived.derive(secret.encode()))

    return MultiFernet([Fernet(key(secret)) for secret in secrets])
