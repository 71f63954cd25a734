"""httpx as the carrier: its connections (httpcore's) without its pool, or the caller's own transport or client.

httpx2 and httpcore2 have the same interface.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from ssl import SSLContext
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

import anyio
from sniffio import current_async_library

from ..._core.shielding import run_in_cancellable_task
from ...errors import ClientClosedError
from ..attempt import Attempt, BadHeadError, Outgoing
from ..connections import Connect, Connection

_LIBRARIES: Final = {"httpx", "httpx2"}
_LARGE: Final = 64 * 1024
_VERSIONS: Final = {b"HTTP/1.0", b"HTTP/1.1"}
_NOT_SENT: Final = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}


def connector(library: str, origin: str, context: SSLContext | None, proxy: str | None) -> Connect:
    """Return a function that makes a connection, which connects with its first request.

    Args:
        library: httpcore or httpcore2.
        origin: the server's.
        context: for TLS.
        proxy: a proxy's URL.
    """
    core: Any = import_module(library)
    url = core.URL(origin)
    # Only a factory: it knows the kinds of proxies.
    pool = core.AsyncConnectionPool(
        ssl_context=context,
        proxy=None if proxy is None else _proxy(core, proxy, context),
        network_backend=_Network(core),
    )

    async def connect() -> Connection:
        return _Connection(core, url, pool.create_connection(url.origin))

    return connect


def _proxy(core: Any, proxy: str, context: SSLContext | None) -> Any:
    parts = urlsplit(proxy)
    auth = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    host = parts.netloc.rpartition("@")[2]
    return core.Proxy(f"{parts.scheme}://{host}", auth=auth, ssl_context=context if parts.scheme == "https" else None)


class _Network:
    """httpcore's connections to the network; an answer is seen even while a large request is being written."""

    def __init__(self, core: Any) -> None:
        self._core = core
        self._backend: Any = None

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> _Stream:
        """Connect to a server."""
        if self._backend is None:
            self._backend = self._core.TrioBackend() if current_async_library() == "trio" else self._core.AnyIOBackend()
        return _Stream(self._core, await self._backend.connect_tcp(*args, **kwargs))


class _Stream:
    """One of them."""

    def __init__(self, core: Any, stream: Any) -> None:
        self._core = core
        self._stream = stream
        self._early: bytes | None = None
        self.get_extra_info = stream.get_extra_info
        self.aclose = stream.aclose

    async def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        """Read what has arrived."""
        early, self._early = self._early, None
        return await self._stream.read(max_bytes, timeout) if early is None else early

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, until the server answers: httpcore takes a WriteError for that."""
        if len(buffer) <= _LARGE:
            await self._stream.write(buffer, timeout)
            return
        failure: Exception | None = None
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                with suppress(self._core.NetworkError):  # which writing meets as well
                    self._early = await self._stream.read(_LARGE)
                    group.cancel_scope.cancel()

            group.start_soon(watch)
            try:
                await self._stream.write(buffer, timeout)
            except self._core.NetworkError as error:
                failure = error
            group.cancel_scope.cancel()
        if failure is not None or self._early is not None:
            raise failure or self._core.WriteError("answered before the request had been written")

    async def start_tls(self, *args: Any, **kwargs: Any) -> _Stream:
        """Start TLS; close the stream if that is cancelled, which httpcore does not."""
        try:
            return _Stream(self._core, await self._stream.start_tls(*args, **kwargs))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()
            raise


class _Content:
    """A request's body. httpcore makes a generator of bytes, of which trio warns if the request is cancelled."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        content, self._content = self._content, b""
        if not content:
            raise StopAsyncIteration
        return content


class _Connection:
    """A connection of httpcore."""

    def __init__(self, core: Any, origin: Any, connection: Any) -> None:
        self._core = core
        self._origin = origin
        self._connection = connection

    async def exchange(self, outgoing: Outgoing, attempt: Attempt) -> None:
        """Send a request and read its answer."""
        origin = self._origin
        url = self._core.URL(
            scheme=origin.scheme, host=origin.host, port=origin.port, target=outgoing.target.encode("ascii")
        )
        headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in outgoing.headers.items()]
        extensions = {"trace": _observer(attempt)}
        request = self._core.Request(
            outgoing.method, url, headers=headers, content=_Content(outgoing.content), extensions=extensions
        )
        response = await self._connection.handle_async_request(request)
        if response.extensions["http_version"] not in _VERSIONS:
            raise BadHeadError
        attempt.receive_head(response.status, response.headers)
        await _receive_all(response.stream, attempt)
        await response.aclose()

    def is_clean(self) -> bool:
        """Return whether it is open, and nothing has arrived since the last answer, as far as the event loop knows."""
        parser = _parser_of(self._connection)
        # Bytes that have arrived with the answer wait in the parser, and would be the next request's answer.
        return parser is not None and self._connection.is_available() and not parser.trailing_data[0]

    def is_readable(self) -> bool:
        """Return whether something has arrived, or the end of the stream, that the event loop has not read yet."""
        return bool(self._connection.has_expired())

    async def aclose(self) -> None:
        """Close it."""
        await self._connection.aclose()


def _parser_of(holder: Any) -> Any:
    """Return the parser (h11's) of a connection, or None if it is another kind of connection.

    Args:
        holder: the connection, or the stream of a response, which leads to it.
    """
    while holder is not None and not hasattr(holder, "_h11_state"):
        names = ("_connection", "_stream", "_httpcore_stream")
        holder = next((getattr(holder, name) for name in names if hasattr(holder, name)), None)
    return getattr(holder, "_h11_state", None)


async def _receive_all(stream: Any, attempt: Attempt) -> None:
    chunks = aiter(stream)
    async for chunk in chunks:
        try:
            await attempt.receive(chunk)
        except BaseException:
            # Unwinds the libraries' nested generators; leaving the loop would abandon them.
            with anyio.CancelScope() as enough, suppress(Exception):
                enough.cancel()
                async for _ in chunks:
                    pass
            raise


def _observer(attempt: Attempt) -> Callable[[str, dict[str, Any]], Awaitable[None]]:
    """Return a trace extension that reports to an attempt."""

    async def trace(name: str, info: dict[str, Any]) -> None:
        event = name.partition(".")[2]
        if event == "send_request_headers.started" and info["request"].method != b"CONNECT":
            await attempt.connected()
        elif event == "send_request_body.complete" and attempt.sent:
            attempt.enter("read")

    return trace


class Given:
    """The caller's own httpx client or transport as a carrier; the caller closes it.

    A client's cookies are neither kept nor sent: they would be another user's.
    """

    via = ""  # if it has a proxy, only its owner knows

    def __init__(self, *, client: Any = None, transport: Any = None) -> None:
        """Start.

        Args:
            client: an AsyncClient of httpx or httpx2.
            transport: or a transport of theirs.
        """
        names = {cls.__module__.partition(".")[0] for given in (client, transport) for cls in type(given).__mro__}
        self._library: Any = import_module("httpx2" if "httpx2" in names else "httpx")
        self._client = client
        self._transport = transport
        transports = (transport,) if client is None else _transports(client)
        self._reports = all(each is None or _reports(each) for each in transports)

    async def exchange(self, outgoing: Outgoing, attempt: Attempt) -> None:
        """Send a request and read its answer."""
        attempt.is_foreign = True
        if getattr(self._client, "is_closed", False):
            raise ClientClosedError("the given http_client is closed", sent=False)
        # Their pools lose a place for many a call that Task.cancel() strikes, but not for a cancelled scope.
        scope = anyio.CancelScope()
        await run_in_cancellable_task(lambda: self._exchange(outgoing, attempt, scope), scope)

    async def _exchange(self, outgoing: Outgoing, attempt: Attempt, scope: anyio.CancelScope) -> None:
        with scope:
            if self._reports:
                attempt.enter("connect", more=attempt.limits()["pool"])
            else:
                await attempt.connected()  # its own connection does not say when
                attempt.enter("unobserved")
            try:
                response = await self._send(outgoing, attempt)
            except Exception as error:
                if {cls.__name__ for cls in type(error).__mro__} & _NOT_SENT:
                    attempt.sent = False
                raise
            try:
                try:
                    content = response.content  # a hook of the caller's, or a test's transport, has read it
                except self._library.ResponseNotRead:
                    attempt.receive_head(response.status_code, response.headers.raw)
                    await _receive_all(response.stream, attempt)
                    parser = _parser_of(response.stream)
                    if parser is not None and parser.trailing_data[0]:
                        parser.send_failed()  # so the pool does not keep the connection
                else:
                    raw = [pair for pair in response.headers.raw if pair[0].lower() != b"content-encoding"]
                    attempt.receive_head(response.status_code, raw)
                    await attempt.receive(content)
            finally:
                with anyio.CancelScope(shield=True):
                    await response.aclose()

    async def _send(self, outgoing: Outgoing, attempt: Attempt) -> Any:
        extensions = {"timeout": attempt.limits(), "trace": _observer(attempt)}
        arguments = {"headers": dict(outgoing.headers), "content": outgoing.content or None, "extensions": extensions}
        url = outgoing.origin + outgoing.target
        if self._client is None:
            request = self._library.Request(outgoing.method, url, **arguments)
            return await self._transport.handle_async_request(request)
        client = copy.copy(self._client)
        client.cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        request = client.build_request(outgoing.method, url, **arguments)
        return await client.send(request, stream=True, follow_redirects=False)

    async def aclose(self) -> None:
        """Do nothing."""


def _transports(client: Any) -> tuple[Any, ...]:
    mounts = getattr(client, "_mounts", {})
    return getattr(client, "_transport", client), *(mounts.values() if isinstance(mounts, dict) else (client,))


def _reports(transport: Any) -> bool:
    """Return whether a transport certainly calls the trace extension."""
    cls = type(transport)
    return cls.__module__.partition(".")[0] in _LIBRARIES and cls.__name__ == "AsyncHTTPTransport"
