"""aiohttp as the carrier: its HTTP parser, over asyncio's own connections.

aiohttp's ClientSession and connector take as long as everything else in a request. This is the only module that uses
aiohttp beneath its documented functions; `is_usable` checks that they are as expected.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from inspect import signature
from socket import AI_NUMERICHOST, SOCK_STREAM, gaierror, getaddrinfo
from typing import Any, Final

from aiohappyeyeballs import start_connection
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from ..attempt import MAX_HEAD_BYTES, Attempt, BadHeadError, Outgoing
from ..connections import Connect, Connection, is_readable
from .framing import Framing

_LIMITS: Final = {"max_line_size": MAX_HEAD_BYTES, "max_field_size": MAX_HEAD_BYTES, "max_headers": 4096}
_KNOWN: Final = signature(ResponseHandler.set_response_params).parameters
# Until 3.13, aiohttp has no limit on the number of headers.
_PARAMETERS: Final[dict[str, Any]] = {name: value for name, value in _LIMITS.items() if name in _KNOWN}
_HAPPY_EYEBALLS_SECONDS: Final = 0.25


def is_usable() -> bool:
    """Return whether this aiohttp has what this module uses of it."""
    parameters = {"skip_payload", "read_until_eof", "auto_decompress", "max_line_size", "max_field_size"}
    attributes = {"read", "should_close", "pause_writing", "resume_writing", "data_received", "connection_lost"}
    return parameters <= set(_KNOWN) and attributes <= set(dir(ResponseHandler))


def connector(host: str, port: int, context: ssl.SSLContext | None) -> Connect:
    """Return a function that connects to a server."""
    addresses: Any = None
    with suppress(gaierror, UnicodeError):  # of a name, which is resolved in a thread for each connection
        addresses = getaddrinfo(host, port, type=SOCK_STREAM, flags=AI_NUMERICHOST)

    async def connect() -> Connection:
        loop = asyncio.get_running_loop()
        resolved = addresses or await loop.getaddrinfo(host, port, type=SOCK_STREAM)
        # asyncio's create_connection could do this, uvloop's cannot.
        sock = await start_connection(resolved, happy_eyeballs_delay=_HAPPY_EYEBALLS_SECONDS, interleave=1)
        name = None if context is None else host
        try:
            _transport, connection = await loop.create_connection(
                lambda: _Connection(loop), sock=sock, ssl=context, server_hostname=name
            )
        except ConnectionError as error:
            if error.errno is not None:
                raise
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "the server closed the connection") from error
        return connection

    return connect


class _Connection(ResponseHandler):
    """A connection, which is the protocol that parses what arrives on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._attempt: Attempt | None = None
        self._framing = Framing("")
        self._is_dirty = False
        self._failure: BaseException | None = None

    async def exchange(self, outgoing: Outgoing, attempt: Attempt) -> None:
        """Send a request and read its answer."""
        await attempt.connected()
        if self.transport is None:
            raise ConnectionResetError
        self._attempt, self._framing, self._payload = attempt, Framing(outgoing.method), None
        is_head = outgoing.method == "HEAD"
        self.set_response_params(skip_payload=is_head, read_until_eof=True, auto_decompress=False, **_PARAMETERS)
        headers = "".join([f"{name}: {value}\r\n" for name, value in outgoing.headers.items()])
        head = f"{outgoing.method} {outgoing.target} HTTP/1.1\r\n{headers}\r\n"
        # Requests of one step of the event loop leave together in the next, and wake the server once.
        self._loop.call_soon(self._write, head.encode("ascii") + outgoing.content)
        attempt.enter("read")
        try:
            message, payload = await self.read()
        except HttpProcessingError as error:
            raise BadHeadError from error
        attempt.receive_head(message.code, message.raw_headers)
        while not payload.at_eof():
            await attempt.receive(await payload.readany())
        if self._failure is not None:
            raise self._failure
        self._attempt = None

    def data_received(self, data: bytes) -> None:
        """Parse a segment, but not what follows the answer: it would become the next request's."""
        framing = self._framing
        if self._attempt is None:
            self._is_dirty = True
            return
        try:
            parts = framing.feed(data)
        except BadHeadError as error:
            self.set_exception(error)
            self._abort()
            return
        for part in parts:
            if framing.is_chunked and self._payload is not None and self._payload.is_eof():
                self._is_dirty = True
                return
            super().data_received(part)

    def set_exception(self, exc: BaseException, *cause: Any, **named_cause: Any) -> None:
        """End the answer by an error."""
        super().set_exception(exc, *cause, **named_cause)
        self._end_body(exc)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the answer: by an error, unless the server has closed in good order where only that ends the answer."""
        is_cut_off = self._framing.left or self._framing.is_chunked
        self._end_body(exc or (ConnectionResetError() if is_cut_off else None))
        super().connection_lost(exc)

    def _end_body(self, failure: BaseException | None) -> None:
        # What has arrived is read before the error is raised.
        if self._payload is not None and not self._payload.is_eof():
            self._failure = failure
            self._payload.feed_eof()
            self._payload = None

    def _write(self, data: bytes) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.write(data)

    def pause_writing(self) -> None:
        """Note that a long request is leaving."""
        super().pause_writing()
        if self._attempt is not None and self._attempt.status is None:
            self._attempt.enter("write")

    def resume_writing(self) -> None:
        """Note that it has left."""
        super().resume_writing()
        if self._attempt is not None and self._attempt.phase == "write":
            self._attempt.enter("read")

    def is_clean(self) -> bool:
        """Return whether it is open, and nothing has arrived since the last answer, as far as the event loop knows."""
        transport = self.transport
        if transport is None or transport.is_closing() or self.should_close or self._is_dirty:
            return False
        return self._framing.is_kept and not transport.get_write_buffer_size()

    def is_readable(self) -> bool:
        """Return whether something has arrived, or the end of the stream, that the event loop has not read yet."""
        return self.transport is None or is_readable(self.transport.get_extra_info("socket").fileno())

    async def aclose(self) -> None:
        """Close it."""
        self._abort()

    def _abort(self) -> None:
        transport: Any = self.transport
        self.close()  # for what aiohttp holds
        if transport is not None:
            transport.abort()  # without waiting for the server's part of a TLS farewell
