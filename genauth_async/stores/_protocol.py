"""The protocol of token stores, and the record that they keep."""

from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from attrs import frozen

from .._wire.converter import ShapeError, structure
from ..models._fields import is_exact_type
from ..models.tokens import TokenSet

_FORM = 1
_LARGEST_GENERATION = 2**63
_LATEST = 2**53  # in seconds since the epoch; floats above lose whole seconds


@frozen(kw_only=True)
class SessionRecord:
    """A stored session.

    Attributes:
        tokens: the newest tokens.
        generation: grows with each write; the first is any number below 2**48.
        refresh_sent: a refresh was sent for these tokens, and its answer is not stored. If its process has died, the
            refresh token may be spent, and sending it again could make the server revoke the grant.
        predecessors: fingerprints (digests) of the refresh tokens that these replaced, the newest last. They
            distinguish old tokens of this grant from those of a new sign-in.
        expires_at: the time from which a store may drop the record, in seconds since the epoch; None when not known.
    """

    tokens: TokenSet
    generation: int
    refresh_sent: bool = False
    predecessors: tuple[str, ...] = ()
    expires_at: float | None = None

    def to_json(self) -> str:
        """Encode the record as JSON, tokens in clear, for stores that keep text."""
        return json.dumps(
            {
                "form": _FORM,
                "tokens": self.tokens.to_dict(),
                "generation": self.generation,
                "refresh_sent": self.refresh_sent,
                "predecessors": self.predecessors,
                "expires_at": self.expires_at,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> SessionRecord:
        """Decode a record from the text of `to_json`.

        Args:
            text: the result of `to_json`.

        Raises:
            ValueError: the text is not a record. The error quotes none of it.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        record = _read(content) if isinstance(content, dict) else None
        if record is None:
            raise ValueError("this is not a session's record")
        return record


def _read(content: dict[str, object]) -> SessionRecord | None:
    generation, sent = content.get("generation"), content.get("refresh_sent")
    predecessors, expires_at = content.get("predecessors"), content.get("expires_at")
    if (
        content.get("form") != _FORM
        or not (is_exact_type(generation, int) and 0 <= generation < _LARGEST_GENERATION)
        or not isinstance(sent, bool)
        or not (isinstance(predecessors, list) and all(isinstance(name, str) for name in predecessors))
        or not (expires_at is None or _is_time(expires_at))
    ):
        return None
    try:
        tokens = structure(content.get("tokens"), TokenSet)
    except ShapeError:
        return None
    return SessionRecord(
        tokens=tokens,
        generation=generation,
        refresh_sent=sent,
        predecessors=tuple(predecessors),
        expires_at=expires_at,  # type: ignore[arg-type] # checked above
    )


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -_LATEST <= value <= _LATEST


@runtime_checkable
class TokenStore(Protocol):
    """Keeps sessions by key. Sessions with the same store and key are one session, wherever they run.

    Every method may raise; the session then raises the same and loses nothing. A StoreError is best: the session then
    still returns an access token that is valid.
    """

    async def get(self, key: str) -> SessionRecord | None:
        """Return the record, or None."""
        ...

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Write the record if the stored one has this generation (None: if there is none); return True if written.

        A call repeated after an error may return True if the failed write had succeeded. That holds only for this
        store's own write, not for an equal one by another process.
        """
        ...

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Remove the record if it has this generation (None: any); return True if there is none now."""
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the key's lock, exclusively across all processes that share the store.

        Waiting for it must be cancellable, and should end with a StoreError if its holder does not release it. A
        session holds it during a refresh. If the store drops it before, because it takes the holder for dead, nothing
        is overwritten: `compare_and_set` decides.
        """
        ...
