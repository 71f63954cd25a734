"""The site's origin and callback path, from the application's redirect_uri."""

from __future__ import annotations

from ipaddress import IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna
from attrs import frozen

from .._arguments.urls import is_loopback
from ..errors import ConfigurationError


@frozen
class RedirectUri:
    """The parts of a redirect_uri.

    Attributes:
        path: the callback's path, as browsers see it.
        origin: the site's origin, as browsers write it.
        secure: True if the site uses https.
    """

    path: str
    origin: str
    secure: bool


def checked_redirect_uri(redirect_uri: str | None) -> RedirectUri:
    """Parse and check a redirect_uri.

    Args:
        redirect_uri: the client's.

    Raises:
        ConfigurationError: it is missing or unusable.
    """
    if redirect_uri is None:
        raise ConfigurationError(
            "redirect_uri",
            "must be given to sign users in: the address as browsers see it and as it is registered in the console, "
            "such as https://app.example.com/callback",
        )
    parts = urlsplit(redirect_uri)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(parts.path) <= 1 or parts.query:
        raise ConfigurationError("redirect_uri", "must be an http(s) URL with a path, such as https://host/callback")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        problem = f"must be https, not http to {parts.hostname}: cookies would not be safe"
        raise ConfigurationError("redirect_uri", problem)
    try:
        origin = _origin(parts)
    except ValueError as error:
        raise ConfigurationError("redirect_uri", f"must be a URL: {error}") from None
    return RedirectUri(parts.path, origin, parts.scheme == "https")


def _origin(parts: SplitResult) -> str:
    """Serialize an origin as browsers do (RFC 6454 section 6.2): in ASCII, without the default port.

    Raises:
        ValueError: the host or the port is invalid.
    """
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{IPv6Address(host).compressed}]"
    elif not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")
    is_usual = parts.port in {None, {"http": 80, "https": 443}[parts.scheme]}
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{parts.port}")
