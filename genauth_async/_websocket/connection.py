"""WebSocket client (RFC 6455) that receives texts: the `websockets` package's protocol over anyio's connections."""

from __future__ import annotations

import logging
import ssl
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import anyio
from anyio.abc import ByteStream
from attrs import Factory, define, evolve

from .._arguments.timeouts import Deadline
from .._core.redaction import excerpt
from .._core.version import VERSION
from .._http.attempt import MAX_HEAD_BYTES
from .._wire.responses import Response, read_envelope, unusable
from ..errors import (
    ConfigurationError,
    ConnectionLostError,
    ForbiddenError,
    GenAuthAPIError,
    GenAuthError,
    InvalidResponseError,
    NotSignedInError,
    OAuthError,
    RequestTimeoutError,
    ResponseTooLargeError,
    UnexpectedRedirectError,
    UnexpectedShapeError,
)
from ..models._base import Envelope
from .address import WebSocketAddress, connect_to
from .handshake import MAX_HEADERS, HandshakeHead, HeadTooLargeError

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.frames import Close, Frame

_NORMAL_CLOSURE: Final = 1000
_NOT_TEXT: Final = 1007
# For pings, pongs and close frames. They fit into any socket's buffer, unless the server stopped reading long ago.
_SEND_SECONDS: Final = 2.0
# The memory that a text takes beside its bytes. It bounds a flood of empty texts.
_BYTES_PER_TEXT: Final = 256
_NOT_OPENED: Final = "no WebSocket was opened"
_NETWORK_ERRORS: Final = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError)
# Codes of close frames by which the server refuses the token.
_CLOSE_REFUSALS: Final[Mapping[int, tuple[type[GenAuthAPIError], int]]] = {
    1008: (NotSignedInError, HTTPStatus.UNAUTHORIZED),
    4401: (NotSignedInError, HTTPStatus.UNAUTHORIZED),
    4403: (ForbiddenError, HTTPStatus.FORBIDDEN),
}
# Handshake refusals that a gateway may send without the server's envelope.
_HTTP_REFUSALS: Final[Mapping[int, tuple[type[GenAuthAPIError], str]]] = {
    HTTPStatus.UNAUTHORIZED: (NotSignedInError, "not signed in"),
    HTTPStatus.FORBIDDEN: (ForbiddenError, "forbidden"),
}


def _silent() -> logging.Logger:
    """Return a logger that no configuration can enable: the library logs the handshake, access token included."""
    logger = logging.Logger("genauth_async.websocket")  # noqa: LOG001 - unregistered, so that getLogger cannot find it
    logger.disabled = True
    return logger


_silent_logger: Final = _silent()


def load_library() -> None:
    """Import the `websockets` package, which takes 0.1 s or more.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import websockets.client
        import websockets.uri  # noqa: F401
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "websockets":
            raise
        raise ConfigurationError(
            "websocket_host", "events need the package websockets: pip install 'genauth-async[events]'"
        ) from missing


@define(eq=False, repr=False)
class WebSocket:
    """An open WebSocket. It reads only in `receive` and `keep_alive`, of which one may run at a time."""

    _stream: ByteStream
    _protocol: ClientProtocol
    _name: str
    _ping_interval: float
    _max_held: int
    _pinged: bool = False
    _head: HandshakeHead = Factory(HandshakeHead)
    _response: Response | None = None
    _fragments: bytearray = Factory(bytearray)
    _texts: deque[tuple[str, int]] = Factory(deque)
    _held: int = 0
    _failure: GenAuthError | None = None

    @classmethod
    async def connect(
        cls,
        address: WebSocketAddress,
        context: ssl.SSLContext | None,
        limit: Deadline,
        *,
        max_bytes: int,
        ping_interval: float,
    ) -> WebSocket:
        """Connect and complete the opening handshake. Call `load_library` once before.

        Args:
            address: the server's address.
            context: TLS settings for wss://.
            limit: the time limit.
            max_bytes: the longest text to accept, and about how much `keep_alive` reads ahead.
            ping_interval: seconds without a byte from the server until a ping; after as many more the connection is
                lost.

        Raises:
            TransportError: no connection was made, or no answer arrived.
            GenAuthAPIError, InvalidResponseError: the server does not open a WebSocket.
        """
        from websockets.client import ClientProtocol
        from websockets.uri import WebSocketURI

        # Not parsed from a URL: the library's exceptions quote what they cannot parse.
        uri = WebSocketURI(address.is_secure, address.host, address.port, quote(address.path), address.query)
        connected = False
        with anyio.move_on_after(limit.total):
            stream = await connect_to(address, context, min(limit.phases["connect"], limit.total))
            connected = True
            protocol = ClientProtocol(uri, max_size=max_bytes, logger=_silent_logger)
            socket = cls(stream, protocol, address.name, ping_interval, max_bytes)
            try:
                await socket._open()
            except BaseException:
                await anyio.aclose_forcefully(stream)
                raise
            return socket
        raise RequestTimeoutError(f"{address.name}: no answer within {limit.total:g} s", sent=connected)

    async def receive(self) -> str:
        """Return the next text. Cancelling this loses none.

        Raises:
            ConnectionLostError: the connection broke, was silent for too long, or was closed by the server.
            NotSignedInError, ForbiddenError: the server refused the token and closed the connection.
            InvalidResponseError: the server sent data that cannot be read.
        """
        while not self._texts:
            if self._failure is not None:
                raise self._failure
            await self._read_or_ping()
        text, size = self._texts.popleft()
        self._held -= size
        return text

    async def keep_alive(self) -> None:
        """Read ahead, send pings and answer them, until cancelled, the connection fails, or the limit is held."""
        while self._failure is None and self._held < self._max_held:
            await self._read_or_ping()

    async def aclose(self) -> None:
        """Send a close frame if the connection works, then close it without waiting for the server's."""
        try:
            if self._failure is None and self._protocol.close_sent is None:
                self._protocol.send_close(_NORMAL_CLOSURE)
                await self._flush()
        finally:
            await anyio.aclose_forcefully(self._stream)

    async def _open(self) -> None:
        request = self._protocol.connect()
        request.headers["User-Agent"] = f"genauth-async/{VERSION}"
        self._protocol.send_request(request)
        await self._flush()
        while self._response is None:
            if self._failure is not None:
                raise self._failure
            await self._read()
        problem = self._protocol.handshake_exc
        if problem is not None:
            raise _refusal(self._response, self._name, type(problem).__name__)
        # A failure of frames that came with the answer is for `receive`, after the texts before it.

    async def _read_or_ping(self) -> None:
        with anyio.move_on_after(self._ping_interval):
            await self._read()
            self._pinged = False
            return
        if self._pinged:
            self._fail(self._lost(f"silent for {2 * self._ping_interval:g} s"))
            return
        self._pinged = True
        self._protocol.send_ping(b"")
        await self._flush()

    async def _read(self) -> None:
        try:
            data = self._head.feed(await self._stream.receive())
        except anyio.EndOfStream:
            self._protocol.receive_eof()
        except _NETWORK_ERRORS as error:
            self._fail(self._broken(error))
            return
        except HeadTooLargeError:
            limits = f"more than {MAX_HEAD_BYTES // 1024} KB of headers, or more than {MAX_HEADERS}"
            self._fail(self._invalid(InvalidResponseError, limits))
            return
        else:
            self._protocol.receive_data(data)
        # Before the next await, so that a cancellation loses nothing.
        self._process_events()
        await self._flush()

    def _process_events(self) -> None:
        from websockets.frames import Frame
        from websockets.http11 import Response as Answer

        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._process_frame(event)
            elif isinstance(event, Answer):
                headers = {name.lower(): value for name, value in event.headers.raw_items()}
                self._response = Response(status=event.status_code, headers=headers, body=bytes(event.body or b""))
        problem = self._protocol.parser_exc or self._protocol.handshake_exc
        if problem is not None:
            self._fail(self._unreadable(problem))

    def _process_frame(self, frame: Frame) -> None:
        from websockets.frames import DATA_OPCODES, Close, Opcode

        if frame.opcode is Opcode.CLOSE:
            self._fail(self._closed(Close.parse(frame.data)))
        elif frame.opcode in DATA_OPCODES and self._failure is None:
            self._fragments += frame.data
            if frame.fin:
                data, self._fragments = self._fragments, bytearray()
                self._add_text(data)

    def _add_text(self, data: bytearray) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self._protocol.fail(_NOT_TEXT)
            self._fail(self._invalid(InvalidResponseError, "text that is not UTF-8"))
        else:
            size = len(data) + _BYTES_PER_TEXT
            self._texts.append((text, size))
            self._held += size

    async def _flush(self) -> None:
        """Send the protocol's output as a whole: half a frame breaks the connection."""
        data = b"".join(self._protocol.data_to_send())
        if not data:
            return
        sent = False
        try:
            with anyio.move_on_after(_SEND_SECONDS, shield=True):
                await self._stream.send(data)
                sent = True
        except _NETWORK_ERRORS as error:
            self._fail(self._broken(error))
        finally:
            if not sent:
                self._fail(self._lost("nothing can be sent any more"))

    def _fail(self, failure: GenAuthError) -> None:
        self._failure = self._failure or failure

    def _lost(self, problem: str) -> ConnectionLostError:
        return ConnectionLostError(f"{self._prefix()}: {problem}", sent=True)

    def _broken(self, error: Exception) -> ConnectionLostError:
        return self._lost(f"the connection broke ({type(error).__name__})")

    def _invalid(self, cls: type[InvalidResponseError], problem: str) -> InvalidResponseError:
        return cls(f"{self._prefix()}: the server sent {problem}", http_status=HTTPStatus.SWITCHING_PROTOCOLS)

    def _prefix(self) -> str:
        """Return the beginning of the messages."""
        was_opened = self._response is not None and self._protocol.handshake_exc is None
        return self._name if was_opened else f"{self._name}: {_NOT_OPENED}"

    def _closed(self, close: Close) -> GenAuthError:
        """Return the error for a close frame of the server."""
        reason = f": {excerpt(close.reason.encode())}" if close.reason else ""
        problem = f"the server closed the connection ({close.code}{reason})"
        if close.code in _CLOSE_REFUSALS:
            cls, status = _CLOSE_REFUSALS[close.code]
            return cls(f"{self._name}: {problem}", status_code=status)
        return self._lost(problem)

    def _unreadable(self, error: Exception) -> GenAuthError:
        """Return the error for bytes that the library cannot parse, without its exception, which quotes them."""
        from websockets.exceptions import PayloadTooBig

        if isinstance(error, EOFError) or isinstance(error.__cause__, EOFError):
            return self._lost("the connection ended")
        if isinstance(error, PayloadTooBig):
            return self._invalid(ResponseTooLargeError, "a text larger than max_response_bytes")
        return self._invalid(InvalidResponseError, f"data that is not the WebSocket protocol ({type(error).__name__})")


def _refusal(response: Response, name: str, problem: str) -> GenAuthError:
    """Return the error for an answer that opens no WebSocket; `problem` is the name of the library's exception."""
    endpoint = f"GET {urlsplit(name.removeprefix('WebSocket ')).path}"
    response = evolve(response, call=f"{name}: {_NOT_OPENED}", endpoint=endpoint)
    status = response.status
    if status == HTTPStatus.SWITCHING_PROTOCOLS:
        return unusable(InvalidResponseError, f"the server's handshake is wrong: {problem}", response)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        message = "the server sent a redirect, which is not followed: check websocket_host"
        return unusable(UnexpectedRedirectError, message, response)
    try:
        read_envelope(response, Envelope)
    except (InvalidResponseError, OAuthError) as error:
        if status not in _HTTP_REFUSALS:
            return error
        cls, message = _HTTP_REFUSALS[status]
        return cls(
            f"{name}: {message}",
            status_code=status,
            http_status=status,
            retry_after=error.retry_after,
            request_id=error.request_id,
            endpoint=endpoint,
        )
    except GenAuthError as error:
        return error
    return unusable(UnexpectedShapeError, "the server sent an answer of another kind", response)
