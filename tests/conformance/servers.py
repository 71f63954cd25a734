"""Servers on raw sockets: a function plays each connection, byte by byte."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

Play = Callable[["Peer"], object]


class Peer:
    """One accepted connection.

    Attributes:
        number: 1 for the server's first connection.
        server: which accepted it.
    """

    def __init__(self, server: Server, sock: socket.socket, number: int) -> None:
        self.server = server
        self.number = number
        self._socket = sock
        self._buffer = b""
        self.over = threading.Event()

    def head(self) -> bytes | None:
        """Read the head of a request; None if the client has closed the connection."""
        while b"\r\n\r\n" not in self._buffer:
            data = self._receive()
            if not data:
                return None
            self._buffer += data
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.server.requests.append(head)
        return head

    def read(self) -> bytes | None:
        """Read a whole request, and return its head."""
        head = self.head()
        if head is not None:
            length = next(
                (line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), b"0"
            )
            while len(self._buffer) < int(length):
                data = self._receive()
                if not data:
                    return None
                self._buffer += data
            self._buffer = self._buffer[int(length) :]
        return head

    def __iter__(self) -> Iterator[bytes]:
        while (head := self.read()) is not None:
            yield head

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except OSError:
            return b""

    def send(self, data: bytes) -> bool:
        """Send; return False if the client has closed the connection."""
        try:
            self._socket.sendall(data)
        except OSError:
            return False
        return True

    def send_with_end(self, data: bytes) -> None:
        """Send, and close in the same segment."""
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.send(data)
        self.close()

    def pause(self, seconds: float) -> None:
        """Wait, at most until the test is over."""
        self.over.wait(seconds)

    def hang(self) -> None:
        """Do nothing until the test is over."""
        self.over.wait(60)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def finish(self) -> None:
        """Close in an orderly way: unread bytes would turn the close into a reset."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self.wait_for_end()

    def reset(self) -> None:
        """Close with a reset."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def wait_for_end(self) -> None:
        """Read and forget, until the client closes."""
        while self._receive():
            pass

    def secure(self, context: ssl.SSLContext) -> None:
        """Do the server's part of the TLS handshake."""
        secured = context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        self._socket = secured
        try:
            secured.do_handshake()
        except OSError:
            # In good order, so that the client reads the alert.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(secured, socket.SHUT_WR)
                while socket.socket.recv(secured, 65536):
                    pass
            raise

    def run(self, play: Play, context: ssl.SSLContext | None) -> None:
        try:
            if context is not None:
                self.secure(context)
            play(self)
        except OSError:
            pass  # the client has gone, or refused the handshake
        finally:
            self.close()

    def stop(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


class Server:
    """Accepts connections until its `with` block ends.

    Attributes:
        port: its own.
        connections: the number of accepted ones.
        requests: the heads that arrived.
    """

    def __init__(self, play: Play, *, context: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> None:
        self._play = play
        self._context = context
        self._listener = socket.create_server((address, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        self._peers: list[Peer] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for peer in self._peers:
            peer.stop()
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                sock = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(self, sock, self.connections)
            self._peers.append(peer)
            thread = threading.Thread(target=peer.run, args=(self._play, self._context), daemon=True)
            self._threads.append(thread)
            thread.start()

    def refuse(self) -> None:
        """Accept no more connections; the kernel refuses them, as the port stays bound."""
        self._listener.shutdown(socket.SHUT_RDWR)

    def wait_for(self, *, connections: int = 0, requests: int = 0) -> None:
        """Wait until so many have arrived."""
        until = time.monotonic() + 10
        while self.connections < connections or len(self.requests) < requests:
            assert time.monotonic() < until, "the client sent nothing"
            time.sleep(0.002)


@contextlib.contextmanager
def full_listener(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port whose accept queue is full, so that the kernel drops each SYN."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket(family))
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        time.sleep(0.01)
        yield listener.getsockname()[1]


def answer(body: object = "a", *headers: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    """An answer with a length; text and objects are sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/{version} {status}", "Content-Type: application/json", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


def head(*lines: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    """The head of an answer, with these headers alone."""
    return "\r\n".join([f"HTTP/{version} {status}", *lines, "", ""]).encode("latin-1")


def chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailers + b"\r\n"


def once(*parts: Any, then: Callable[[Peer], None] = Peer.finish) -> Play:
    """A server that sends these bytes, without reading, and then ends; a number is a pause in seconds."""

    def play(peer: Peer) -> None:
        send_all(peer, *parts)
        then(peer)

    return play


def answers(*parts: Any) -> Play:
    """A server that answers each request on a connection with the same bytes; a number is a pause in seconds."""

    def play(peer: Peer) -> None:
        for _ in peer:
            send_all(peer, *parts)

    return play


def send_all(peer: Peer, *parts: Any) -> None:
    for part in parts:
        if isinstance(part, bytes):
            peer.send(part)
        else:
            peer.pause(part)
