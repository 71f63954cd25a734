"""Base URLs of servers."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from attrs import field, frozen

from ..errors import ConfigurationError

DEFAULT_HOST: Final = "https://api.genauth.ai"
DEFAULT_WEBSOCKET_HOST: Final = "wss://openevent.genauth.ai"
DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#\\]*)(.*)", re.IGNORECASE | re.ASCII)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:.", re.IGNORECASE | re.ASCII)
_AUTHORITY: Final = re.compile(r"(?:(.*)@)?(\[.*\]|[^\[\]:@]+)(?::([0-9]{0,9}))?")
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_NAME: Final = 253
_LARGEST_PORT: Final = 65535


@frozen
class Address:
    """A URL's parts, normalized (RFC 3986 section 6.2.2): scheme and host in lower case, the host in ASCII.

    Attributes:
        scheme: without the colon.
        user: the user name and password as written, or None.
        host: a name or an address; IPv6 in brackets.
        port: None if it is the scheme's default, or missing.
        rest: path, query and fragment.
    """

    scheme: str
    user: str | None = field(repr=False)
    host: str
    port: int | None
    rest: str = field(repr=False)

    @property
    def authority(self) -> str:
        """The host and the port."""
        return self.host if self.port is None else f"{self.host}:{self.port}"


def parse_address(url: str) -> Address | None:
    """Parse a URL; None if it does not begin with a scheme and a host.

    Raises:
        ValueError: it is invalid. The message tells why and quotes nothing, since URLs may hold passwords.
    """
    if not url.isprintable() or " " in url:
        raise ValueError("remove the blanks and control characters in it")
    parts = _URL.fullmatch(url)
    if parts is None or not parts[2]:
        return None
    scheme, rest = parts[1].lower(), parts[3]
    authority = _AUTHORITY.fullmatch(parts[2])
    if authority is None:
        raise ValueError("the host must be followed by nothing, or by : and a number; IPv6 addresses need brackets")
    user, name, digits = authority.groups()
    port = int(digits) if digits else None
    if port is not None and not 0 < port <= _LARGEST_PORT:
        raise ValueError(f"the port must be from 1 to {_LARGEST_PORT}")
    return Address(scheme, user, normalize_host(name), None if port == DEFAULT_PORTS.get(scheme) else port, rest)


def require_redirect_uri(argument: str, uri: str) -> str:
    """Require a URI that browsers can be sent back to (RFC 6749 section 3.1.2).

    Args:
        argument: its name.
        uri: the URI; that of an app on a phone may have a scheme of its own.

    Raises:
        ConfigurationError: it is not absolute, or has a fragment, a user name, or an invalid host.
    """
    if "#" in uri:
        raise ConfigurationError(argument, "must have no fragment: remove the # and what follows it")
    if not _SCHEME.match(uri):
        raise ConfigurationError(argument, "must be an absolute URI, such as https://app.example.com/callback")
    if uri.lower().startswith(("http:", "https:")):
        try:
            address = parse_address(uri)
        except ValueError as error:
            raise ConfigurationError(argument, f"must be a URL: {error}") from None
        if address is None:
            raise ConfigurationError(argument, "must have a host, such as https://app.example.com/callback")
        if address.user is not None:
            raise ConfigurationError(argument, "must have no user name or password: remove what precedes the @")
    return uri


def normalize_host(name: str) -> str:
    """Return a host as DNS and certificates write it: lower-case ASCII, without a trailing dot.

    Raises:
        ValueError: it is neither a name nor an address.
    """
    try:
        if name.startswith("["):
            address = IPv6Address(name[1:-1])
            if address.scope_id is None:
                return f"[{address.compressed}]"
        elif len(name) <= _LONGEST_NAME + 1:
            if not name.isascii() or "xn--" in name.lower():
                import idna

                name = idna.encode(name, uts46=True).decode("ascii")
            name = name.lower().removesuffix(".")
            labels = name.split(".")
            if len(name) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, labels)):
                return str(IPv4Address(name)) if _NUMBER.fullmatch(labels[-1]) else name
    except ValueError:
        pass
    raise ValueError("the host must be a name or an IP address") from None


def require_app_host(app_host: str | None, *, allow_insecure_http: bool) -> str:
    """Return the application's base URL, normalized and without a trailing slash.

    Raises:
        ConfigurationError: it is not a base URL, or plain http to another machine.
    """
    exposed = None if allow_insecure_http else "passwords and tokens"
    example = "the application's address, like https://example.genauth.ai"
    url = DEFAULT_HOST if app_host is None else app_host
    return _require_origin("app_host", url, "http", example, exposed)


def require_websocket_host(websocket_host: str | None, *, allow_insecure_http: bool) -> str | None:
    """Return the event server's base URL, normalized and without a trailing slash; None if the caller gave none.

    Raises:
        ConfigurationError: it is not a base URL, or plain ws to another machine.
    """
    if websocket_host is None:
        return None
    exposed = None if allow_insecure_http else "access tokens"
    example = f"the event server's address, like {DEFAULT_WEBSOCKET_HOST}"
    return _require_origin("websocket_host", websocket_host, "ws", example, exposed)


def _require_origin(argument: str, url: str, scheme: str, example: str, exposed: str | None) -> str:
    """Return a base URL without a trailing slash.

    Args:
        argument: its name, for messages.
        url: the caller's value.
        scheme: the plain scheme; with an s appended it is the secure one.
        example: a valid value, for messages.
        exposed: the data that the plain scheme would expose, or None if that is allowed.
    """
    if not isinstance(url, str):
        raise ConfigurationError(argument, f"must be a str, not {type(url).__name__}: {example}")
    try:
        address = parse_address(url.strip())
    except ValueError as error:
        raise ConfigurationError(argument, f"must be a valid URL: {error}; it is {example}") from None
    if address is None or address.scheme not in {scheme, f"{scheme}s"}:
        raise ConfigurationError(argument, f"must be {example}")
    origin = f"{address.scheme}://{address.authority}"
    if address.user is not None:
        raise ConfigurationError(argument, f"must not contain a user name or password: {origin}")
    if address.rest.strip("/"):
        raise ConfigurationError(argument, f"must be the host alone: {origin}")
    if address.scheme == scheme and exposed is not None and not is_loopback(address.host.strip("[]")):
        raise ConfigurationError(
            argument,
            f"{scheme}:// would send {exposed} to {address.host} unencrypted; use {scheme}s://, or pass "
            "allow_insecure_http=True if the network in between is trusted",
        )
    return origin


def is_loopback(name: str) -> bool:
    """Return whether a host name means this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
