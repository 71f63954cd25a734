"""A proxy that hands on what it is sent, and loses answers when it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class LosingProxy:
    """Stands between clients and a server on this machine, for protocols in which an answer follows each question."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._guard = threading.Lock()
        self._command = b""
        self._is_refused = False
        self.left = 0

    def lose(self, command: bytes, times: int = 1) -> None:
        """The next answers to such a command are lost, and the connection with them; the server carries it out."""
        with self._guard:
            self._command, self.left, self._is_refused = command, times, False

    def refuse(self, command: bytes, times: int = 1) -> None:
        """The next such commands do not get to the server, and the connection is lost."""
        with self._guard:
            self._command, self.left, self._is_refused = command, times, True

    def serve(self) -> None:
        """Until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._hand_on, args=(client,)).start()

    def _hand_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server, contextlib.suppress(OSError):
            while asked := client.recv(1 << 20):
                is_lost = self._is_to_be_lost(asked)
                if is_lost and self._is_refused:
                    return
                server.sendall(asked)
                answer = server.recv(1 << 20)
                if is_lost:
                    return
                client.sendall(answer)

    def _is_to_be_lost(self, asked: bytes) -> bool:
        with self._guard:
            lost = self.left > 0 and self._command in asked
            self.left -= lost
            return lost


@contextlib.contextmanager
def losing_proxy(port: int) -> Iterator[LosingProxy]:
    """A proxy to a port of this machine; who uses it closes its connections first."""
    proxy = LosingProxy(port)
    thread = threading.Thread(target=proxy.serve)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.listener.shutdown(socket.SHUT_RDWR)
        proxy.listener.close()
        thread.join()
