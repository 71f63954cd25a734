"""ID tokens of refreshes (OpenID Connect Core section 12.2)."""

from __future__ import annotations

import logging
from typing import Final

from .._jwt.jws import parse
from ..errors import MalformedTokenError

_log: Final = logging.getLogger(__name__)


def is_of_another_user(old: str | None, new: str | None) -> bool:
    """Return True if the new ID token has another issuer or user than the old one, or lacks one of its audiences.

    Missing claims and unreadable tokens say nothing. The signature is not verified: the token came from the token
    endpoint over TLS (section 3.1.3.7, point 6).
    """
    before, now = _identity(old), _identity(new)
    return any(not values <= now.get(name, values) for name, values in before.items())


def id_token_to_keep(old: str | None, new: str | None) -> str | None:
    """Return the ID token of a session after a refresh: the old one unless the new one says as much."""
    if not new:
        return old
    missing = _identity(old).keys() - _identity(new).keys()
    if missing:
        lacks = ", ".join(sorted(missing))
        _log.warning("The ID token of a refresh is unreadable or lacks %s; the session keeps the earlier one", lacks)
        return old
    return new


def _identity(id_token: str | None) -> dict[str, frozenset[str]]:
    """Return the claims that must not change, each as a set."""
    try:
        claims = parse(id_token or "").claims
    except MalformedTokenError:
        return {}
    found = {name: claims.get(name) for name in ("iss", "sub", "aud")}
    listed = {name: value if isinstance(value, list) and name == "aud" else [value] for name, value in found.items()}
    texts = {name: frozenset(value for value in values if isinstance(value, str)) for name, values in listed.items()}
    return {name: values for name, values in texts.items() if values}
