"""What the application's redirect_uri says about the site."""

from __future__ import annotations

from ipaddress import IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna
from attrs import frozen

from .._arguments.urls import is_loopback
from ..errors import ConfigurationError


@frozen
class RedirectUri:
    """Where browsers come back to.

    Attributes:
        path: the callback's, as browsers know it.
        origin: of the site, as browsers write it.
        secure: whether the site is reached by https.
    """

    path: str
    origin: str
    secure: bool


def checked_redirect_uri(redirect_uri: str | None) -> RedirectUri:
    """The parts of a redirect_uri.

    Args:
        redirect_uri: the client's.

    Raises:
        ConfigurationError: it is missing, or of no use.
    """
    if redirect_uri is None:
        raise ConfigurationError(
            "redirect_uri",
            "is needed to sign users in: pass the client the address, as browsers know it and as it is registered in "
            "the console, such as https://app.example.com/callback",
        )
    parts = urlsplit(redirect_uri)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(parts.path) <= 1 or parts.query:
        raise ConfigurationError("redirect_uri", "is an http(s) address with a path, such as https://host/callback")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError("redirect_uri", f"is http to {parts.hostname}: cookies would not be safe; use https")
    try:
        origin = _origin(parts)
    except ValueError as error:
        raise ConfigurationError("redirect_uri", f"is no address: {error}") from None
    return RedirectUri(parts.path, origin, parts.scheme == "https")


def _origin(parts: SplitResult) -> str:
    """As browsers write it (RFC 6454 section 6.2): in ASCII, and without the scheme's own port.

    Raises:
        ValueError: the host or the port is none.
    """
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{IPv6Address(host).compressed}]"
    elif not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")
    is_usual = parts.port in {None, {"http": 80, "https": 443}[parts.scheme]}
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{parts.port}")
