"""One carrier for each event loop, and the limit of its concurrent requests."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

import anyio
from attrs import field, frozen
from sniffio import current_async_library

from .._core.loop_ends import close_at_end
from .._core.per_loop import PerLoop
from .._core.shielding import run_shielded
from .._core.worker_threads import Threads
from ..errors import ClientClosedError
from .attempt import Attempt, Carrier
from .connections import Connections
from .log_redaction import redact_log_of
from .proxies import environment_proxy
from .tls import tls_context
from .types import AsyncHTTPClient, AsyncHTTPTransport

_MAX_CONNECTIONS: Final = 100
_CLOSING_SECONDS: Final = 5.0
_THREADS: Final = 4


@frozen(kw_only=True)
class ConnectionOptions:
    """Options of connections.

    Attributes:
        origin: the base URL that they go to.
        verify: from `checked_verify`.
        proxy: a proxy's URL, from `checked_proxy`, or None for the environment's.
        transport: the caller's transport, used instead of ours.
        http_client: the caller's client, used instead of ours.
    """

    origin: str
    verify: bool | ssl.SSLContext = True
    proxy: str | None = field(default=None, repr=False)
    transport: AsyncHTTPTransport | None = None
    http_client: AsyncHTTPClient | None = None


class LoopCarrier:
    """The carrier on one event loop, opened on first use, and the attempts under way on it.

    Attributes:
        carrier: None until it is opened.
        slots: the places for concurrent attempts; None without a limit.
        attempts: those under way.
    """

    __slots__ = ("__weakref__", "_close", "attempts", "carrier", "lock", "slots")

    def __init__(self, limit: int | None) -> None:
        self.lock = anyio.Lock()
        self.carrier: Carrier | None = None
        self.slots = None if limit is None else anyio.Semaphore(limit, fast_acquire=True)
        self.attempts: set[Attempt] = set()
        self._close: Callable[[], Awaitable[None]] | None = None

    async def begin(self, carrier: Carrier) -> None:
        """Use an opened carrier until `aclose`, the end of the event loop, or that of the client."""
        self.carrier = carrier
        self._close = await close_at_end(self, carrier.aclose)

    async def aclose(self) -> None:
        """Cancel the attempts under way, and close the connections."""
        for attempt in self.attempts:
            attempt.is_closed = True
            attempt.scope.cancel()
        if self._close is not None:
            with anyio.move_on_after(_CLOSING_SECONDS):
                await self._close()


class ClientProvider:
    """A carrier for each event loop, opened on first use."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        if options.http_client is not None:
            redact_log_of(options.http_client)
        limit = _MAX_CONNECTIONS if options.http_client is None and options.transport is None else None
        self._opened = PerLoop(lambda: LoopCarrier(limit))
        self._threads = Threads(_THREADS)
        self._closed = False

    def here(self) -> LoopCarrier:
        """Return the running loop's, which may not be opened yet.

        Raises:
            ClientClosedError: after `aclose`.
        """
        self.raise_if_closed()
        return self._opened.get()

    async def open(self, opened: LoopCarrier) -> Carrier:
        """Open the running loop's carrier, and return it.

        Raises:
            ClientClosedError: after `aclose`.
        """
        async with opened.lock:
            self.raise_if_closed()  # while another opened it
            carrier = opened.carrier
            if carrier is None:
                on_asyncio = current_async_library() == "asyncio"
                # In a thread: importing the libraries and reading the trust store take a tenth of a second and more.
                make = await self._threads.run(partial(_prepare, self._options, on_asyncio), abandoned=True)
                self.raise_if_closed()
                carrier = make()
                await opened.begin(carrier)
            return carrier

    async def tls_context(self, *, secure: bool) -> ssl.SSLContext | None:
        """Return the TLS context for connections beside the carrier's; None for plain ones.

        Raises:
            ClientClosedError: after `aclose`.
        """
        self.raise_if_closed()
        if not secure:
            return None
        return await self._threads.run(partial(tls_context, self._options.verify))

    def raise_if_closed(self) -> None:
        """Raise ClientClosedError after `aclose`."""
        if self._closed:
            raise ClientClosedError("the client is closed; create a new client")

    async def aclose(self, *, for_good: bool = True) -> None:
        """Close the running loop's connections and cancel its attempts.

        Args:
            for_good: later calls raise ClientClosedError, rather than open connections anew.
        """
        self._closed = self._closed or for_good
        opened = self._opened.pop()
        if opened is not None:
            await run_shielded(opened.aclose)


def _prepare(options: ConnectionOptions, on_asyncio: bool) -> Callable[[], Carrier]:
    """Do the slow part; return a function that quickly makes the carrier on the event loop."""
    import_module("cattrs")  # which `_wire` would otherwise import on the event loop, to read an answer
    if options.http_client is not None or options.transport is not None:
        from .carriers.httpx import Given

        return partial(Given, client=options.http_client, transport=options.transport)
    url = urlsplit(options.origin)
    context = None if url.scheme == "http" else tls_context(options.verify)  # whatever is not plain is verified
    proxy = options.proxy or environment_proxy(options.origin)
    if proxy is None and on_asyncio and find_spec("aiohttp") is not None:
        from .carriers import aiohttp

        if aiohttp.is_usable():
            port = url.port or (80 if context is None else 443)
            return partial(Connections, aiohttp.connector(url.hostname or "", port, context))
    from .carriers import httpx

    library = "httpcore" if find_spec("httpcore2") is None else "httpcore2"
    via = "" if proxy is None else f" through the proxy {urlsplit(proxy).netloc.rpartition('@')[2]}"
    return partial(Connections, httpx.connector(library, options.origin, context, proxy), via)
