"""Proxies from the environment or the caller."""

from __future__ import annotations

import re
from contextlib import suppress
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import quote, urlsplit

from .._arguments.urls import DEFAULT_PORTS, is_loopback, normalize_host, parse_address
from ..errors import ConfigurationError

_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_ENTRY: Final = re.compile(r"(\[[^\]]*\](?:/[0-9]+)?|[^:]*)(?::([0-9]{1,5}))?")
_EXAMPLE: Final = "a URL such as http://proxy.example:3128"


def environment_proxy(origin: str) -> str | None:
    """Return the environment's proxy for a server (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY), if it has one.

    Args:
        origin: the server's base URL, normalized.

    Raises:
        ConfigurationError: the proxy is invalid; it names the variable.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(origin)
    host = parts.hostname or ""
    if is_loopback(host):
        # Never through a proxy: it would see passwords over plain HTTP.
        return None
    proxies = {name: value.strip() for name, value in getproxies().items()}
    kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), None)
    if kind is None:
        return None
    if "no" in proxies:
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        is_bypassed = any(_is_named(entry, parts.scheme, host, port) for entry in re.split(r"[\s,]+", proxies["no"]))
    else:
        is_bypassed = bool(proxy_bypass(host))  # the system's settings, on Windows and macOS
    return None if is_bypassed else checked_proxy(proxies[kind], f"{kind.upper()}_PROXY")


def checked_proxy(proxy: str, argument: str = "proxy") -> str:
    """Return a proxy's URL, normalized: a host without a scheme is an HTTP proxy.

    Args:
        proxy: the URL; it may have a user name and password, which no message shows.
        argument: the name of the argument or variable, for messages.

    Raises:
        ConfigurationError: it is no proxy's URL, or the package that it needs is missing.
    """
    if not isinstance(proxy, str):
        raise ConfigurationError(argument, f"must be {_EXAMPLE}, not {type(proxy).__name__}")
    url = proxy.strip()
    has_scheme = "://" in url
    try:
        address = parse_address(url if has_scheme else f"http://{url}")
    except ValueError as error:
        raise ConfigurationError(argument, f"must be {_EXAMPLE}: {error}") from None
    if address is None or address.scheme not in _SCHEMES:
        raise ConfigurationError(argument, f"must be {_EXAMPLE}; its scheme is one of {', '.join(_SCHEMES)}")
    if "@" in address.rest or (address.rest.strip("/") and not has_scheme):
        raise ConfigurationError(argument, f"must be {_EXAMPLE}; write / ? # and \\ in a password as %2F %3F %23 %5C")
    if address.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigurationError(argument, "is a SOCKS proxy, which needs a package: pip install 'httpx[socks]'")
    user = "" if address.user is None else quote(address.user, safe="%!$&'()*+,;=:") + "@"
    return f"{address.scheme}://{user}{address.authority}"


def _is_named(entry: str, scheme: str, host: str, port: int) -> bool:
    """Return True if an entry of NO_PROXY names this server.

    A name stands for its subdomains, too, as curl and httpx read it; after a scheme, as in https://example.com, it
    does not. A * in front stands for subdomains. Networks are written as in 10.0.0.0/8.
    """
    wanted, separator, named = entry.lower().rpartition("://")
    is_bare_ipv6 = named.count(":") > 1 and not named.startswith("[")
    parts = None if is_bare_ipv6 else _ENTRY.fullmatch(named.partition("/")[0] if separator else named)
    name, wanted_port = (named, None) if parts is None else parts.groups()
    if (separator and wanted not in {"all", scheme}) or (wanted_port and int(wanted_port) != port):
        return False
    domain = name.rstrip(".").lstrip("*.")
    prefix = name.rstrip(".").removesuffix(domain)
    if not domain:
        return "*" in prefix
    network, address = _network(re.sub(r"[\[\]]", "", name)), _address(host)
    if network is not None or address is not None:
        return network is not None and address is not None and address in network
    if not domain.isascii():
        with suppress(ValueError):
            domain = normalize_host(domain)
    is_subdomain = host.endswith(f".{domain}")
    if prefix == "*.":
        return is_subdomain
    return host == domain or (is_subdomain and not (separator and not prefix))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
