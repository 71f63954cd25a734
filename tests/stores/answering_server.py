"""A server that greets its clients as Redis does, and has one answer to all other commands."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

_GREETINGS = (b"AUTH", b"SELECT", b"SETINFO")


@contextlib.contextmanager
def answering_server() -> Iterator[tuple[int, list[bytes]]]:
    """Its port, and a list for its answer."""
    answer: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            while asked := client.recv(65536):
                greetings = sum(asked.count(b"\r\n%s\r\n" % name) for name in _GREETINGS)
                client.sendall(b"+OK\r\n" * greetings or answer[0])

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    yield listener.getsockname()[1], answer
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
