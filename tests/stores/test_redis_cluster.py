"""A store in a Redis cluster, each of whose calls is about one key."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import redis
import redis.asyncio
import redis.asyncio.cluster

from genauth_async.errors import StoreUnusableError
from genauth_async.stores import RedisStore
from genauth_async.stores._redis_clients import _DRIVER
from tests.stores.redis_server import PASSWORD, RedisServer
from tests.stores.redis_stores import record

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@contextlib.contextmanager
def nodes(number: int) -> Iterator[RedisServer]:
    """The first of the nodes of a cluster."""
    with contextlib.ExitStack() as stack:
        servers = []
        for _ in range(number):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = RedisServer(folder, cluster_enabled="yes", cluster_port=str(_free_port()))
            server.start()
            stack.callback(server.stop)
            servers.append(server)
        bounds = [16384 * position // number for position in range(number + 1)]
        for server, begin, end in zip(servers, bounds, bounds[1:], strict=False):
            with server.client() as client:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", begin, end - 1)
                first = servers[0]
                if server is not first:
                    client.execute_command("CLUSTER MEET", "127.0.0.1", first.port, first._options["cluster_port"])
        for server in servers:
            with server.client() as client:
                deadline = time.monotonic() + 30
                while "'cluster_state': 'ok'" not in str(client.execute_command("CLUSTER INFO")):
                    assert time.monotonic() < deadline, "the cluster does not form"
                    time.sleep(0.02)
        yield servers[0]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisServer]:
    with nodes(3) as first:
        yield first


@pytest.fixture
def prefix() -> str:
    return f"test {secrets.token_hex(4)}:"


@pytest.mark.parametrize("kind", [redis.asyncio.cluster.RedisCluster, redis.RedisCluster])
async def test_a_client_of_a_cluster_will_do(kind: Any, cluster: RedisServer, prefix: str) -> None:
    options = _DRIVER if kind is redis.RedisCluster else {}
    client: Any = await anyio.to_thread.run_sync(
        lambda: kind(host="127.0.0.1", port=cluster.port, password=PASSWORD, **options)
    )
    store = RedisStore(client, prefix=prefix)
    for key in ("ada", "bob", "{x}"):
        async with store.lock(key):
            assert await store.compare_and_set(key, record(1), expected=None)
            assert not await store.compare_and_set(key, record(1), expected=None)
        assert await store.get(key) == record(1)
        await store.add_session(key, "session", now=1000.0, until=1010.0)
        assert await store.touch_session(key, "session", now=1010.0, until=1020.0)
        assert await store.sessions_of(key, now=1015.0) == ["session"]
        await store.remove_session(key, "session")
        assert await store.sessions_of(key, now=1000.0) == []
    await store.delete("bob")
    assert [await store.get(key) for key in ("ada", "bob", "{x}")] == [record(1), None, record(1)]
    if kind is redis.RedisCluster:
        client.close()
    else:
        await client.aclose()


def cluster_client(cluster: RedisServer) -> Any:
    return redis.asyncio.cluster.RedisCluster(host="127.0.0.1", port=cluster.port, password=PASSWORD)


async def use_at_once(store: RedisStore, generation: int) -> None:
    """Use a key in each of many tasks, as many first requests do."""

    async def use(key: str) -> None:
        async with store.lock(key):
            assert await store.compare_and_set(key, record(generation), expected=generation - 1 or None)
        assert await store.get(key) == record(generation)

    async with anyio.create_task_group() as group:
        for number in range(60):
            group.start_soon(use, f"{number}")


async def test_many_first_calls_at_once_start_a_cluster_client_once(cluster: RedisServer, prefix: str) -> None:
    for attempt in range(3):
        client = cluster_client(cluster)
        store = RedisStore(client, prefix=f"{prefix}{attempt}:")
        await use_at_once(store, 1)
        await client.aclose()
        await use_at_once(store, 2)
        await client.aclose()


def test_a_cluster_client_is_used_by_one_loop_after_the_other(cluster: RedisServer, prefix: str) -> None:
    client = cluster_client(cluster)
    store = RedisStore(client, prefix=prefix)

    async def work(generation: int) -> None:
        await use_at_once(store, generation)
        await client.aclose()

    for generation in (1, 2, 3):
        asyncio.run(work(generation))


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore:Unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", [redis.asyncio.Redis, cluster_client])
def test_a_client_of_a_closed_loop_is_a_store_error(
    kind: Any, redis_server: RedisServer, cluster: RedisServer, prefix: str
) -> None:
    client = cluster_client(cluster) if kind is cluster_client else kind(port=redis_server.port, password=PASSWORD)
    store = RedisStore(client, prefix=prefix)

    async def work() -> None:
        await store.get("ada")

    asyncio.run(work())
    with contextlib.suppress(StoreUnusableError):  # redis-py may have connected anew
        asyncio.run(work())
    gc.collect()
