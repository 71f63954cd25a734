"""An address that leads to one server, and later to another; open connections stay with the first."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class MovingAddress:
    """A port of this machine that is handed on to another port."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.listener.getsockname()[1]

    def serve(self) -> None:
        """Until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    client.close()
                    continue
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=_hand_on, args=(source, sink), daemon=True).start()


def _hand_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    source.close()


@contextlib.contextmanager
def moving_address(target: int) -> Iterator[MovingAddress]:
    """An address that leads to a port of this machine."""
    address = MovingAddress(target)
    thread = threading.Thread(target=address.serve)
    thread.start()
    try:
        yield address
    finally:
        address.listener.shutdown(socket.SHUT_RDWR)
        address.listener.close()
        thread.join()
