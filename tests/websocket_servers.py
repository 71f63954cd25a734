"""WebSocket servers that are not the emulator: the `websockets` package's own, and one that obeys to the byte."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from anyio.from_thread import start_blocking_portal
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request
from websockets.server import ServerProtocol

# The servers log what they are sent, which is not what these tests look for leaks in.
MUTE = logging.Logger("muted")  # noqa: LOG001
MUTE.disabled = True


@contextmanager
def independent_server(handler: Callable[[ServerConnection], Awaitable[None]], **options: Any) -> Iterator[str]:
    """The server of the `websockets` package, on a loop of its own; gives its URL."""

    async def start() -> Server:
        server: Server = await serve(handler, "127.0.0.1", 0, logger=MUTE, **options)
        return server

    async def stop(server: Server) -> None:
        server.close()
        await server.wait_closed()

    with start_blocking_portal("asyncio") as portal:
        server = portal.call(start)
        (listener,) = server.sockets
        try:
            yield f"{'wss' if 'ssl' in options else 'ws'}://localhost:{listener.getsockname()[1]}"
        finally:
            portal.call(stop, server)


@contextmanager
def raw_server(serve_one: Callable[[socket.socket], None]) -> Iterator[str]:
    """Hands each connection to a function, in a thread; gives its URL. Connections that are left open end with it."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def run(connection: socket.socket) -> None:
        with suppress(OSError):
            serve_one(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threads.append(threading.Thread(target=run, args=[connection]))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for connection in connections:
            connection.close()


def shake_hands(connection: socket.socket) -> ServerProtocol:
    """Answers a handshake properly; what comes after it is the caller's."""
    protocol = ServerProtocol(logger=MUTE)
    while not protocol.events:
        protocol.receive_data(connection.recv(65536) or b"\r\n\r\n")
    (request,) = protocol.events_received()
    assert isinstance(request, Request)
    protocol.send_response(protocol.accept(request))
    connection.sendall(b"".join(protocol.data_to_send()))
    return protocol
