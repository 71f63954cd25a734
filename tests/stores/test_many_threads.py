"""An application whose worker threads all wait for sessions leaves the stores threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
import redis

from genauth_async import FileStore, TokenStore
from genauth_async.emulator import Emulator, User
from genauth_async.stores import RedisStore
from tests.conftest import MakeClient
from tests.stores.redis_server import RedisServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]

THREADS = 40  # of anyio's default limiter


@pytest.mark.parametrize("kind", ["file", "redis"])
async def test_they_get_their_tokens(
    kind: str, make_client: MakeClient, emulator: Emulator, user: User, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        prefix = request.getfixturevalue("redis_prefix")
        store: TokenStore = RedisStore(redis.Redis.from_url(server.url, socket_timeout=5), prefix=prefix)
    else:
        store = FileStore(tmp_path / "sessions")
    client = make_client()
    sessions = [client.session(dict(emulator.issue_tokens(user)), store=store, key=f"{n}") for n in range(THREADS)]
    all_there = threading.Barrier(THREADS)
    got: list[str] = []

    def work(refresh: Callable[[], Any]) -> None:
        all_there.wait()
        got.append(anyio.from_thread.run(refresh).access_token)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for session in sessions:
                group.start_soon(anyio.to_thread.run_sync, work, session.refresh)
    assert len(set(got)) == THREADS
    if isinstance(store, RedisStore):
        await store.aclose()
