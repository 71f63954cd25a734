"""A real Redis server on a free port, which tests may stop, freeze and start again."""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.programs import program

PASSWORD = "redis-Canary"


class RedisServer:
    """One server and its data.

    Args:
        folder: where it keeps its data.
        options: of its configuration.
    """

    def __init__(self, folder: Path, **options: str) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            self.port: int = held.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A client to look at the data with."""
        return redis.Redis.from_url(self.url, retry=None)

    def start(self) -> None:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "unixsocket": str(self.socket),
            "dir": str(self.folder),
            "requirepass": PASSWORD,
            "save": "",
        } | {name.replace("_", "-"): value for name, value in self._options.items()}
        # By a file, since a password among the arguments is for every user of the machine to see.
        configuration = self.folder / "redis.conf"
        lines = [f"{name} {value}" if value else f'{name} ""' for name, value in options.items()]
        configuration.write_text("\n".join(lines))
        self._process = subprocess.Popen(
            [program("redis-server", "the store in Redis"), str(configuration)], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while not self._answers():
            assert self._process.poll() is None, "the server ended by itself"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.01)

    def stop(self) -> None:
        self._ended(signal.SIGTERM)

    def kill(self) -> None:
        self._ended(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """It keeps its connections, and answers nothing."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:  # it does not listen yet, or still reads its data
                return False

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _ended(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(20)
            self._process = None


def _served(**options: str) -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder), **options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A server that many tests share; each has a prefix of its own."""
    yield from _served()


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A server that one test may treat as it likes; it keeps its data when it is restarted."""
    yield from _served(appendonly="yes", appendfsync="always")


@pytest.fixture
def redis_prefix() -> str:
    return f"test:{secrets.token_hex(4)}:"


def contents(server: RedisServer, prefix: str) -> dict[str, Any]:
    """Everything that the server has under a prefix."""
    with server.client() as client:
        names: list[Any] = list(client.scan_iter(f"{prefix}*"))
        kinds: dict[Any, Any] = {b"hash": client.hgetall, b"string": client.get}
        return {name.decode().removeprefix(prefix): kinds[client.type(name)](name) for name in names}
