"""Sealed text: encrypted and authenticated, so that only a holder of the secret can read or change it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


_SHORTEST_SECRET: Final = 32


def sealing_secrets(given: str | Sequence[str], argument: str) -> tuple[str, ...]:
    """Return the secrets to seal with, the newest first.

    Args:
        given: one secret, or several: the first seals, all open.
        argument: its name, for the error.

    Raises:
        ConfigurationError: there is none, or one is too short.
    """
    secrets = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else ()
    if not secrets or not all(_is_usable(secret) for secret in secrets):
        raise ConfigurationError(argument, f"must be random strings of at least {_SHORTEST_SECRET} characters")
    return secrets


def _is_usable(secret: object) -> bool:
    if not isinstance(secret, str) or len(secret) < _SHORTEST_SECRET:
        return False
    return secret.encode("utf-8", "replace") == secret.encode("utf-8", "surrogatepass")  # no lone surrogate


class Seal:
    """Encrypts and authenticates data (Fernet).

    Args:
        secrets: of any length; the first seals, all open.
        purpose: text sealed for another purpose is not opened.
    """

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        self._fernet = _fernet(secrets, purpose)

    def seal(self, content: Mapping[str, object]) -> str:
        """Encrypt content to text for a cookie."""
        return self._fernet.encrypt(json.dumps(content, separators=(",", ":")).encode()).decode()

    def opened(self, text: str) -> dict[str, object] | None:
        """Decrypt sealed text; return None if it was not sealed with these secrets."""
        from cryptography.fernet import InvalidToken

        try:
            content = json.loads(self._fernet.decrypt(text.encode("utf-8", "replace")))
        except InvalidToken:
            return None
        return content if isinstance(content, dict) else None


def _fernet(secrets: Sequence[str], purpose: str) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    # HKDF (RFC 5869) derives a key from a secret of any length, another one for each purpose.
    def key(secret: str) -> bytes:
        derived = HKDF(SHA256(), 32, salt=None, info=f"genauth_async {purpose}".encode())
        return urlsafe_b64encode(derived.derive(secret.encode()))

    return MultiFernet([Fernet(key(secret)) for secret in secrets])
