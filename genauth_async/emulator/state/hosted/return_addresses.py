"""The registered addresses that browsers may be redirected to."""

from __future__ import annotations

import re
from collections import defaultdict
from threading import Lock
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Browsers and urlsplit read backslashes, blanks and control characters differently: a source of open redirects.
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_SCRIPT_SCHEMES = frozenset({"data", "javascript", "vbscript"})


class ReturnAddresses:
    """The registered addresses of each application.

    An application that registered none may send browsers back to this machine only, over http or https, to any port.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._registered: defaultdict[str, set[str]] = defaultdict(set)

    def register(self, uri: str, app_id: str) -> None:
        """Register an address for an application; it is compared character by character."""
        parts = urlsplit(uri)
        if not _URI.fullmatch(uri) or not parts.scheme or "#" in uri or parts.scheme.lower() in _SCRIPT_SCHEMES:
            raise ValueError(f"uri must be an absolute URI without a fragment, not {uri!r}")
        with self._lock:
            self._registered[app_id].add(uri)

    def allow(self, uri: str, app_id: str) -> bool:
        """Return whether an application may redirect browsers there."""
        with self._lock:
            registered = set(self._registered.get(app_id, ()))
        return uri in registered if registered else _is_loopback(uri)

    def allow_any(self, uri: str) -> bool:
        """Return whether any application may redirect browsers there, for requests that name none."""
        with self._lock:
            registered = {address for addresses in self._registered.values() for address in addresses}
        return uri in registered if registered else _is_loopback(uri)


def _is_loopback(uri: str) -> bool:
    if not _URI.fullmatch(uri) or "#" in uri:
        return False
    try:
        parts = urlsplit(uri)
        port_is_number = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"} and "@" not in parts.netloc and parts.hostname in _LOOPBACK and port_is_number
    )
