"""Endpoints that GenAuth documents and the emulator does not model, so that it can answer 501."""

from __future__ import annotations

from pathlib import Path

# The operations of /api/v3 in the vendor's SDKs, for authentication and for management.
_OPERATIONS = frozenset(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split())
_FAMILIES = frozenset(
    {
        "/api/v2",
        "/api/v3/metadata",
        "/api/v3/webauthn",
        "/cas-idp",
        "/connections",
        "/graphql",
        "/invitation",
        "/login",
        "/public-config",
    }
)


def exists_at_genauth(path: str) -> bool:
    """Return whether GenAuth documents an endpoint of this path."""
    parts = path.split("/")
    if any("/".join(parts[:count]) in _FAMILIES for count in (2, 3, 4)):
        return True
    return path.startswith("/api/v3/") and parts[3] in _OPERATIONS
