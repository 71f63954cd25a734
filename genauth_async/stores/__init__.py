"""Token stores. Those that need an optional package are imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ._protocol import RefreshAttempt, SessionIndex, SessionRecord, TokenStore
from .file import FileStore
from .memory import MemoryStore

if TYPE_CHECKING:
    from .keyring import KeyringStore
    from .redis import RedisStore

__all__ = [
    "FileStore",
    "KeyringStore",
    "MemoryStore",
    "RedisStore",
    "RefreshAttempt",
    "SessionIndex",
    "SessionRecord",
    "TokenStore",
]

_MODULE_OF: Final = {"KeyringStore": "keyring", "RedisStore": "redis"}


if not TYPE_CHECKING:  # type checkers read the imports above, and must not accept any other name

    def __getattr__(name: str) -> object:
        module = _MODULE_OF.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f".{module}", __name__), name)
        return found
