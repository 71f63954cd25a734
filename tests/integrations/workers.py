"""Sites of several worker processes with one store, each on a port of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from genauth_async import AuthenticationClient, MemoryStore
from genauth_async.emulator import Emulator
from tests.integrations.sites import Site, Time
from tests.stores.redis_server import RedisServer

STORES = ["file", "redis"]


@frozen
class Workers:
    """The processes of a site.

    Attributes:
        sites: one for each.
        ahead: the file that says by how much their clocks are ahead.
        log: what they log.
    """

    sites: list[Site]
    ahead: Path
    log: Path


MakeWorkers = Callable[..., Workers]


@pytest.fixture
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """Says where a store keeps its sessions."""

    def where(store: str) -> dict[str, Any]:
        if store == "redis":
            server: RedisServer = request.getfixturevalue("redis_server")
            return {"client": server.url, "prefix": request.getfixturevalue("redis_prefix")}
        return {"directory": str(tmp_path / "sessions")} if store == "file" else {}

    return where


@pytest.fixture
def make_workers(
    framework: str, emulator: Emulator, tmp_path: Path, where: Callable[[str], dict[str, Any]]
) -> Iterator[MakeWorkers]:
    processes: list[subprocess.Popen[bytes]] = []

    def make(store: str, *, count: int = 2, where_options: dict[str, Any] | None = None, **options: Any) -> Workers:
        workers = Workers([], tmp_path / "ahead", tmp_path / "log")
        workers.ahead.write_text("0", encoding="utf-8")
        settings: dict[str, Any] = {
            "app_id": emulator.app_id,
            "app_host": emulator.url,
            "app_secret": emulator.app_secret,
        }
        for _ in range(count):
            with socket.socket() as listener, workers.log.open("ab") as log:
                listener.bind(("127.0.0.1", 0))
                listener.listen()
                url = f"http://127.0.0.1:{listener.getsockname()[1]}"
                settings.setdefault("redirect_uri", f"{url}/callback")
                given = {
                    "client": settings,
                    "store": store,
                    "where": where(store) | (where_options or {}),
                    "options": options,
                    "framework": framework,
                    "socket": listener.fileno(),
                    "ahead": str(workers.ahead),
                }
                processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "tests.integrations.worker", json.dumps(given)],
                        pass_fds=[listener.fileno()],
                        stderr=log,
                    )
                )
                workers.sites.append(Site(url, AuthenticationClient(**settings), MemoryStore(), Time()))
        return workers

    yield make
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(30)
