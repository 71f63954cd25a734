"""The WebSocket against independent servers: handshakes, TLS, silence, and invalid protocols."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
import trustme
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from genauth_async import (
    AuthenticationClient,
    ClientClosedError,
    ConnectionFailedError,
    ConnectionLostError,
    EmptyResponseError,
    GenAuthError,
    InvalidResponseError,
    NotJSONError,
    NotSignedInError,
    RateLimitedError,
    RequestTimeoutError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    TLSError,
    UnexpectedRedirectError,
    UnexpectedShapeError,
)
from genauth_async._arguments.timeouts import deadline
from genauth_async._websocket.address import WebSocketAddress
from genauth_async._websocket.connection import WebSocket
from tests.recording import Answer, RecordingServer
from tests.websocket_servers import independent_server, raw_server, shake_hands

pytestmark = [pytest.mark.anyio, pytest.mark.backends]

TOKEN = "canary-token"
ONCE = RetryPolicy(attempts=1)


def make(websocket_host: str, **options: Any) -> AuthenticationClient:
    options.setdefault("retry", ONCE)
    return AuthenticationClient("app", "https://a.example", "secret", TOKEN, websocket_host=websocket_host, **options)


async def test_the_handshake_asks_for_what_was_meant() -> None:
    requests: list[Any] = []

    async def handler(connection: ServerConnection) -> None:
        requests.append(connection.request)
        await connection.send("hello")
        await connection.wait_closed()

    code = "päid & refunded+/?=#%"
    with independent_server(handler) as url:
        async with make(url, websocket_endpoint="events here").iter_events(code) as events:
            assert await anext(events) == "hello"
    (request,) = requests
    target = urlsplit(request.path)
    assert target.path == "/events%20here"
    assert parse_qs(target.query, strict_parsing=True) == {"code": [code], "token": [TOKEN]}
    assert request.headers["host"] == url.removeprefix("ws://")
    assert request.headers["user-agent"].startswith("genauth-async/")
    assert "authorization" not in request.headers


async def test_another_server_is_understood() -> None:
    closed: list[int | None] = []

    async def handler(connection: ServerConnection) -> None:
        await connection.ping()
        await connection.send(["in ", "three ", "parts"])
        await connection.send("bytes ü".encode())
        await connection.wait_closed()
        closed.append(connection.close_code)

    with independent_server(handler, compression="deflate") as url:
        async with make(url).iter_events("code") as events:
            assert await anext(events) == "in three parts"
            assert await anext(events) == "bytes ü"
    assert closed == [1000]


async def test_parts_that_are_too_long_together() -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(["x" * 60, "y" * 60])

    with independent_server(handler) as url:
        async with make(url, max_response_bytes=100).iter_events("code") as events:
            with pytest.raises(ResponseTooLargeError):
                await anext(events)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


async def test_tls_is_verified_as_for_calls(authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send("x" * 100_000)
        await connection.wait_closed()

    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with independent_server(handler, ssl=tls) as url:
        async with make(url).iter_events("code") as events:
            with pytest.raises(TLSError, match="verify="):
                await anext(events)
        async with make(url.replace("localhost", "127.0.0.1"), verify=ca_file).iter_events("code") as events:
            with pytest.raises(TLSError):
                await anext(events)
        for verify in (ca_file, False):
            async with make(url, verify=verify).iter_events("code") as events:
                assert await anext(events) == "x" * 100_000


async def test_a_server_without_tls_has_its_own_error() -> None:
    with raw_server(lambda connection: connection.close()) as url:
        async with make(url.replace("ws:", "wss:")).iter_events("code") as events:
            with pytest.raises(ConnectionFailedError) as caught:
                await anext(events)
    assert not caught.value.sent


async def test_a_port_without_a_listener_is_a_failed_connection(free_port: int) -> None:
    async with make(f"ws://127.0.0.1:{free_port}").iter_events("code") as events:
        with pytest.raises(ConnectionFailedError, match="no connection") as caught:
            await anext(events)
    assert not caught.value.sent


def hear_and_be_silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


async def test_a_server_that_says_nothing() -> None:
    with raw_server(hear_and_be_silent) as url:
        async with make(url).iter_events("code", timeout=0.2) as events:
            with pytest.raises(RequestTimeoutError, match=r"within 0\.2 s") as caught:
                await anext(events)
    assert caught.value.sent


async def test_a_connection_that_died_is_noticed() -> None:
    def die(connection: socket.socket) -> None:
        shake_hands(connection)
        hear_and_be_silent(connection)

    with raw_server(die) as url:
        async with make(url).iter_events("code", ping_interval=0.05, reconnect_for=0) as events:
            with pytest.raises(ConnectionLostError, match=r"silent for 0\.1 s"):
                await anext(events)


async def test_a_quiet_connection_is_kept_alive() -> None:
    def answer_pings(connection: socket.socket) -> None:
        protocol = shake_hands(connection)
        pings = 0
        while pings < 2:
            protocol.receive_data(connection.recv(65536))
            pings += sum(isinstance(e, Frame) and e.opcode is Opcode.PING for e in protocol.events_received())
            connection.sendall(b"".join(protocol.data_to_send()))
        protocol.send_text(b"after two pings")
        connection.sendall(b"".join(protocol.data_to_send()))
        hear_and_be_silent(connection)

    with raw_server(answer_pings) as url:
        async with make(url).iter_events("code", ping_interval=0.5, reconnect_for=0) as events:
            assert await anext(events) == "after two pings"


async def test_a_busy_callback_does_not_cost_the_connection() -> None:
    answered = threading.Event()

    async def handler(connection: ServerConnection) -> None:
        await connection.send("busy with this")
        await (await connection.ping())
        await connection.send("x" * 200)  # more than the read-ahead buffer
        await connection.send("last")
        answered.set()
        await connection.wait_closed()

    received: list[str] = []

    async def callback(event: str) -> None:
        received.append(event[:4])
        assert await anyio.to_thread.run_sync(answered.wait, 20)
        if event == "last":
            raise LookupError(event)

    with independent_server(handler) as url, pytest.raises(LookupError, match="last"):
        await make(url, max_response_bytes=200).sub_event("code", callback)
    assert received == ["busy", "xxxx", "last"]


async def test_a_slow_caller_holds_the_server_up() -> None:
    count, size = 40, 1_000_000
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        shake_hands(connection)
        for number in range(count):
            connection.sendall(b"\x81\x7f" + size.to_bytes(8, "big") + b"x" * size)
            sent.append(number)
        hear_and_be_silent(connection)

    with raw_server(flood) as url:
        async with make(url).iter_events("code", ping_interval=0.5, reconnect_for=0) as events:
            assert len(await anext(events)) == size
            await anyio.sleep(1.2)  # longer than the timeout for a silent server
            assert len(sent) < count / 2  # bounded by the socket buffers
            for _ in range(count - 1):
                assert len(await anext(events)) == size


async def test_a_text_that_arrives_slowly_is_a_sign_of_life() -> None:
    def drip(connection: socket.socket) -> None:
        shake_hands(connection)
        for byte in b"\x81\x0bhello world":
            time.sleep(0.12)
            connection.sendall(bytes([byte]))
        hear_and_be_silent(connection)

    with raw_server(drip) as url:
        async with make(url).iter_events("code", ping_interval=0.5, reconnect_for=0) as events:
            assert await anext(events) == "hello world"


async def test_closing_does_not_wait_for_the_server() -> None:
    def greet(connection: socket.socket) -> None:
        shake_hands(connection)
        connection.sendall(b"\x81\x02hi")
        hear_and_be_silent(connection)

    with raw_server(greet) as url:
        events = make(url).iter_events("code")
        assert await anext(events) == "hi"
        begun = time.monotonic()
        await events.aclose()
        assert time.monotonic() - begun < 1


@pytest.mark.parametrize(
    ("frame", "text", "most"),
    [(b"\x81\x00", "", 10_000), (b"\x81\x03\xe4\xb8\xad", "\N{CJK UNIFIED IDEOGRAPH-4E2D}", 15_000)],
)
async def test_what_is_held_ahead_is_counted_in_bytes_and_pieces(frame: bytes, text: str, most: int) -> None:
    count = 5000

    def flood(connection: socket.socket) -> None:
        shake_hands(connection)
        connection.sendall(frame * count)
        hear_and_be_silent(connection)

    with raw_server(flood) as url:
        address = WebSocketAddress(origin=url, path="/", query="")
        held = await WebSocket.connect(address, None, deadline(10), max_bytes=most, ping_interval=3600)
        with anyio.fail_after(10):
            await held.keep_alive()  # returns at the limit
        assert [await held.receive() for _ in range(count)] == [text] * count
        await held.aclose()


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"\x81\x02\xff\xff", InvalidResponseError),  # not UTF-8
        (b"\xff\xff\xff\xff", InvalidResponseError),  # not a frame
        (b"\x81\x05hel", ConnectionLostError),  # a truncated frame
    ],
)
async def test_frames_that_cannot_be_read(sent: bytes, error: type[GenAuthError]) -> None:
    def serve(connection: socket.socket) -> None:
        shake_hands(connection)
        connection.sendall(b"\x81\x02ok" + sent)
        connection.shutdown(socket.SHUT_WR)

    with raw_server(serve) as url:
        async with make(url).iter_events("code", reconnect_for=0) as events:
            assert await anext(events) == "ok"
            with pytest.raises(error) as caught:
                await anext(events)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ConnectionLostError),
        (b"HTTP/1.1 101 Switch", ConnectionLostError),
        (b"SSH-2.0-OpenSSH_9.9\r\n", InvalidResponseError),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            InvalidResponseError,
        ),
    ],
)
async def test_answers_that_are_no_handshake(answer: bytes, error: type[GenAuthError]) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)

    with raw_server(serve) as url:
        async with make(url).iter_events("code") as events:
            with pytest.raises(error, match="no WebSocket was opened") as caught:
                await anext(events)
    assert type(caught.value) is error


EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nConnection: close\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def answer_of(connection: socket.socket, before: bytes, headers: bytes) -> bytes:
    """Read a handshake; return the answer that opens the WebSocket, and an event."""
    protocol = ServerProtocol()
    while not protocol.events:
        protocol.receive_data(connection.recv(65536))
    (request,) = protocol.events_received()
    assert isinstance(request, Request)
    protocol.send_response(protocol.accept(request))
    status_line, fields = b"".join(protocol.data_to_send()).split(b"\r\n", 1)
    return before + status_line + b"\r\n" + headers + fields + b"\x81\x02hi"


async def open_and_receive(before: bytes, headers: bytes, *, part: int = 1 << 20) -> str:
    def serve(connection: socket.socket) -> None:
        answer = answer_of(connection, before, headers)
        for begin in range(0, len(answer), part):
            connection.sendall(answer[begin : begin + part])
        hear_and_be_silent(connection)

    with raw_server(serve) as url:
        async with make(url).iter_events("code") as events:
            return await anext(events)


@pytest.mark.parametrize("part", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize("before", [b"", CONTINUE, EARLY_HINTS, EARLY_HINTS * 3 + CONTINUE, b"HTTP/1.1 102\r\n\r\n"])
async def test_interim_answers_are_skipped(before: bytes, part: int) -> None:
    assert await open_and_receive(before, b"X-Trace: \xff\r\n", part=part) == "hi"


@pytest.mark.parametrize(
    "headers",
    [
        b"Set-Cookie: " + b"x" * 65_000 + b"\r\n",
        b"Set-Cookie: a=b\r\n" * 1000,
        b"".join(b"Content-Security-Policy-%d: " % number + b"x" * 8000 + b"\r\n" for number in range(10)),
    ],
)
async def test_large_headers_of_the_handshake(headers: bytes) -> None:
    assert await open_and_receive(EARLY_HINTS + CONTINUE[:-2] + headers + b"\r\n", headers) == "hi"
    assert await open_and_receive(b"", headers, part=1000) == "hi"


@pytest.mark.parametrize("headers", [b"Set-Cookie: " + b"x" * 100_000, b"Set-Cookie: a=b\r\n" * 1100, b"x" * 200_000])
async def test_larger_headers_have_a_clear_error(headers: bytes) -> None:
    message = "no WebSocket was opened: the server sent more than 96 KB of headers, or more than 1024"
    for before in b"", EARLY_HINTS, CONTINUE[:-2] + headers + b"\r\n\r\n":
        with pytest.raises(InvalidResponseError, match=message):
            await open_and_receive(before, headers + b"\r\n")


async def test_large_headers_of_a_refusal() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(65536)
        head = b"HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\n" + b"Set-Cookie: a=b\r\n" * 1000
        connection.sendall(EARLY_HINTS + head + b"Content-Length: 19\r\n\r\n{'statusCode': 429}".replace(b"'", b'"'))
        hear_and_be_silent(connection)

    with raw_server(refuse) as url:
        async with make(url).iter_events("code") as events:
            with pytest.raises(RateLimitedError) as caught:
                await anext(events)
    assert caught.value.retry_after == 7


NO_WEBSOCKET = "no WebSocket was opened"


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Answer({"statusCode": 200, "message": "ok"}), UnexpectedShapeError, NO_WEBSOCKET),
        (Answer({"statusCode": 401, "message": "no", "apiCode": 2020}), NotSignedInError, "no"),
        (Answer(b"<html>captive portal</html>", content_type="text/html"), NotJSONError, f"{NO_WEBSOCKET}.*<html>"),
        (Answer(b"", status=404), EmptyResponseError, f"{NO_WEBSOCKET}.*404"),
        (Answer({"oops": 1}, status=409), UnexpectedShapeError, f"{NO_WEBSOCKET}.*409"),
        (Answer({"oops": 1}, status=500), ServerError, f"{NO_WEBSOCKET}.*500"),
        (
            Answer(b"", status=401, headers={"www-authenticate": 'Bearer error="invalid_token"'}),
            NotSignedInError,
            "signed",
        ),
        (Answer(status=302, headers={"location": "https://evil.example"}), UnexpectedRedirectError, "websocket_host"),
    ],
)
async def test_http_servers_have_their_own_errors(
    recorder: RecordingServer, answer: Answer, error: type[GenAuthError], message: str
) -> None:
    recorder.answers = [answer]
    async with make(recorder.url.replace("http", "ws")).iter_events("code") as events:
        with pytest.raises(error, match=message) as caught:
            await anext(events)
    assert type(caught.value) is error
    assert "app_host" not in str(caught.value)
    assert len(recorder.requests) == 1


async def test_a_cancelled_handshake_leaves_no_connection() -> None:
    heard, gone = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        heard.set()
        hear_and_be_silent(connection)
        gone.set()

    with raw_server(serve) as url:
        events = make(url).iter_events("code")
        async with anyio.create_task_group() as group:
            group.start_soon(anext, events)
            await anyio.to_thread.run_sync(heard.wait)
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(gone.wait, 10)


async def test_a_closed_client_connects_no_more() -> None:
    client = make("ws://127.0.0.1:1")
    await client.aclose()
    async with client.iter_events("code") as events:
        with pytest.raises(ClientClosedError):
            await anext(events)
