"""Base URLs of servers."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from ..errors import ConfigurationError

DEFAULT_HOST: Final = "https://api.genauth.ai"
DEFAULT_WEBSOCKET_HOST: Final = "wss://events.genauth.ai"


def require_app_host(app_host: str | None, *, allow_insecure_http: bool) -> str:
    """Return the application's base URL without a trailing slash.

    Raises:
        ConfigurationError: it is not a base URL, or plain http to another machine.
    """
    exposed = None if allow_insecure_http else "passwords and tokens"
    example = "the application's address, like https://example.genauth.ai"
    url = DEFAULT_HOST if app_host is None else app_host
    return _require_origin("app_host", url, "http", example, exposed)


def require_websocket_host(websocket_host: str | None, *, allow_insecure_http: bool) -> str | None:
    """Return the event server's base URL without a trailing slash; None if the caller gave none.

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
    host = url.strip().rstrip("/")
    try:
        parts = urlsplit(host)
        name, _port = parts.hostname, parts.port
        (name or "").encode("idna")
    except ValueError as error:
        raise ConfigurationError(argument, f"must be a valid URL: {error}") from error
    if parts.scheme not in {scheme, f"{scheme}s"} or not name:
        raise ConfigurationError(argument, f"must be {example}")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(argument, "must not contain a user name or password")
    if parts.path or parts.query or parts.fragment:
        raise ConfigurationError(argument, f"must be the host alone: {parts.scheme}://{parts.netloc}")
    if parts.scheme == scheme and exposed is not None and not is_loopback(name):
        raise ConfigurationError(
            argument,
            f"{scheme}:// would send {exposed} to {name} unencrypted; use {scheme}s://, or pass "
            "allow_insecure_http=True if the network in between is trusted",
        )
    return host


def is_loopback(name: str) -> bool:
    """Return whether a host name means this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
