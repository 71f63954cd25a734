"""Scopes of OAuth 2.0 (RFC 6749 section 3.3)."""

from __future__ import annotations


def split_scope(scope: str | None) -> list[str]:
    """Split a scope at its spaces; other blanks are no separators."""
    return [name for name in scope.split(" ") if name] if scope else []
