"""Event streams of servers that accept each connection and soon end it."""

from __future__ import annotations

import itertools
import socket
import struct
import time
from collections.abc import Callable

import anyio
import pytest

from genauth_async import AuthenticationClient, GenAuthError, RetryPolicy
from genauth_async._websocket import subscription
from tests.websocket_servers import raw_server, shake_hands

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]

SECONDS = 30  # for what would go on for ever
EVENT = b"\x81\x05event"
PONG = b"\x8a\x00"
PING = b"\x89\x00"
TRY_LATER = b"\x88\x02" + (1013).to_bytes(2, "big")
HALF_AN_EVENT = b"\x81\x7f" + (1000).to_bytes(8, "big") + b"half"
PART_OF_AN_EVENT = b"\x01\x04part"

Serve = Callable[[socket.socket], None]


def sends(data: bytes) -> Serve:
    """Return a server of one connection that opens the WebSocket, sends this, and closes."""

    def serve(connection: socket.socket) -> None:
        shake_hands(connection)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    return serve


def resets(connection: socket.socket) -> None:
    shake_hands(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_unavailable(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


def alternates(*servers: Serve) -> Serve:
    turns = itertools.cycle(servers)

    def serve(connection: socket.socket) -> None:
        next(turns)(connection)

    return serve


BRIEF = {
    "nothing": sends(b""),
    "a close frame": sends(TRY_LATER),
    "an event": sends(EVENT),
    "an event and a close frame": sends(EVENT + TRY_LATER),
    "many events": sends(EVENT * 50),
    "pongs": sends(PONG * 3),
    "pings": sends(PING * 3),
    "half an event": sends(HALF_AN_EVENT),
    "an event and a half": sends(EVENT + HALF_AN_EVENT),
    "a part of an event": sends(EVENT + PART_OF_AN_EVENT),
    "a reset": resets,
    "turns": alternates(sends(EVENT), resets, sends(PONG), is_unavailable, sends(EVENT + TRY_LATER)),
}


def client_of(host: str, retry: RetryPolicy) -> AuthenticationClient:
    return AuthenticationClient("app", "https://a.example", "secret", "token", websocket_host=host, retry=retry)


class Attempts(list[int]):
    """The count of failures in a row, at each pause. No pause takes time; the eighth ends the attempts."""

    def wait(
        self, _policy: object, _idempotency: object, attempt: int, _outcome: object, _draw: object
    ) -> float | None:
        self.append(attempt)
        return 0 if len(self) < 8 else None


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    attempts = Attempts()
    monkeypatch.setattr(subscription, "wait_before_retry", attempts.wait)
    return attempts


async def receive_until_it_fails(serve: Serve, retry: RetryPolicy, reconnect_for: float | None = None) -> None:
    with raw_server(serve) as url, anyio.fail_after(SECONDS):
        async with client_of(url, retry).iter_events("code", reconnect_for=reconnect_for) as events:
            with pytest.raises(GenAuthError):
                async for _ in events:
                    pass


@pytest.mark.parametrize("sent", BRIEF)
async def test_the_pauses_grow_while_no_connection_lasts(sent: str, attempts: Attempts) -> None:
    await receive_until_it_fails(BRIEF[sent], RetryPolicy())
    assert attempts == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("sent", BRIEF)
async def test_reconnecting_ends_while_no_connection_lasts(sent: str) -> None:
    await receive_until_it_fails(BRIEF[sent], RetryPolicy(backoff=0.02, max_backoff=0.02), reconnect_for=0.3)


async def test_a_connection_that_lasted_starts_the_count_anew(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "_STEADY_SECONDS", 0.05)

    def lasts(connection: socket.socket) -> None:
        shake_hands(connection)
        time.sleep(0.1)
        connection.shutdown(socket.SHUT_WR)

    brief = sends(EVENT)
    await receive_until_it_fails(alternates(lasts, brief, brief, brief), RetryPolicy())
    assert attempts == [1, 2, 3, 4, 1, 2, 3, 4]


async def test_a_refusal_after_an_event_is_final() -> None:
    connections: list[socket.socket] = []

    def refuse(connection: socket.socket) -> None:
        connections.append(connection)
        sends(EVENT + b"\x88\x02" + (1008).to_bytes(2, "big"))(connection)

    await receive_until_it_fails(refuse, RetryPolicy())
    assert len(connections) == 1
