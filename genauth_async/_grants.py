"""Which sessions of this process belong to the same grant, so that one refresh serves them all."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import deque
from typing import Final
from weakref import WeakValueDictionary

from .errors import RefreshUnavailableError
from .models.tokens import TokenSet
from .stores import MemoryStore, SessionRecord, TokenStore

_REMEMBERED: Final = 8


class Grant:
    """Where one grant's tokens are kept, and how its refreshes went: what all its sessions in this process share.

    Attributes:
        store: the store.
        key: the key in it.
        unstored: tokens that the server gave and the store did not take yet, with the generation that they replace.
        refreshes: how many ended.
        failure: how the last one failed, if it did; those who waited for it get the same error.
        pause_until: until when, on the monotonic clock, a failed early refresh is not tried again.
    """

    __slots__ = ("__weakref__", "aliases", "failure", "key", "pause_until", "refreshes", "scope", "store", "unstored")

    def __init__(self, scope: int, store: TokenStore, key: str) -> None:
        self.scope = scope
        self.store = store
        self.key = key
        self.unstored: tuple[SessionRecord, int] | None = None
        self.refreshes = 0
        self.failure: RefreshUnavailableError | None = None
        self.pause_until = -math.inf
        self.aliases: deque[str] = deque()


_IN_MEMORY: Final = 0


class Grants:
    """The grants that sessions of one client are using; one goes with its last session.

    A service may build a session anew for each request, from tokens that it keeps. Found by its key, or by its refresh
    token, newest or recent, the grant is the same one.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._grants: WeakValueDictionary[tuple[int, str], Grant] = WeakValueDictionary()

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

    def rotated(self, grant: Grant, tokens: TokenSet) -> None:
        """Lets the grant be found by its newest refresh token too."""
        alias = token_name(tokens)
        if alias == grant.key or alias in grant.aliases:
            return
        with self._guard:
            self._grants[grant.scope, alias] = grant
            grant.aliases.append(alias)
            if len(grant.aliases) > _REMEMBERED:
                self._grants.pop((grant.scope, grant.aliases.popleft()), None)

    def replaced(self, grant: Grant) -> None:
        """Under the grant's key there is a new sign-in, perhaps another user's: the old tokens no longer lead to it."""
        with self._guard:
            while grant.aliases:
                self._grants.pop((grant.scope, grant.aliases.popleft()), None)


def token_name(tokens: TokenSet) -> str:
    """A name for the grant that tokens belong to, which gives nothing away."""
    return hashlib.sha256((tokens.refresh_token or tokens.access_token).encode()).hexdigest()


def is_behind(stored: SessionRecord, known: SessionRecord) -> bool:
    """Whether the store has fallen back to an earlier state of this session, as one does that was restored."""
    name = token_name(stored.tokens)
    return name in known.predecessors or (name == token_name(known.tokens) and stored.generation < known.generation)
