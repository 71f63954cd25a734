"""Connections: beside `_spread.py` the only module that imports an HTTP library."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

import anyio
from attrs import field, frozen
from sniffio import current_async_library

from ._calls import Calls
from ._direct import DirectClient
from ._http_types import AsyncHTTPClient, AsyncHTTPTransport
from ._loops import PerLoop
from ._masking import masked_url
from ._shield import finish
from ._threads import Threads
from ._tls import Verify, tls_context
from .errors import ClientClosedError, ConfigurationError
from .settings import is_loopback

# A connection that the server closes while a refresh is being written leaves its outcome unknown. Servers close idle
# connections after 5 s or more, so ours are given up before that.
_KEEPALIVE_SECONDS: Final = 4.0
_MAX_CONNECTIONS: Final = 100
_CLOSING_SECONDS: Final = 5.0
_THREADS: Final = 4


@frozen(kw_only=True)
class PoolOptions:
    """How connections are made.

    Attributes:
        origin: the base URL that they go to.
        verify: as `AuthenticationClient` documents it.
        proxy: a proxy's URL, or None for what the environment says.
        transport: the caller's transport, used instead of ours.
        http_client: the caller's client, used instead of ours.
    """

    origin: str
    verify: Verify = True
    proxy: str | None = field(default=None, repr=False)
    transport: AsyncHTTPTransport | None = None
    http_client: AsyncHTTPClient | None = None


class _Opened:
    """The client on one event loop, and the calls that it carries."""

    __slots__ = ("calls", "client", "lock")

    def __init__(self, at_once: int | None) -> None:
        self.lock = anyio.Lock()
        self.client: AsyncHTTPClient | None = None
        self.calls = Calls(at_once)


class Pool:
    """An HTTP client for each event loop, opened on first use. What it did not create it does not close."""

    def __init__(self, options: PoolOptions) -> None:
        self._options = options
        if options.http_client is not None:
            _mask_log_of(options.http_client)
        at_once = _MAX_CONNECTIONS if options.http_client is None and options.transport is None else None
        self._opened = PerLoop(lambda: _Opened(at_once))
        self._threads = Threads(_THREADS)
        self._closed = False

    async def opened(self) -> tuple[AsyncHTTPClient, Calls]:
        """The running loop's client, and what its calls pass through.

        Raises:
            ClientClosedError: after `aclose`.
        """
        self.raise_if_closed()
        opened = self._opened.get()
        if self._options.http_client is not None:
            return self._options.http_client, opened.calls
        if opened.client is None:
            async with opened.lock:
                if opened.client is None:
                    opened.client, opened.calls.apart = await self._open()
        try:
            self.raise_if_closed()  # meanwhile
        except ClientClosedError:
            await self._close(opened)
            raise
        return opened.client, opened.calls

    async def tls_context(self, *, secure: bool) -> ssl.SSLContext | None:
        """The TLS context for connections beside the HTTP client's; None for those that are not to be secure.

        Raises:
            ClientClosedError: after `aclose`.
        """
        self.raise_if_closed()
        if not secure:
            return None
        return await self._threads.run(partial(tls_context, self._options.verify))

    def raise_if_closed(self) -> None:
        """Raises ClientClosedError after `aclose`."""
        if self._closed:
            raise ClientClosedError("the client is closed; make a new one, or close it later")

    async def aclose(self) -> None:
        """Closes the running loop's client, and ends its calls; later ones raise ClientClosedError."""
        self._closed = True
        opened = self._opened.pop()
        if opened is not None:
            opened.calls.end_all()
            await finish(lambda: self._close(opened))

    async def _close(self, opened: _Opened) -> None:
        if opened.client is not None and self._options.transport is None:
            with anyio.move_on_after(_CLOSING_SECONDS):
                await opened.client.aclose()

    async def _open(self) -> tuple[AsyncHTTPClient, bool]:
        on_asyncio = current_async_library() == "asyncio"
        # Beside the event loop: importing the libraries and reading the trust store take a tenth of a second and more.
        make = await self._threads.run(partial(_prepare, self._options, on_asyncio))
        return make()


def _prepare(options: PoolOptions, on_asyncio: bool) -> Callable[[], tuple[AsyncHTTPClient, bool]]:
    """Does all that takes its time. What it returns makes the client, quickly, on the event loop.

    With the client comes whether its calls have to be kept from `Task.cancel()`; aiohttp bears it.
    """
    make_transport, is_aiohttp = _transport(options, on_asyncio)
    libraries = {cls.__module__.partition(".")[0] for cls in type(options.transport).__mro__}
    import_module("cattrs.gen")  # with which `_wire` is about to read an answer, on the event loop
    library = import_module("httpx2" if "httpx2" in libraries else "httpx")
    return lambda: (DirectClient(library, make_transport()), not is_aiohttp)


def _mask_log_of(client: object) -> None:
    """Has the URLs masked in the log of whichever library's client this is."""
    for package in {cls.__module__.partition(".")[0] for cls in type(client).__mro__} & {"httpx", "httpx2"}:
        logging.getLogger(package).addFilter(_mask_urls)


def _mask_urls(record: logging.LogRecord) -> bool:
    """A filter for the library's log, which shows the URL of each request; the query of a few holds a token."""
    if isinstance(record.args, tuple):
        record.args = tuple(masked_url(str(arg)) if type(arg).__name__ == "URL" else arg for arg in record.args)
    return True


def _transport(options: PoolOptions, on_asyncio: bool) -> tuple[Callable[[], AsyncHTTPTransport], bool]:
    """What makes the transport, and whether that is aiohttp's."""
    theirs = options.transport
    if theirs is not None:
        return lambda: theirs, False
    context = tls_context(options.verify) if options.origin.startswith("https:") else False
    proxy = _checked_proxy(options.proxy or _environment_proxy(options.origin))
    if proxy is None and on_asyncio and find_spec("httpx_aiohttp") is not None:
        return _aiohttp_transport(context), True
    return _httpx_transport(context, proxy), False


def _httpx_transport(context: ssl.SSLContext | bool, proxy: str | None) -> Callable[[], AsyncHTTPTransport]:
    import httpx

    from ._spread import SpreadTransport

    # One for all, even if it is not needed: each transport would make its own.
    shared = context if isinstance(context, ssl.SSLContext) else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    limits = httpx.Limits(keepalive_expiry=_KEEPALIVE_SECONDS)
    make = partial(httpx.AsyncHTTPTransport, verify=shared, limits=limits, proxy=proxy, trust_env=False)
    return partial(SpreadTransport, make, _KEEPALIVE_SECONDS)


def _aiohttp_transport(context: ssl.SSLContext | bool) -> Callable[[], AsyncHTTPTransport]:
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    def make() -> AsyncHTTPTransport:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0, keepalive_timeout=_KEEPALIVE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        # aiohttp sends GET, PUT and DELETE again by itself when a used connection breaks, whether or not the first try
        # was carried out. Trying again is decided in one place, and that is not here.
        session._retry_connection = False  # noqa: SLF001 - there is no public switch
        return AiohttpTransport(client=session, verify=context)

    return make


def _environment_proxy(origin: str) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(origin)
    if is_loopback(parts.hostname or ""):
        # Whatever the environment says: the proxy would be shown passwords over plain HTTP.
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return None if proxy is None or proxy_bypass(parts.hostname or "") else proxy


def _checked_proxy(proxy: str | None) -> str | None:
    if proxy is None:
        return None
    scheme = proxy.partition("://")[0].lower()
    if scheme in {"socks5", "socks5h"} and find_spec("socksio") is None:
        raise ConfigurationError("proxy", "is a SOCKS proxy, which needs another package: pip install 'httpx[socks]'")
    if scheme not in {"http", "https", "socks5", "socks5h"}:
        raise ConfigurationError("proxy", "must be a URL such as http://proxy.example:3128, also in the environment")
    return proxy
