"""What a session asks of a store."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from attrs import frozen

from ..models.tokens import TokenSet


@frozen(kw_only=True)
class SessionRecord:
    """A session as it is stored.

    Attributes:
        tokens: the newest.
        generation: grows by one with each write.
        refresh_sent: a refresh was begun under these tokens and has not been answered. If whoever began it is gone, the
            refresh token may be spent, and sending it again could make the server revoke the grant.
        predecessors: names (digests) of the refresh tokens that these replaced, the newest last. They tell old tokens
            of this grant from those of a new sign-in.
    """

    tokens: TokenSet
    generation: int
    refresh_sent: bool = False
    predecessors: tuple[str, ...] = ()


@runtime_checkable
class TokenStore(Protocol):
    """Keeps sessions by key. Sessions with the same store and key are one session, wherever they run.

    Every method may raise; the session then raises the same, and has lost nothing.
    """

    async def get(self, key: str) -> SessionRecord | None:
        """The record, or None."""
        ...

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Writes the record if the stored one has this generation (None: if there is none); tells whether it did."""
        ...

    async def delete(self, key: str) -> None:
        """Removes the record, if there is one."""
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Held by one at a time among all who share the store. Waiting for it must be cancellable."""
        ...
