"""The grants (RFC 6749) of one client's sessions in this process, one state for each."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Final
from weakref import WeakValueDictionary

from .._core.background import Background
from ..settings import Clock
from ..stores import MemoryStore, SessionRecord, TokenStore
from .identity import fingerprint, is_same_grant, relation, replacing
from .state import GrantState

_NAMES: Final = 8
_FIRST_SWEEP: Final = 64

KEEP_SECONDS: Final = 60.0
"""For a grant without sessions whose refresh has failed, at most: it holds tokens."""


class Grant:
    """One grant and its place in a store.

    Attributes:
        state: the state.
        store: the store.
        key: the key in it.
        flight: the turn under way, or None.
        storing: the background attempts to store tokens after a failure.
        has_failed_store: the failure of the store has been logged.
        names: fingerprints of recent tokens, by which it is found.
    """

    __slots__ = ("__weakref__", "flight", "has_failed_store", "key", "names", "state", "store", "storing")

    def __init__(self, store: TokenStore, key: str, state: GrantState) -> None:
        self.store = store
        self.key = key
        self.state = state
        self.flight: Background | None = None
        self.storing: Background | None = None
        self.has_failed_store = False
        self.names: tuple[str, ...] = ()

    def under_way(self) -> Background | None:
        """Return the turn under way, or None."""
        return self.flight if self.flight is not None and self.flight.is_running() else None


class Grants:
    """Finds the grant of a key or of a refresh token.

    A grant lives as long as its last session, its turn, or a pause after a failure: services make a session for each
    request.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._by_key: WeakValueDictionary[tuple[int, str], Grant] = WeakValueDictionary()
        self._by_token: WeakValueDictionary[str, Grant] = WeakValueDictionary()
        self._busy: set[Grant] = set()
        self._kept: dict[Grant, float] = {}
        self._sweep_at = _FIRST_SWEEP

    def sign_in(self, first: SessionRecord, store: TokenStore | None, key: str | None, clock: Clock) -> Grant:
        """Return the grant of a session that begins with these tokens.

        Tokens of another sign-in than the present one replace it.

        Args:
            first: the sign-in's first record.
            store: the store; None for this process's memory.
            key: the key in the store; derived from the tokens when None.
            clock: the client's.
        """
        name = fingerprint(first.tokens)
        key = name if key is None else key
        with self._guard:
            present = self._by_key.get(_place(store, key))
            kind = "new" if present is None else relation(first.tokens, present.state.known)
            if present is not None and kind == "same":
                return present
            state = GrantState(first, clock, is_stored=False)
            if kind == "replaced":
                state.end("replaced_by_new_sign_in")
                return Grant(MemoryStore() if store is None else store, key, state)
            if present is not None:
                state.known = replacing(present.state.known, first)
                present.state.end("replaced_by_new_sign_in")
            return self._add(store, key, state)

    def present(self, store: TokenStore, key: str) -> Grant | None:
        """Return the grant under a key, if a session of this process has it."""
        with self._guard:
            grant = self._by_key.get(_place(store, key))
            return None if grant is None or grant.state.ended else grant

    def stored(self, record: SessionRecord, store: TokenStore, key: str, clock: Clock) -> Grant:
        """Return the grant of a record that was read from the store."""
        with self._guard:
            present = self._by_key.get(_place(store, key))
            if present is not None and not present.state.ended:
                known = present.state.known
                if is_same_grant(known, record) or relation(known.tokens, record) != "replaced":
                    return present
                present.state.end("replaced_by_new_sign_in")
            return self._add(store, key, GrantState(record, clock, is_stored=True))

    def holder(self, grant: Grant) -> Grant:
        """Return the grant that refreshes this one's tokens: one under another key, if that had them before."""
        self.index(grant)
        with self._guard:
            return self._by_token.get(fingerprint(grant.state.known.tokens), grant)

    def index(self, grant: Grant) -> None:
        """Let a grant be found by its newest tokens, if no other one is."""
        name = fingerprint(grant.state.known.tokens)
        with self._guard:
            holder = self._by_token.get(name)
            if holder is None or holder.state.ended:
                self._by_token[name] = grant
            if name not in grant.names:
                grant.names = (*grant.names, name)
            if len(grant.names) > _NAMES and self._by_token.get(grant.names[0]) is grant:
                del self._by_token[grant.names[0]]
            grant.names = grant.names[-_NAMES:]

    def begin(self, grant: Grant, work: Callable[[], Awaitable[None]]) -> tuple[Background, bool]:
        """Begin a turn in the background, unless one is under way; return the one under way, and True if it is this."""
        with self._guard:
            under_way = grant.under_way()
            if under_way is not None:
                return under_way, False
            grant.flight = Background(work)
            self._busy.add(grant)
            return grant.flight, True

    def keep(self, grant: Grant, seconds: float) -> None:
        """Keep a grant, tokens included, for so long at least although it may have no session."""
        now = grant.state.clock.monotonic()
        with self._guard:
            if seconds > 0:
                self._kept[grant] = max(now + seconds, self._kept.get(grant, now))
            if len(self._kept) >= self._sweep_at:
                self._kept = {grant: until for grant, until in self._kept.items() if until > now}
                self._sweep_at = max(_FIRST_SWEEP, 2 * len(self._kept))

    def end(self, grant: Grant, seconds: float) -> None:
        """Note the end of a turn; keep the grant for some more seconds."""
        self.index(grant)
        grant.flight = None  # its events take a kilobyte
        now = grant.state.clock.monotonic()
        with self._guard:
            self._busy.discard(grant)
            left = min(self._kept.pop(grant, now) - now, KEEP_SECONDS)
        self.keep(grant, 0.0 if grant.state.ended else max(left, seconds))

    async def finish(self) -> None:
        """Let the work under way on this event loop end at its next pause, and wait for it."""
        with self._guard:
            works = [work for grant in {*self._busy, *self._kept} for work in (grant.flight, grant.storing) if work]
        here = [work for work in works if work.is_here()]
        for work in here:
            work.stop()
        for work in here:
            await work.wait()

    def _add(self, store: TokenStore | None, key: str, state: GrantState) -> Grant:
        grant = Grant(MemoryStore() if store is None else store, key, state)
        self._by_key[_place(store, key)] = grant
        return grant


def _place(store: TokenStore | None, key: str) -> tuple[int, str]:
    # The id of a store is unique, since the grant keeps the store alive.
    return (0 if store is None else id(store)), key
