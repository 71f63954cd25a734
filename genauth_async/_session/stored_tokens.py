"""A session's tokens, synchronised with its store."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from ..errors import ConfigurationError, RefreshUnavailableError, SessionExpiredError
from ..models.tokens import TokenSet
from ..settings import Clock
from ..stores import SessionRecord, TokenStore
from .grants import Grants, first_record, is_new, is_rolled_back, token_fingerprint, token_fingerprints
from .token_expiry import TokenExpiry

_TRIES: Final = 3
_CHANGED: Final = "The session was changed in the store by a process without its lock; try again"


class StoredTokens:
    """The tokens of one session and its last known record.

    The caller must hold the store's lock, except for `read` and `tokens_to_revoke`. Every method raises what the store
    raises.

    Args:
        grants: of the client.
        tokens: the session's first tokens; None to read them from the store.
        store: the store; None for this process's memory.
        key: the key in the store; derived from the tokens when None.
        clock: the client's.
        leeway: seconds before its expiry from which an access token is no longer fresh.
        expires_at: the time (epoch seconds) from which the store may drop a record that starts with these tokens.

    Attributes:
        grant: the state shared by all sessions of the grant in this process.
        tokens: the newest that this session has seen; None before the first read of the store.
        life: the life of the present access token.
        record: the last known record, which `tokens` are from; None before the first synchronisation.
        ended: the reason for which the session has ended, or None.
    """

    __slots__ = (
        "_clock",
        "_endings",
        "_expires_at",
        "_grants",
        "_keyed_by_grant",
        "ended",
        "grant",
        "life",
        "record",
        "tokens",
    )

    def __init__(
        self,
        grants: Grants,
        tokens: TokenSet | None,
        store: TokenStore | None,
        key: str | None,
        *,
        clock: Clock,
        leeway: float,
        expires_at: float | None,
    ) -> None:
        # A key derived from the refresh token belongs to one grant: a stored record is as new or newer.
        self._keyed_by_grant = key is None
        if tokens is not None:
            key = token_fingerprint(tokens) if key is None else key
        elif store is None or key is None:
            raise ConfigurationError("tokens", "must be given, unless store and key say where they are kept")
        self._grants = grants
        self._clock = clock
        self._expires_at = expires_at
        self.grant = grants.find(store, key)
        self._endings = self.grant.endings
        self.life = TokenExpiry(clock, leeway)
        self.record: SessionRecord | None = None
        self.ended: str | None = None
        self.tokens: TokenSet | None = None
        if tokens is not None:
            self._set_tokens(tokens)

    @property
    def is_synced(self) -> bool:
        """Return True if the tokens may be returned without reading the store.

        Not before the first synchronisation, which stores a new session's tokens; nor while a write is pending; nor
        after another session of the grant has ended.
        """
        grant = self.grant
        return self.record is not None and grant.pending is None and self._endings == grant.endings

    def expired(self) -> SessionExpiredError:
        """Return the error for an ended session."""
        return SessionExpiredError(f"The session has ended: {self.ended}")

    def raise_if_ended(self) -> None:
        """Raise SessionExpiredError if the session has ended."""
        if self.ended is not None:
            raise self.expired()

    async def read(self) -> None:
        """Read the record of a session created without tokens, such as for one request."""
        if self.tokens is None and self.grant.has_no_pending_write:
            record = await self.grant.store.get(self.grant.key)
            if record is not None:
                self._set_record(record)

    async def sync_with_store(self) -> SessionRecord:
        """Synchronise with the store and return its record.

        Raises:
            SessionExpiredError: the record is gone.
            RefreshUnavailableError: another process wrote meanwhile.
        """
        grant = self.grant
        if (pending_write := await grant.pending_write()) is not None:
            await self.write_or_queue(*pending_write)
        record, known = await grant.store.get(grant.key), self.record
        if record is None:
            record = self._first_record()
            await self._write(record, expected=None)
        elif (tokens := self._new_sign_in(record)) is not None:
            expected = record.generation
            record = SessionRecord(tokens=tokens, generation=expected + 1, expires_at=self._expires_at)
            await self._write(record, expected=expected)
            self._grants.replaced(grant)
        elif known is not None and is_rolled_back(record, known):
            expected = record.generation
            record = evolve(known, generation=max(expected, known.generation) + 1)
            await self._write(record, expected=expected)
        elif record != known:
            self._set_record(record)
        self._endings = grant.endings
        return record

    async def tokens_written_by_others(self) -> TokenSet:
        """Return the store's tokens after another process wrote them without holding the lock.

        Raises:
            RefreshUnavailableError: they are not fresh.
            SessionExpiredError: the record is gone.
        """
        record = await self.sync_with_store()
        if not self.life.is_fresh():
            raise RefreshUnavailableError(_CHANGED)
        return record.tokens

    async def record_attempt(self, record: SessionRecord) -> SessionRecord | None:
        """Mark in the store that a refresh is about to be sent.

        If this process dies before it stores the answer, no other process sends the same token again.

        Returns:
            The marked record; None if the stored one was changed meanwhile.
        """
        grant = self.grant
        marked = evolve(record, generation=record.generation + 1, refresh_sent=True)
        self._grants.add_attempt(grant, marked, record, self._clock.monotonic())
        is_written = await grant.store.compare_and_set(grant.key, marked, expected=record.generation)
        self._grants.clear_pending_write(grant, self._clock.monotonic())
        if not is_written:
            return None
        self.record = marked
        return marked

    async def write_or_queue(self, record: SessionRecord, expected: int) -> bool:
        """Write a record that only this process has; if that fails, keep it as a pending write and retry later.

        Returns:
            False if the store has other tokens meanwhile, which stay.
        """
        grant = self.grant
        self._grants.add_pending_write(grant, record, expected, self._clock.monotonic())
        store, key = grant.store, grant.key
        try:
            is_written = await store.compare_and_set(key, record, expected=expected)
            if not is_written and (present := await store.get(key)) is not None and is_rolled_back(present, record):
                record = evolve(record, generation=max(present.generation, record.generation) + 1)
                is_written = await store.compare_and_set(key, record, expected=present.generation)
        except BaseException:
            self._set_tokens(record.tokens)
            raise
        self._grants.clear_pending_write(grant, self._clock.monotonic())
        if is_written:
            self._set_record(record)
        else:
            self.record = record  # the newest known, in case the store was rolled back
        return is_written

    async def replacement_for(self, sent: SessionRecord) -> TokenSet | None:
        """Return tokens that another process stored while this one was suspended during a refresh, else None."""
        present = await self.grant.store.get(self.grant.key)
        if present is None or present == sent or is_rolled_back(present, sent):
            return None
        self._set_record(present)
        return present.tokens

    async def forget(self, reason: str, record: SessionRecord) -> None:
        """End the session and remove its record from the store."""
        self._end(reason)
        store, key = self.grant.store, self.grant.key
        for _ in range(_TRIES):
            if await store.delete(key, expected=record.generation):
                return
            present = await store.get(key)
            if present is None or is_new(record.tokens, present):
                return  # another sign-in stays
            record = present

    async def log_out(self, reason: str) -> TokenSet | None:
        """End the session and remove its record.

        Returns:
            The tokens to revoke; None if another process has already logged out.
        """
        grant = self.grant
        record = await grant.store.get(grant.key)
        if record is not None and self._new_sign_in(record) is None:
            if grant.pending is None:
                self._set_record(record)
            await self.forget(reason, record)
        elif record is None and self.record is not None and grant.pending is None:
            self._end(reason)
            return None
        return self.tokens_to_revoke(reason)

    def tokens_to_revoke(self, reason: str) -> TokenSet | None:
        """End the session without its store; return the newest known tokens."""
        self._end(reason)
        pending = self.grant.pending
        self._grants.clear_pending_write(self.grant, self._clock.monotonic())
        return self.tokens if pending is None else pending[0].tokens

    def _first_record(self) -> SessionRecord:
        """Return the first record, for a store that never had one of this session."""
        tokens = self.tokens
        if self.record is not None or not token_fingerprints(tokens, None).isdisjoint(self.grant.ended):
            self._end("the store no longer has it: the user logged out elsewhere, it expired, or the store lost it")
            raise self.expired()
        if tokens is None:
            self.ended = "the store has no session under this key"
            raise self.expired()
        return first_record(tokens, self._expires_at)

    def _new_sign_in(self, stored: SessionRecord) -> TokenSet | None:
        """Return this session's tokens if they belong to a newer sign-in than the stored record's, else None."""
        if self.record is not None or self.tokens is None or self._keyed_by_grant:
            return None
        return self.tokens if is_new(self.tokens, stored) else None

    async def _write(self, record: SessionRecord, *, expected: int | None) -> None:
        if not await self.grant.store.compare_and_set(self.grant.key, record, expected=expected):
            raise RefreshUnavailableError(_CHANGED)
        self.record = record

    def _end(self, reason: str) -> None:
        if self.ended is None:
            self.ended = reason
            self.grant.endings += 1
            self.grant.ended = token_fingerprints(self.tokens, self.record)
        self.life.end()

    def _set_record(self, record: SessionRecord) -> None:
        self.record = record
        self._set_tokens(record.tokens)
        self._grants.rotated(self.grant, record.tokens)

    def _set_tokens(self, tokens: TokenSet) -> None:
        if tokens == self.tokens:
            return  # Measured already; the wall clock may have changed since.
        self.tokens = tokens
        self.life.begin(tokens, self._clock.wall() - tokens.obtained_at)
