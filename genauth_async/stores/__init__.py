"""Where sessions keep their tokens."""

from __future__ import annotations

from ._protocol import SessionRecord, TokenStore
from .memory import MemoryStore

__all__ = ["MemoryStore", "SessionRecord", "TokenStore"]
