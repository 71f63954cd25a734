"""One WebSocket (RFC 6455) that receives texts: the `websockets` package's protocol over anyio's connections."""

from __future__ import annotations

import logging
import ssl
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import anyio
from anyio.abc import ByteStream

from .._arguments.timeouts import Deadline
from .._core.redaction import excerpt
from .._core.version import VERSION
from .._wire.responses import Response, read_envelope, retry_after
from ..errors import (
    ConfigurationError,
    ConnectionLostError,
    ForbiddenError,
    GenAuthAPIError,
    GenAuthError,
    InvalidResponseError,
    NotSignedInError,
    RequestTimeoutError,
    ResponseTooLargeError,
    UnexpectedRedirectError,
    UnexpectedShapeError,
)
from ..models._base import Envelope
from .address import WebSocketAddress, connect_to

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.frames import Frame

_NORMAL_CLOSURE: Final = 1000
_NOT_TEXT: Final = 1007
_NOT_SIGNED_IN_CODES: Final = frozenset({1008, 4401})
_FORBIDDEN_CODES: Final = frozenset({4403})
# For pings, pongs and goodbyes, which fit into any socket's buffer unless the other side has long stopped reading.
_SEND_SECONDS: Final = 2.0
# What a text takes up beside its bytes, so that a flood of empty ones is bounded too.
_BYTES_PER_TEXT: Final = 256
_NOT_OPENED: Final = "no WebSocket was opened"
# What a gateway may answer in its own words.
_REFUSALS: Final[Mapping[int, tuple[type[GenAuthAPIError], str]]] = {
    HTTPStatus.UNAUTHORIZED: (NotSignedInError, "not signed in"),
    HTTPStatus.FORBIDDEN: (ForbiddenError, "forbidden"),
}


def _silent() -> logging.Logger:
    """A logger that nobody's configuration can turn on: the library would log the handshake, access token included."""
    logger = logging.Logger("genauth_async.websocket")  # noqa: LOG001 - made by hand so that nobody can get it
    logger.disabled = True
    return logger


_silent_logger: Final = _silent()


def load_library() -> None:
    """Imports the `websockets` package, which takes its time.

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


class WebSocket:
    """An open WebSocket. It reads only in `receive` and `tend`, of which one may run at a time."""

    def __init__(
        self, stream: ByteStream, protocol: ClientProtocol, name: str, *, ping_interval: float, max_held: int
    ) -> None:
        self._stream = stream
        self._protocol = protocol
        self._name = name
        self._ping_interval = ping_interval
        self._most_held = max_held
        self._pinged = False
        self._response: Response | None = None
        self._begun = bytearray()
        self._texts: deque[tuple[str, int]] = deque()
        self._held = 0
        self._failure: GenAuthError | None = None

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
        """Connects and shakes hands. `load_library` has to be called before, once.

        Args:
            address: where to.
            context: for wss://.
            limit: how long it may take.
            max_bytes: the longest text that is received, and about how much `tend` holds.
            ping_interval: seconds of silence after which the server is asked for a sign of life, and again after which
                the connection is given up.

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
            socket = cls(stream, protocol, address.name, ping_interval=ping_interval, max_held=max_bytes)
            try:
                await socket._shake_hands()
            except BaseException:
                await anyio.aclose_forcefully(stream)
                raise
            return socket
        raise RequestTimeoutError(f"{address.name}: no answer within {limit.total:g} s", sent=connected)

    async def receive(self) -> str:
        """The next text. Cancelling this loses none.

        Raises:
            ConnectionLostError: the connection broke, was silent for too long, or was closed by the server.
            NotSignedInError, ForbiddenError: the server closed it and says that the token is the reason.
            InvalidResponseError: the server sent something that cannot be read.
        """
        while not self._texts:
            if self._failure is not None:
                raise self._failure
            await self._read_or_ping()
        text, size = self._texts.popleft()
        self._held -= size
        return text

    async def tend(self) -> None:
        """Reads ahead and gives signs of life until it is cancelled, the connection breaks, or enough is held."""
        while self._failure is None and self._held < self._most_held:
            await self._read_or_ping()

    async def aclose(self) -> None:
        """Says goodbye where that is still possible, and closes the connection; at once, or within seconds."""
        from websockets.protocol import OPEN

        try:
            if self._failure is None and self._protocol.state is OPEN:
                self._protocol.send_close(_NORMAL_CLOSURE)
                await self._flush()
        finally:
            await anyio.aclose_forcefully(self._stream)

    async def _shake_hands(self) -> None:
        from websockets.protocol import CONNECTING

        request = self._protocol.connect()
        request.headers["User-Agent"] = f"genauth-async/{VERSION}"
        self._protocol.send_request(request)
        await self._flush()
        while self._failure is None and self._protocol.handshake_exc is None and self._protocol.state is CONNECTING:
            await self._read()
        problem = self._protocol.handshake_exc
        if self._response is None:
            raise self._failure or self._broken(EOFError())
        if problem is not None:
            raise _refusal(self._response, self._name, type(problem).__name__)
        # Frames that came with the answer, good or bad, are for `receive`.

    async def _read_or_ping(self) -> None:
        with anyio.move_on_after(self._ping_interval):
            await self._read()
            self._pinged = False
            return
        if self._pinged:
            self._fail(ConnectionLostError(f"{self._name}: silent for {2 * self._ping_interval:g} s", sent=True))
            return
        self._pinged = True
        self._protocol.send_ping(b"")
        await self._flush()

    async def _read(self) -> None:
        try:
            data = await self._stream.receive()
        except anyio.EndOfStream:
            self._protocol.receive_eof()
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            self._fail(self._broken(error))
            return
        else:
            self._protocol.receive_data(data)
        # Before anything else is awaited, so that a cancellation loses nothing.
        self._take_events()
        await self._flush()

    def _take_events(self) -> None:
        from websockets.frames import Frame
        from websockets.http11 import Response as Answer

        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
            elif isinstance(event, Answer):
                headers = {name.lower(): value for name, value in event.headers.raw_items()}
                self._response = Response(status=event.status_code, headers=headers, body=bytes(event.body or b""))
        stopped_by = self._protocol.parser_exc or self._protocol.handshake_exc
        if stopped_by is not None:
            self._fail(self._unreadable(stopped_by))

    def _take(self, frame: Frame) -> None:
        from websockets.frames import Opcode

        if frame.opcode is Opcode.CLOSE:
            self._fail(self._closed())
        elif frame.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT} and self._failure is None:
            self._begun += frame.data
            if frame.fin:
                whole, self._begun = self._begun, bytearray()
                self._take_text(whole)

    def _take_text(self, data: bytearray) -> None:
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
        """Sends what the protocol has to say, whole: half a frame would spoil the connection."""
        data = b"".join(self._protocol.data_to_send())
        if not data:
            return
        sent = False
        try:
            with anyio.move_on_after(_SEND_SECONDS, shield=True):
                await self._stream.send(data)
                sent = True
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            self._fail(self._broken(error))
        finally:
            if not sent:
                self._fail(ConnectionLostError(f"{self._at()}: nothing can be sent any more", sent=True))

    def _fail(self, failure: GenAuthError) -> None:
        self._failure = self._failure or failure

    def _at(self) -> str:
        """How messages begin."""
        was_opened = self._response is not None and self._protocol.handshake_exc is None
        return self._name if was_opened else f"{self._name}: {_NOT_OPENED}"

    def _broken(self, error: Exception) -> ConnectionLostError:
        return ConnectionLostError(f"{self._at()}: the connection broke ({type(error).__name__})", sent=True)

    def _closed(self) -> GenAuthError:
        """The error for the close frame that arrived."""
        close = self._protocol.close_rcvd
        code = _NORMAL_CLOSURE if close is None else close.code
        reason = "" if close is None or not close.reason else f": {excerpt(close.reason.encode())}"
        message = f"{self._name}: the server closed the connection ({code}{reason})"
        if code in _NOT_SIGNED_IN_CODES:
            return NotSignedInError(message, status_code=HTTPStatus.UNAUTHORIZED)
        if code in _FORBIDDEN_CODES:
            return ForbiddenError(message, status_code=HTTPStatus.FORBIDDEN)
        return ConnectionLostError(message, sent=True)

    def _unreadable(self, error: Exception) -> GenAuthError:
        """The error for bytes that the library cannot read. Its own exception quotes them, and does not go along."""
        from websockets.exceptions import PayloadTooBig

        if isinstance(error, EOFError) or isinstance(error.__cause__, EOFError):
            return ConnectionLostError(f"{self._at()}: the connection ended", sent=True)
        if isinstance(error, PayloadTooBig):
            return self._invalid(ResponseTooLargeError, "a text larger than max_response_bytes")
        return self._invalid(InvalidResponseError, f"what is not the WebSocket protocol ({type(error).__name__})")

    def _invalid(self, cls: type[InvalidResponseError], problem: str) -> InvalidResponseError:
        return cls(f"{self._at()}: the server sent {problem}", http_status=HTTPStatus.SWITCHING_PROTOCOLS)


def _refusal(response: Response, name: str, problem: str) -> GenAuthError:
    """The error for an answer that opens no WebSocket; `problem` is the name of the library's exception."""
    where = f"{name}: {_NOT_OPENED}"
    status, content_type = response.status, response.content_type
    if status == HTTPStatus.SWITCHING_PROTOCOLS:
        return InvalidResponseError(f"{where}: the server's handshake is wrong: {problem}", http_status=status)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        message = f"{where}: the server sent a redirect, which is not followed: check websocket_host"
        return UnexpectedRedirectError(message, http_status=status, content_type=content_type)
    try:
        read_envelope(response, Envelope)
    except InvalidResponseError as error:
        if status in _REFUSALS:
            cls, told = _REFUSALS[status]
            return cls(f"{name}: {told}", status_code=status, retry_after=retry_after(response))
        return type(error)(where, http_status=status, content_type=content_type, excerpt=error.excerpt)
    except GenAuthError as error:
        return error
    return UnexpectedShapeError(where, http_status=status, content_type=content_type)
