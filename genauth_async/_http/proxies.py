"""Proxies from the environment or the caller."""

from __future__ import annotations

from importlib.util import find_spec
from urllib.parse import urlsplit

from .._arguments.urls import is_loopback
from ..errors import ConfigurationError


def environment_proxy(origin: str) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(origin)
    if is_loopback(parts.hostname or ""):
        # Never through a proxy: it would see passwords over plain HTTP.
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return None if proxy is None or proxy_bypass(parts.hostname or "") else proxy


def checked_proxy(proxy: str | None) -> str | None:
    if proxy is None:
        return None
    scheme = proxy.partition("://")[0].lower()
    if scheme in {"socks5", "socks5h"} and find_spec("socksio") is None:
        raise ConfigurationError("proxy", "is a SOCKS proxy, which needs a package: pip install 'httpx[socks]'")
    if scheme not in {"http", "https", "socks5", "socks5h"}:
        raise ConfigurationError("proxy", "must be a URL such as http://proxy.example:3128, also in the environment")
    return proxy
