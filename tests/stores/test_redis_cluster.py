"""A store in a Redis cluster, each of whose calls is about one key."""

from __future__ import annotations

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

from genauth_async.stores import RedisStore
from genauth_async.stores._redis_clients import _DRIVER
from tests.stores.redis_server import PASSWORD, RedisServer, contents
from tests.stores.redis_stores import record

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def cluster(free_port: int) -> Iterator[RedisServer]:
    """One of a single node, which has all slots."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder), cluster_enabled="yes", cluster_port=str(free_port))
        server.start()
        with server.client() as client:
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            deadline = time.monotonic() + 20
            while "'cluster_state': 'ok'" not in str(client.execute_command("CLUSTER INFO")):
                assert time.monotonic() < deadline, "the cluster does not form"
                time.sleep(0.02)
        try:
            yield server
        finally:
            server.stop()


@pytest.mark.parametrize("kind", [redis.asyncio.cluster.RedisCluster, redis.RedisCluster])
async def test_a_client_of_a_cluster_will_do(kind: Any, cluster: RedisServer) -> None:
    options = _DRIVER if kind is redis.RedisCluster else {}
    client: Any = await anyio.to_thread.run_sync(
        lambda: kind(host="127.0.0.1", port=cluster.port, password=PASSWORD, **options)
    )
    store = RedisStore(client, prefix="test:")
    for key in ("ada", "bob", "{x}"):
        async with store.lock(key):
            assert await store.compare_and_set(key, record(1), expected=None)
            assert not await store.compare_and_set(key, record(1), expected=None)
        assert await store.get(key) == record(1)
    await store.delete("bob")
    assert set(contents(cluster, "test:")) == {"record:ada", "record:{x}"}
    if kind is redis.RedisCluster:
        client.close()
    else:
        await client.aclose()
