"""Endpoints that GenAuth has and the emulator has not, so that it can answer 501."""

from __future__ import annotations

_OPERATIONS = frozenset(
    {
        "decrypt-douyin-miniprogram-data",
        "decrypt-wechat-miniprogram-data",
        "get-alipay-authinfo",
        "get-wechat-access-token",
        "get-wechat-access-token-info",
    }
)
_FAMILIES = ("/api/v2/", "/api/v3/webauthn/", "/cas-idp/", "/invitation", "/login")


def exists_at_genauth(path: str) -> bool:
    """Return whether GenAuth documents an endpoint of this path."""
    return path.startswith(_FAMILIES) or path.removeprefix("/api/v3/") in _OPERATIONS
