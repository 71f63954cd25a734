"""The registered addresses that browsers may be redirected to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from threading import Lock
from urllib.parse import unquote, urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Browsers and urlsplit read backslashes, blanks and control characters differently: a source of open redirects.
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_ANY_PORT = "(:[0-9]{1,5})?"
_SCRIPT_SCHEMES = frozenset({"data", "javascript", "vbscript"})


class ReturnAddresses:
    """The registered addresses of each application.

    An application that registered none may send browsers back to this machine only, over http or https, to any port.

    In a registered address `*` stands for any text in its place, and never for more: in the host for (a part of) one
    label, but not the last; for a port; for a part of the path, slashes included; for a part of the query. At 127.0.0.1
    and [::1] over http any port fits (RFC 8252 section 7.3).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._registered: defaultdict[str, dict[str, re.Pattern[str]]] = defaultdict(dict)

    def register(self, uri: str, app_id: str) -> None:
        """Register an address for an application.

        Raises:
            ValueError: it is no absolute URI without a fragment, would run a script, or has `*` in the wrong place.
        """
        parts = urlsplit(uri)
        if not _URI.fullmatch(uri) or not parts.scheme or "#" in uri or parts.scheme.lower() in _SCRIPT_SCHEMES:
            raise ValueError(f"uri must be an absolute URI without a fragment, not {uri!r}")
        with self._lock:
            self._registered[app_id][uri] = _pattern_of(uri)

    def allow(self, uri: str, app_id: str) -> bool:
        """Return whether an application may redirect browsers there."""
        with self._lock:
            registered = dict(self._registered.get(app_id, {}))
        return _fits(uri, registered) if registered else _is_loopback(uri)

    def allow_any(self, uri: str) -> bool:
        """Return whether any application may redirect browsers there, for requests that name none."""
        with self._lock:
            registered = {uri: pattern for each in self._registered.values() for uri, pattern in each.items()}
        return _fits(uri, registered) if registered else _is_loopback(uri)

    def of(self, app_id: str) -> list[str]:
        """List the registered addresses of an application."""
        with self._lock:
            return sorted(self._registered.get(app_id, ()))

    def by_app(self) -> dict[str, list[str]]:
        """Return the registered addresses by application."""
        with self._lock:
            return {app_id: sorted(addresses) for app_id, addresses in self._registered.items()}


def _pattern_of(uri: str) -> re.Pattern[str]:
    address, mark, query = uri.partition("?")
    scheme, _, path = address.partition(":")
    host = port = ""
    if path.startswith("//"):
        authority, slash, path = path[2:].partition("/")
        path = slash + path
        host, port = _split_port(authority)
        if "*" in host.rpartition(".")[2]:
            raise ValueError(f"uri must have * in its host before the last label only, not {uri!r}")
        host = f"//{host}"
    any_port = scheme == "http" and host in {"//127.0.0.1", "//[::1]"}
    return re.compile(
        f"{re.escape(scheme)}:"
        f"{_with_wildcards(host, '[A-Za-z0-9-]+')}"
        f"{_ANY_PORT if any_port else _with_wildcards(port, '[0-9]+')}"
        f"{_with_wildcards(path, '[^?]*')}"
        f"{_with_wildcards(mark + query, '.*')}"
    )


def _split_port(authority: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":")
    return (host, colon + port) if colon and not port.strip("*0123456789") else (authority, "")


def _with_wildcards(text: str, wildcard: str) -> str:
    return wildcard.join(re.escape(part) for part in text.split("*"))


def _fits(uri: str, registered: Mapping[str, re.Pattern[str]]) -> bool:
    if uri in registered and "*" not in uri:
        return True
    if not _URI.fullmatch(uri) or "#" in uri:
        return False
    # Browsers resolve /app/../elsewhere, which /app/* does not mean.
    steps = {unquote(step) for step in uri.partition("?")[0].split("/")}
    return steps.isdisjoint({".", ".."}) and any(pattern.fullmatch(uri) for pattern in registered.values())


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
