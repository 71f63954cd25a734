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

    __slots__ = ("__weakref__", "aliases", "failure", "key", "pause_until", "refreshes", "store", "unstored")

    def __init__(self, store: TokenStore, key: str) -> None:
        self.store = store
        self.key = key
        self.unstored: tuple[SessionRecord, int] | None = None
        self.refreshes = 0
        self.failure: RefreshUnavailableError | None = None
        self.pause_until = -math.inf
        self.aliases: deque[str] = deque()


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
        name = (_NO_STORE if store is None else id(store), key)
        with self._guard:
            grant = self._grants.get(name)
            if grant is None:
                grant = self._grants[name] = Grant(MemoryStore() if store is None else store, key)
                # Its store may be told apart by its id, since the grant keeps it alive.
                grant.aliases.append(key)
            return grant

    def rotated(self, grant: Grant, tokens: TokenSet, *, in_memory: bool) -> None:
        """Lets the grant be found by its newest refresh token too."""
        store, alias = _NO_STORE if in_memory else id(grant.store), token_name(tokens)
        with self._guard:
            if alias not in grant.aliases:
                self._grants[store, alias] = grant
                grant.aliases.append(alias)
            if len(grant.aliases) > _REMEMBERED:
                forgotten = grant.aliases[1]  # the first is its key
                del grant.aliases[1]
                self._grants.pop((store, forgotten), None)


_NO_STORE: Final = 0


def token_name(tokens: TokenSet) -> str:
    """A name for the grant that tokens belong to, which gives nothing away."""
    return hashlib.sha256((tokens.refresh_token or tokens.access_token).encode()).hexdigest()
