"""Which sessions of this process belong to the same grant, so that one refresh serves them all."""

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
# How long a token that is still valid is handed out before a failed early refresh is tried again.
_PAUSE_SECONDS: Final = 5.0
# How long an API's refusal counts for all that follow it.
_REFUSAL_SECONDS: Final = 10.0
_FIRST_SWEEP: Final = 64
_NOT_PAUSED: Final[tuple[str, float]] = "", -math.inf


class Grant:
    """Where one grant's tokens are kept, and how its refreshes went: what all its sessions in this process share.

    Attributes:
        store: the store.
        key: the key in it.
        unstored: tokens that the server gave, or that it did not look at, and that the store did not take yet, with the
            generation that they replace.
        unsent: a mark that was being written when the store failed, and the record that it marks: nothing was sent.
        refreshes: how many ended.
        failure: how the last one failed, if it did; those who waited for it get the same error.
        paused: with which access token a failed early refresh is not tried again, until when on the monotonic clock.
        refused: by whom tokens were refused of late, and until when that does not count again.
        endings: how many sessions ended; whoever knows of fewer asks the store.
        ended: the names of the tokens of the last one that did.
    """

    __slots__ = (
        "__weakref__",
        "aliases",
        "ended",
        "endings",
        "failure",
        "key",
        "paused",
        "refreshes",
        "refused",
        "scope",
        "store",
        "unsent",
        "unstored",
    )

    def __init__(self, scope: int, store: TokenStore, key: str) -> None:
        self.scope = scope
        self.store = store
        self.key = key
        self.unstored: tuple[SessionRecord, int] | None = None
        self.unsent: tuple[SessionRecord, SessionRecord] | None = None
        self.refreshes = 0
        self.failure: RefreshUnavailableError | None = None
        self.paused = _NOT_PAUSED
        self.refused: dict[str, float] | None = None
        self.endings = 0
        self.ended: frozenset[str] = frozenset()
        self.aliases: list[str] = []  # a deque takes 760 bytes, though it be empty

    def is_paused(self, tokens: TokenSet, now: float) -> bool:
        """Whether these are not to be refreshed early again yet."""
        token, until = self.paused
        return now < until and token == tokens.access_token

    def is_needed(self, now: float) -> bool:
        """Whether it has something to remember when no session has it any more."""
        waits = now < self.paused[1] or any(now < until for until in (self.refused or {}).values())
        return waits or not self.owes_nothing

    @property
    def owes_nothing(self) -> bool:
        """Whether the store has all that is known here."""
        return self.unstored is None and self.unsent is None

    async def owed(self) -> tuple[SessionRecord, int] | None:
        """What is still to be stored: `unstored`, or what takes a mark back under which nothing was sent."""
        if self.unsent is not None:
            mark, marked = self.unsent
            # Another process may have made the same mark, and have sent. A store that knows its own writes again says
            # that this one is ours; of any other the mark stays.
            is_there = await self.store.get(self.key) == mark
            if is_there and await self.store.compare_and_set(self.key, mark, expected=marked.generation):
                self.unstored = evolve(marked, generation=mark.generation + 1), mark.generation
            self.unsent = None
        return self.unstored


_IN_MEMORY: Final = 0


class Grants:
    """The grants that sessions of one client are using; one goes with its last session, unless it has more to do.

    A service may build a session anew for each request, from tokens that it keeps. Found by its key, or by its refresh
    token, newest or recent, the grant is the same one.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._grants: WeakValueDictionary[tuple[int, str], Grant] = WeakValueDictionary()
        self._kept: set[Grant] = set()
        self._sweep_at = _FIRST_SWEEP

    def find(self, store: TokenStore | None, key: str) -> Grant:
        """The grant of this key in this store (None: in memory), made if there is none."""
        # A store may be told by its id, since the grant keeps it alive.
        scope = _IN_MEMORY if store is None else id(store)
        with self._guard:
            grant = self._grants.get((scope, key))
            if grant is None:
                grant = Grant(scope, MemoryStore() if store is None else store, key)
                self._grants[scope, key] = grant
            return grant

    def owe(self, grant: Grant, record: SessionRecord, expected: int, now: float) -> None:
        """Notes what the store has yet to take."""
        grant.unstored = record, expected
        self._keep(grant, now)

    def settle(self, grant: Grant, now: float) -> None:
        """Notes that the store has what it was owed, or that nobody needs it any longer."""
        grant.unstored = grant.unsent = None
        if not grant.is_needed(now):
            with self._guard:
                self._kept.discard(grant)

    def marking(self, grant: Grant, mark: SessionRecord, marked: SessionRecord, now: float) -> None:
        """Notes that a mark is being written, under which nothing is sent before that has succeeded."""
        grant.unsent = mark, marked
        self._keep(grant, now)

    def pause(self, grant: Grant, tokens: TokenSet, now: float, seconds: float | None) -> None:
        """Notes that a failed early refresh of these is not tried again for so long, if the server told."""
        grant.paused = tokens.access_token, now + max(_PAUSE_SECONDS, seconds or 0.0)
        self._keep(grant, now)

    def refusal_counts(self, grant: Grant, by: str | None, now: float) -> bool:
        """Whether a refusal of the access token counts; if so, the next ones of the same API do not for a while.

        An API that refuses everything must not have a token refreshed for each request.

        Args:
            grant: whose token it is.
            by: the API's name; None for one who asks for himself, and is always believed.
            now: the monotonic time.
        """
        if by is None:
            return True
        refused = {name: until for name, until in (grant.refused or {}).items() if now < until}
        counts = by not in refused
        grant.refused = {by: now + _REFUSAL_SECONDS, **refused}
        return counts

    def _keep(self, grant: Grant, now: float) -> None:
        """Keeps a grant although its session may be of one request only; and now and then lets go of others."""
        with self._guard:
            self._kept.add(grant)
            if len(self._kept) >= self._sweep_at:
                self._kept = {kept for kept in self._kept if kept is grant or kept.is_needed(now)}
                self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._kept))

    def rotated(self, grant: Grant, tokens: TokenSet) -> None:
        """Lets the grant be found by its newest refresh token too."""
        alias = token_name(tokens)
        if alias == grant.key or alias in grant.aliases:
            return
        with self._guard:
            self._grants[grant.scope, alias] = grant
            grant.aliases.append(alias)
            if len(grant.aliases) > _REMEMBERED:
                self._grants.pop((grant.scope, grant.aliases.pop(0)), None)

    def replaced(self, grant: Grant) -> None:
        """Under the grant's key there is a new sign-in, perhaps another user's: the old tokens no longer lead to it."""
        with self._guard:
            while grant.aliases:
                self._grants.pop((grant.scope, grant.aliases.pop()), None)


def token_name(tokens: TokenSet) -> str:
    """A name for the grant that tokens belong to, which gives nothing away."""
    return hashlib.sha256((tokens.refresh_token or tokens.access_token).encode()).hexdigest()


def first_record(tokens: TokenSet, expires_at: float | None) -> SessionRecord:
    """The record of a session that the store has not seen.

    Generations begin elsewhere for each sign-in: a process that stood still since before another one under the same
    key must not find the generation that it left, and write over what is not its own.
    """
    return SessionRecord(tokens=tokens, generation=int(token_name(tokens)[:12], 16), expires_at=expires_at)


def predecessors(record: SessionRecord, new: TokenSet) -> tuple[str, ...]:
    """The names of what came before these tokens: the sign-in's own, and the last ones."""
    name = _short_name(record.tokens)
    if name == _short_name(new) or name in record.predecessors:
        return record.predecessors  # The server does not rotate.
    names = (*record.predecessors, name)
    return names if len(names) <= _PREDECESSORS else (names[0], *names[2:])


def names(tokens: TokenSet | None, record: SessionRecord | None) -> frozenset[str]:
    """The names of these tokens, and of those before them."""
    newest = () if tokens is None else (_short_name(tokens),)
    return frozenset((*newest, *(() if record is None else record.predecessors)))


def is_new(tokens: TokenSet, stored: SessionRecord) -> bool:
    """Whether tokens are of another grant than those that are stored: of a new sign-in.

    Decided by what the store knows of its grant, not by time: clocks of two machines differ, and answers that were kept
    for a while do not say when they came.
    """
    return _short_name(tokens) not in names(stored.tokens, stored)


def is_behind(stored: SessionRecord, known: SessionRecord) -> bool:
    """Whether the store has fallen back to an earlier state of this session, as one does that was restored."""
    name = _short_name(stored.tokens)
    return name in known.predecessors or (name == _short_name(known.tokens) and stored.generation < known.generation)


def _short_name(tokens: TokenSet) -> str:
    return token_name(tokens)[:_SHORT]
