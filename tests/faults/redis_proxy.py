"""A proxy before Redis that keeps a write of a record waiting, on its way there or on its way back."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

_ALL: Final = 1 << 20
_PATIENCE: Final = 30.0


class RedisGate:
    """A gate at which one write waits.

    Args:
        write: which one, counted from now.
        on_its_way_back: whether Redis carries it out first.
    """

    def __init__(self, write: int, *, on_its_way_back: bool) -> None:
        self._left = write
        self._guard = threading.Lock()
        self._arrived, self._released, self._passed = threading.Event(), threading.Event(), threading.Event()
        self._is_lost = False
        self.on_its_way_back = on_its_way_back

    def is_for(self, asked: bytes) -> bool:
        """Return True if the command is the one to wait here."""
        # The scripts of the locks have keys of another name.
        if b"EVALSHA" not in asked or b":record:" not in asked:
            return False
        with self._guard:
            self._left -= 1
            return self._left == 0

    def hold(self) -> None:
        self._arrived.set()
        self._released.wait()
        if self._is_lost:
            raise ConnectionAbortedError

    def wait(self) -> None:
        """Returns when the write is here."""
        assert self._arrived.wait(_PATIENCE), "no write came"

    def passed(self) -> None:
        self._passed.set()

    def release(self) -> None:
        """Returns when Redis has carried it out, which is late if its sender is gone."""
        self._released.set()
        if self._arrived.is_set():
            assert self._passed.wait(_PATIENCE), "Redis does not answer"

    def let_go(self) -> None:
        """Lets the write go on; Redis may take its time."""
        self._released.set()

    def lose(self) -> None:
        """Drop the write that waits: it never arrives."""
        self._is_lost = True
        self._released.set()


class RedisProxy:
    """Hands on what it is sent, one answer after each question."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._gates: list[RedisGate] = []

    def gate(self, write: int, *, on_its_way_back: bool = False) -> RedisGate:
        """Keeps a write waiting."""
        gate = RedisGate(write, on_its_way_back=on_its_way_back)
        self._gates.append(gate)
        return gate

    def serve(self) -> None:
        """Until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._hand_on, args=(client,), daemon=True).start()

    def close(self) -> None:
        for gate in self._gates:
            gate.lose()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _hand_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._server) as server:
            while asked := client.recv(_ALL):
                gates = [gate for gate in self._gates if gate.is_for(asked)]
                for gate in gates:
                    if not gate.on_its_way_back:
                        gate.hold()
                server.sendall(asked)
                answer = server.recv(_ALL)
                if not answer:
                    return
                for gate in gates:
                    if gate.on_its_way_back:
                        gate.hold()
                    gate.passed()
                client.sendall(answer)


@contextlib.contextmanager
def redis_proxy(port: int) -> Iterator[RedisProxy]:
    """A proxy to a port of this machine."""
    proxy = RedisProxy(port)
    thread = threading.Thread(target=proxy.serve)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
