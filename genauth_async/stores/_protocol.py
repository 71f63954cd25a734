"""What a session asks of a store."""

from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from attrs import frozen

from .._wire.converter import ShapeError, structure
from ..models.tokens import TokenSet

_FORM = 1


@frozen(kw_only=True)
class SessionRecord:
    """A session as it is stored.

    Attributes:
        tokens: the newest.
        generation: grows with each write; the first is anywhere below 2**48.
        refresh_sent: a refresh was begun under these tokens and has not been answered. If whoever began it is gone, the
            refresh token may be spent, and sending it again could make the server revoke the grant.
        predecessors: names (digests) of the refresh tokens that these replaced, the newest last. They tell old tokens
            of this grant from those of a new sign-in.
        expires_at: from when, in seconds since the epoch, nobody needs the record, so that a store may drop it; None
            when that is not known.
    """

    tokens: TokenSet
    generation: int
    refresh_sent: bool = False
    predecessors: tuple[str, ...] = ()
    expires_at: float | None = None

    def to_json(self) -> str:
        """The record as text, tokens and all, for stores that keep texts."""
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
        """The record that `to_json` made a text of.

        Args:
            text: what `to_json` gave.

        Raises:
            ValueError: it is not such a text. The error quotes none of it.
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
        or type(generation) is not int
        or not isinstance(sent, bool)
        or not (isinstance(predecessors, list) and all(isinstance(name, str) for name in predecessors))
        or not (expires_at is None or type(expires_at) in {int, float})
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
        expires_at=expires_at,  # type: ignore[arg-type] # a number, as was seen above
    )


@runtime_checkable
class TokenStore(Protocol):
    """Keeps sessions by key. Sessions with the same store and key are one session, wherever they run.

    Every method may raise; the session then raises the same, and has lost nothing. A StoreError is the best that it can
    raise: as long as the access token is valid, a session that meets one hands that out.
    """

    async def get(self, key: str) -> SessionRecord | None:
        """The record, or None."""
        ...

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Writes the record if the stored one has this generation (None: if there is none); tells whether it did.

        When it is repeated after an error, and the failed write had happened, it may say True: but only of this store's
        own write, not of an equal one of somebody else.
        """
        ...

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Removes the record if it has this generation (None: any); tells whether there is none now."""
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Held by one at a time among all who share the store.

        Waiting for it must be cancellable, and should end with a StoreError when whoever holds it does not let go. It
        is held while a refresh is sent and answered. If it comes to an end before that, since the holder was thought
        dead, nothing is overwritten: `compare_and_set` is what decides.
        """
        ...
