"""Encoding of session records as text, in clear or sealed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from .._arguments.numbers import require_bool
from .._crypto.sealing import Seal, sealing_secrets
from ..errors import StoreUnusableError
from ._protocol import SessionRecord

_PURPOSE: Final = "session store"
_REMEDY: Final = "pass the secret that sealed it as one of `secrets`, or delete it, and the user signs in again"


class RecordCodec:
    """Encodes records as text, and decodes them.

    Args:
        secrets: seal the records (Fernet: AES-128-CBC with HMAC-SHA256, keys by HKDF); the first seals, all open. None:
            records are in clear.
        accepts_clear: read records in clear, too, although there are secrets.
    """

    def __init__(self, secrets: str | Sequence[str] | None, *, accepts_clear: bool = False) -> None:
        self._secrets = None if secrets is None else sealing_secrets(secrets, "secrets")
        self._accepts_clear = require_bool("accepts_clear", accepts_clear) or secrets is None

    def encode(self, key: str, record: SessionRecord) -> str:
        """Encode a record as ASCII text; a sealed one is bound to this key."""
        text = record.to_json()
        return text if self._seal is None else self._seal.seal({"key": key, "record": text})

    def decode(self, key: str, text: str) -> SessionRecord:
        """Decode a record.

        Raises:
            ValueError: the text is not a record.
            StoreUnusableError: it is sealed with another secret or for another key, or is in clear and must not be.
        """
        if text.startswith("{"):
            if not self._accepts_clear:
                raise StoreUnusableError(
                    "The session's record is not sealed, so it may be forged; delete it, or pass accepts_clear=True "
                    "until all records are sealed"
                )
            return SessionRecord.from_json(text)
        if self._seal is None:
            if text.startswith("gAAAA"):
                raise StoreUnusableError(f"The session's record is sealed, and the store has no secrets; {_REMEDY}")
            raise ValueError("this is not a session's record")
        content = self._seal.opened(text) or {}
        if content.get("key") != key:
            raise StoreUnusableError(
                "The session's record cannot be opened: it was sealed with a secret that the store does not have, or "
                f"for another session, or it was changed; {_REMEDY}"
            )
        return SessionRecord.from_json(str(content.get("record")))

    @cached_property
    def _seal(self) -> Seal | None:
        return None if self._secrets is None else Seal(self._secrets, _PURPOSE)
