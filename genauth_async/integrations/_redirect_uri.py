"""The site's origin and callback path, from the application's redirect_uri."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import idna
from attrs import frozen

from .._arguments.urls import is_loopback, require_redirect_uri
from ..errors import ConfigurationError

_NOT_PLAIN: Final = re.compile(r"//|[{}\\]|/\.\.?(?:/|$)")


@frozen
class RedirectUri:
    """The parts of a redirect_uri.

    Attributes:
        path: the callback's path, decoded.
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
    parts = urlsplit(require_redirect_uri("redirect_uri", redirect_uri))
    if parts.scheme not in {"http", "https"} or len(parts.path) <= 1 or "?" in redirect_uri:
        raise ConfigurationError("redirect_uri", "must be an http(s) URL with a path, such as https://host/callback")
    path = unquote(parts.path)
    if _NOT_PLAIN.search(path):  # browsers and routers would resolve it to another one
        raise ConfigurationError(
            "redirect_uri", "must have a path without //, dots for segments, braces and backslashes"
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        problem = f"must be https, not http to {parts.hostname}: cookies would not be safe"
        raise ConfigurationError("redirect_uri", problem)
    try:
        origin = _origin(parts)
    except ValueError as error:
        raise ConfigurationError("redirect_uri", f"must be a URL: {error}") from None
    return RedirectUri(path, origin, parts.scheme == "https")


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
