"""The grants (RFC 6749) of this process's sessions: sessions of one grant share its refreshes."""

from __future__ import annotations

import hashlib
import math
import threading
from typing import Final
from weakref import WeakValueDictionary

from attrs import evolve

from ..errors import RefreshUnavailableError
from ..models.tokens import TokenSet
from ..stores import MemoryStore, SessionRecord, TokenStore

_REMEMBERED: Final = 8
_PREDECESSORS: Final = 33
_SHORT: Final = 16
# Seconds for which a still valid token is returned before a failed early refresh is retried.
_PAUSE_SECONDS: Final = 5.0
# Seconds for which one refusal by an API stands for those that follow.
_REFUSAL_SECONDS: Final = 10.0
_FIRST_SWEEP: Final = 64
_NOT_PAUSED: Final[tuple[str, float]] = "", -math.inf


class Grant:
    """One grant's store and refresh state, shared by all its sessions in this process.

    Attributes:
        store: the store.
        key: the key in it.
        pending: a record that the store still lacks, and the generation that it replaces. Its tokens are new, or the
            old ones if the server did not process the refresh.
        unsent_attempt: a mark whose write failed, and the record that it marks. No refresh was sent under it.
        refreshes: the number of finished refreshes.
        failure: the error of the last refresh, if it failed; callers that waited for it get a copy.
        paused: an access token whose early refresh failed, and the monotonic time until which it is not retried.
        refused: names of APIs that refused a token, and the monotonic time until which they are ignored.
        endings: the number of ended sessions; a session that has counted fewer asks the store.
        ended: the token fingerprints of the session that ended last.
    """

    __slots__ = (
        "__weakref__",
        "aliases",
        "ended",
        "endings",
        "failure",
        "key",
        "paused",
        "pending",
        "refreshes",
        "refused",
        "scope",
        "store",
        "unsent_attempt",
    )

    def __init__(self, scope: int, store: TokenStore, key: str) -> None:
        self.scope = scope
        self.store = store
        self.key = key
        self.pending: tuple[SessionRecord, int] | None = None
        self.unsent_attempt: tuple[SessionRecord, SessionRecord] | None = None
        self.refreshes = 0
        self.failure: RefreshUnavailableError | None = None
        self.paused = _NOT_PAUSED
        self.refused: dict[str, float] | None = None
        self.endings = 0
        self.ended: frozenset[str] = frozenset()
        self.aliases: list[str] = []  # an empty deque takes 760 bytes

    def is_paused(self, tokens: TokenSet, now: float) -> bool:
        """Return True while a failed early refresh of these tokens is not to be retried."""
        token, until = self.paused
        return now < until and token == tokens.access_token

    def is_needed(self, now: float) -> bool:
        """Return True if the grant has state to keep even without sessions."""
        waits = now < self.paused[1] or any(now < until for until in (self.refused or {}).values())
        return waits or not self.has_no_pending_write

    @property
    def has_no_pending_write(self) -> bool:
        """Return True if no write to the store is pending."""
        return self.pending is None and self.unsent_attempt is None

    async def pending_write(self) -> tuple[SessionRecord, int] | None:
        """Return the pending write: `pending`, or the removal of a mark under which no refresh was sent."""
        if self.unsent_attempt is not None:
            mark, marked = self.unsent_attempt
            # Another process may have written an equal mark and sent a refresh. If the store recognises the mark as our
            # own write, remove it; otherwise it stays.
            is_there = await self.store.get(self.key) == mark
            if is_there and await self.store.compare_and_set(self.key, mark, expected=marked.generation):
                self.pending = evolve(marked, generation=mark.generation + 1), mark.generation
            self.unsent_attempt = None
        return self.pending


_IN_MEMORY: Final = 0


class Grants:
    """The grants in use by one client's sessions; each lives as long as its last session, or its pending work.

    A service may create a session per request from tokens that it keeps. The grant is found by its key or by a recent
    refresh token.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._grants: WeakValueDictionary[tuple[int, str], Grant] = WeakValueDictionary()
        self._kept: set[Grant] = set()
        self._sweep_at = _FIRST_SWEEP

    def find(self, store: TokenStore | None, key: str) -> Grant:
        """Return the grant of this key in this store (None: in memory), created if absent."""
        # The id of a store is unique, since the grant keeps the store alive.
        scope = _IN_MEMORY if store is None else id(store)
        with self._guard:
            grant = self._grants.get((scope, key))
            if grant is None:
                grant = Grant(scope, MemoryStore() if store is None else store, key)
                self._grants[scope, key] = grant
            return grant

    def add_pending_write(self, grant: Grant, record: SessionRecord, expected: int, now: float) -> None:
        """Add a pending write."""
        grant.pending = record, expected
        self._keep(grant, now)

    def clear_pending_write(self, grant: Grant, now: float) -> None:
        """Clear the pending write: it succeeded, or is no longer needed."""
        grant.pending = grant.unsent_attempt = None
        if not grant.is_needed(now):
            with self._guard:
                self._kept.discard(grant)

    def add_attempt(self, grant: Grant, mark: SessionRecord, marked: SessionRecord, now: float) -> None:
        """Note that a mark is being written; no refresh is sent under it until the write succeeds."""
        grant.unsent_attempt = mark, marked
        self._keep(grant, now)

    def pause(self, grant: Grant, tokens: TokenSet, now: float, seconds: float | None) -> None:
        """Pause early refreshes of these tokens, for the server's Retry-After (seconds) or a default."""
        grant.paused = tokens.access_token, now + max(_PAUSE_SECONDS, seconds or 0.0)
        self._keep(grant, now)

    def counts_refusal(self, grant: Grant, by: str | None, now: float) -> bool:
        """Return True if an API's refusal of the access token counts; its next ones are ignored for 10 seconds.

        An API that refuses everything must not cause a refresh per request.

        Args:
            grant: the token's grant.
            by: the API's name; None for a caller whose refusals always count.
            now: the monotonic time.
        """
        if by is None:
            return True
        refused = {name: until for name, until in (grant.refused or {}).items() if now < until}
        counts = by not in refused
        grant.refused = {by: now + _REFUSAL_SECONDS, **refused}
        return counts

    def _keep(self, grant: Grant, now: float) -> None:
        """Keep a grant beyond its sessions; now and then drop grants that are no longer needed."""
        with self._guard:
            self._kept.add(grant)
            if len(self._kept) >= self._sweep_at:
                self._kept = {kept for kept in self._kept if kept is grant or kept.is_needed(now)}
                self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._kept))

    def rotated(self, grant: Grant, tokens: TokenSet) -> None:
        """Index the grant by its newest refresh token, too."""
        alias = token_fingerprint(tokens)
        if alias == grant.key or alias in grant.aliases:
            return
        with self._guard:
            self._grants[grant.scope, alias] = grant
            grant.aliases.append(alias)
            if len(grant.aliases) > _REMEMBERED:
                self._grants.pop((grant.scope, grant.aliases.pop(0)), None)

    def replaced(self, grant: Grant) -> None:
        """Remove the grant's old tokens from the index: its key now holds a new sign-in, perhaps another user's."""
        with self._guard:
            while grant.aliases:
                self._grants.pop((grant.scope, grant.aliases.pop()), None)


def token_fingerprint(tokens: TokenSet) -> str:
    """Return a fingerprint (SHA-256) of tokens, which names their grant."""
    return hashlib.sha256((tokens.refresh_token or tokens.access_token).encode()).hexdigest()


def first_record(tokens: TokenSet, expires_at: float | None) -> SessionRecord:
    """Create the first record of a session.

    Each sign-in starts at another generation. So a process that was suspended before another sign-in under the same
    key cannot find its old generation and overwrite that sign-in.
    """
    return SessionRecord(tokens=tokens, generation=int(token_fingerprint(tokens)[:12], 16), expires_at=expires_at)


def predecessors(record: SessionRecord, new: TokenSet) -> tuple[str, ...]:
    """Return the fingerprints of earlier tokens: the sign-in's own, and the most recent ones."""
    name = _short_fingerprint(record.tokens)
    if name == _short_fingerprint(new) or name in record.predecessors:
        return record.predecessors  # The server does not rotate.
    names = (*record.predecessors, name)
    return names if len(names) <= _PREDECESSORS else (names[0], *names[2:])


def token_fingerprints(tokens: TokenSet | None, record: SessionRecord | None) -> frozenset[str]:
    """Return the fingerprints of these tokens and of their predecessors."""
    newest = () if tokens is None else (_short_fingerprint(tokens),)
    return frozenset((*newest, *(() if record is None else record.predecessors)))


def is_new(tokens: TokenSet, stored: SessionRecord) -> bool:
    """Return True if tokens belong to a new sign-in: to another grant than the stored ones.

    The stored fingerprints decide, not the time: clocks of two machines differ, and a kept sign-in response does not
    say when it arrived.
    """
    return _short_fingerprint(tokens) not in token_fingerprints(stored.tokens, stored)


def is_rolled_back(stored: SessionRecord, known: SessionRecord) -> bool:
    """Return True if the store was rolled back to an earlier state of this session, as by a restore."""
    name = _short_fingerprint(stored.tokens)
    return name in known.predecessors or (
        name == _short_fingerprint(known.tokens) and stored.generation < known.generation
    )


def _short_fingerprint(tokens: TokenSet) -> str:
    return token_fingerprint(tokens)[:_SHORT]
