"""Which sessions of this process belong to the same grant, so that one refresh serves them all."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from typing import Final
from weakref import WeakValueDictionary

from .models.tokens import TokenSet
from .stores import MemoryStore, TokenStore

_REMEMBERED: Final = 8


class Grant:
    """Where one grant's tokens are kept.

    Attributes:
        store: the store.
        key: the key in it.
    """

    __slots__ = ("__weakref__", "aliases", "key", "store")

    def __init__(self, store: TokenStore, key: str) -> None:
        self.store = store
        self.key = key
        self.aliases: deque[str] = deque()


class Grants:
    """The grants that sessions without a store of their own are using; one goes with its last session.

    A service may build a session anew for each request, from tokens that it keeps. Found by its refresh token, newest
    or recent, the grant is the same one, with its lock and its newest tokens.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._grants: WeakValueDictionary[str, Grant] = WeakValueDictionary()

    def find(self, name: str) -> Grant:
        """The grant of this name, made if there is none."""
        with self._guard:
            grant = self._grants.get(name)
            if grant is None:
                grant = self._grants[name] = Grant(MemoryStore(), name)
            return grant

    def rotated(self, grant: Grant, tokens: TokenSet) -> None:
        """Lets the grant be found by its newest refresh token too."""
        name = token_name(tokens)
        with self._guard:
            self._grants[name] = grant
            grant.aliases.append(name)
            if len(grant.aliases) > _REMEMBERED:
                self._grants.pop(grant.aliases.popleft(), None)


def token_name(tokens: TokenSet) -> str:
    """A name for the grant that tokens belong to, which gives nothing away."""
    return hashlib.sha256((tokens.refresh_token or tokens.access_token).encode()).hexdigest()
