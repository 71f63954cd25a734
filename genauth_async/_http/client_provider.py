"""One HTTP client for each event loop."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Final

import anyio
from attrs import field, frozen
from sniffio import current_async_library

from .._core.per_loop import PerLoop
from .._core.shielding import run_shielded
from .._core.worker_threads import Threads
from ..errors import ClientClosedError
from .call_limiter import CallLimiter
from .log_redaction import redact_log_of
from .minimal_client import MinimalClient
from .proxies import checked_proxy, environment_proxy
from .tls import Verify, tls_context
from .types import AsyncHTTPClient, AsyncHTTPTransport

# If the server closes a connection while a refresh is being written, the outcome is unknown. Servers close idle
# connections after 5 s or more, so ours are dropped before that.
_KEEPALIVE_SECONDS: Final = 4.0
_MAX_CONNECTIONS: Final = 100
_CLOSING_SECONDS: Final = 5.0
_THREADS: Final = 4


@frozen(kw_only=True)
class ConnectionOptions:
    """Options of connections.

    Attributes:
        origin: the base URL that they go to.
        verify: as `AuthenticationClient` documents it.
        proxy: a proxy's URL, or None for the environment's.
        transport: the caller's transport, used instead of ours.
        http_client: the caller's client, used instead of ours.
    """

    origin: str
    verify: Verify = True
    proxy: str | None = field(default=None, repr=False)
    transport: AsyncHTTPTransport | None = None
    http_client: AsyncHTTPClient | None = None


class _LoopClient:
    """The client on one event loop, and its calls."""

    __slots__ = ("calls", "client", "lock")

    def __init__(self, limit: int | None) -> None:
        self.lock = anyio.Lock()
        self.client: AsyncHTTPClient | None = None
        self.calls = CallLimiter(limit)


class ClientProvider:
    """An HTTP client for each event loop, opened on first use. It never closes the caller's own."""

    def __init__(self, options: ConnectionOptions) -> None:
        self._options = options
        if options.http_client is not None:
            redact_log_of(options.http_client)
        limit = _MAX_CONNECTIONS if options.http_client is None and options.transport is None else None
        self._opened = PerLoop(lambda: _LoopClient(limit))
        self._threads = Threads(_THREADS)
        self._closed = False

    async def opened(self) -> tuple[AsyncHTTPClient, CallLimiter]:
        """Return the running loop's client, and the limiter of its calls.

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
                    opened.client, opened.calls.shield_from_task_cancel = await self._open()
        try:
            self.raise_if_closed()  # while it was opened
        except ClientClosedError:
            await self._close(opened)
            raise
        return opened.client, opened.calls

    async def tls_context(self, *, secure: bool) -> ssl.SSLContext | None:
        """Return the TLS context for connections beside the HTTP client's; None for plain ones.

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

    async def aclose(self) -> None:
        """Close the running loop's client and cancel its calls; later calls raise ClientClosedError."""
        self._closed = True
        opened = self._opened.pop()
        if opened is not None:
            opened.calls.cancel_all()
            await run_shielded(lambda: self._close(opened))

    async def _close(self, opened: _LoopClient) -> None:
        if opened.client is not None and self._options.transport is None:
            with anyio.move_on_after(_CLOSING_SECONDS):
                await opened.client.aclose()

    async def _open(self) -> tuple[AsyncHTTPClient, bool]:
        on_asyncio = current_async_library() == "asyncio"
        # In a thread: importing the libraries and reading the trust store take a tenth of a second and more.
        make = await self._threads.run(partial(_prepare, self._options, on_asyncio))
        return make()


def _prepare(options: ConnectionOptions, on_asyncio: bool) -> Callable[[], tuple[AsyncHTTPClient, bool]]:
    """Do the slow part; return a function that quickly makes the client on the event loop.

    That function also returns whether calls have to be shielded from `Task.cancel()`; aiohttp withstands it.
    """
    make_transport, is_aiohttp = _transport(options, on_asyncio)
    libraries = {cls.__module__.partition(".")[0] for cls in type(options.transport).__mro__}
    import_module("cattrs.gen")  # which `_wire` would otherwise import on the event loop, to read an answer
    library = import_module("httpx2" if "httpx2" in libraries else "httpx")
    return lambda: (MinimalClient(library, make_transport()), not is_aiohttp)


def _transport(options: ConnectionOptions, on_asyncio: bool) -> tuple[Callable[[], AsyncHTTPTransport], bool]:
    """Return a function that makes the transport, and whether that is aiohttp's."""
    theirs = options.transport
    if theirs is not None:
        return lambda: theirs, False
    context = tls_context(options.verify) if options.origin.startswith("https:") else False
    proxy = checked_proxy(options.proxy or environment_proxy(options.origin))
    if proxy is None and on_asyncio and find_spec("httpx_aiohttp") is not None:
        from .carriers.aiohttp import aiohttp_transport

        return aiohttp_transport(context, _KEEPALIVE_SECONDS), True
    from .carriers.httpx import httpx_transport

    return httpx_transport(context, proxy, _KEEPALIVE_SECONDS), False
