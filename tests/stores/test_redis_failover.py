"""A store behind one address whose server is replaced by its replica, and writes that have to reach replicas."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import redis.asyncio

from genauth_async.errors import ConfigurationError, StoreError, StoreUnusableError
from genauth_async.stores import RedisStore
from tests.stores.answering_server import answering_server
from tests.stores.moving_address import MovingAddress, moving_address
from tests.stores.redis_server import PASSWORD, RedisServer
from tests.stores.redis_stores import MakeStore, record

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]

TASKS = 30


class At:
    """A server by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url


class Pair:
    """A master and its replica, behind an address that leads to the master."""

    def __init__(self, master: RedisServer, replica: RedisServer, address: MovingAddress) -> None:
        self.master, self.replica, self.address = master, replica, address

    @property
    def url(self) -> str:
        return self.master.url.replace(str(self.master.port), str(self.address.port))

    def is_synchronised(self) -> None:
        with self.master.client() as client:
            client.set("of the test", 1)
            deadline = time.monotonic() + 30
            while not client.wait(1, 1000):
                assert time.monotonic() < deadline

    def fail_over(self, **options: str) -> None:
        """The replica becomes the master, and the address leads to it; the former master goes on as its replica."""
        self.is_synchronised()
        with self.replica.client() as client:
            client.replicaof("NO", "ONE")
        with self.master.client() as client:
            for name, value in options.items():
                client.config_set(name.replace("_", "-"), value)
            client.replicaof("127.0.0.1", str(self.replica.port) if not options else "9")
        self.address.target = self.replica.port


@pytest.fixture
def pair() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        options = {"masterauth": PASSWORD, "repl_diskless_sync_delay": "0"}
        master, replica = (RedisServer(Path(folder), **options) for folder in (one, two))
        try:
            master.start()
            replica._options["replicaof"] = f"127.0.0.1 {master.port}"
            replica.start()
            with moving_address(master.port) as address:
                pair = Pair(master, replica, address)
                pair.is_synchronised()
                yield pair
        finally:
            replica.stop()
            master.stop()


async def at_once(store: RedisStore, generation: int) -> list[Any]:
    """The results of a write of each of many tasks."""
    results: list[Any] = []

    async def write(number: int) -> None:
        written = record(generation)
        try:
            results.append(await store.compare_and_set(f"{number}", written, expected=generation - 1 or None))
        except StoreError as error:
            results.append(error)

    async with anyio.create_task_group() as group:
        for number in range(TASKS):
            group.start_soon(write, number)
    return results


@pytest.mark.parametrize("options", [{}, {"replica_serve_stale_data": "no"}], ids=["READONLY", "MASTERDOWN"])
@pytest.mark.parametrize("first", ["write", "lock", "delete", "get"])
async def test_the_next_call_reaches_the_new_master(
    first: str, options: dict[str, str], make_redis_store: MakeStore, pair: Pair
) -> None:
    if first == "get" and not options:
        pytest.skip("a replica answers it")
    store = make_redis_store(pair)
    assert await store.compare_and_set("ada", record(1), expected=None)
    pair.fail_over(**options)
    if first == "write":
        assert await store.compare_and_set("ada", record(2), expected=1)
    elif first == "delete":
        assert await store.delete("ada", expected=1)
    elif first == "get":
        assert await store.get("ada") == record(1)
    async with store.lock("ada"):
        assert await store.compare_and_set("eve", record(1), expected=None)
    with pair.replica.client() as client:
        assert client.exists(store._name("record", "eve"))


@pytest.mark.parametrize(
    "code", ["LOADING", "READONLY", "MASTERDOWN", "ERR Error running script: @user_script:7: -READONLY"]
)
async def test_an_answer_about_the_role_leads_to_new_connections(
    code: str, make_redis_store: MakeStore, redis_server: RedisServer
) -> None:
    with answering_server() as (port, answer), moving_address(port) as address:
        answer.append(f"-{code} and more\r\n".encode())
        pair = Pair(redis_server, redis_server, address)
        store = make_redis_store(At(f"{pair.url}?protocol=2"))
        for _ in range(2):
            with pytest.raises(StoreError) as caught:
                await store.compare_and_set("ada", record(1), expected=None)
            assert not isinstance(caught.value, StoreUnusableError)
        address.target = redis_server.port
        assert await store.compare_and_set("ada", record(1), expected=None)


async def test_many_tasks_with_old_connections_reach_the_new_master(
    way_to_redis: str, make_redis_store: MakeStore, pair: Pair
) -> None:
    store = make_redis_store(pair)
    assert await at_once(store, 1) == [True] * TASKS
    pair.fail_over()
    written = await at_once(store, 2)
    if way_to_redis == "url":
        assert written == [True] * TASKS
    for number in range(TASKS):  # a given client may use a connection once more that another task had meanwhile
        present = await store.get(f"{number}")
        if present is not None and present.generation == 1:
            assert await store.compare_and_set(f"{number}", record(2), expected=1)
    assert await at_once(store, 3) == [True] * TASKS


async def test_a_server_that_stays_a_replica_is_an_error_that_passes(make_redis_store: MakeStore, pair: Pair) -> None:
    store = make_redis_store(pair.replica)
    with pytest.raises(StoreError, match="ReadOnlyError") as caught:
        await store.compare_and_set("ada", record(1), expected=None)
    assert not isinstance(caught.value, StoreUnusableError)


async def test_a_write_reaches_replicas(make_redis_store: MakeStore, pair: Pair) -> None:
    store = make_redis_store(pair, replicas=1, timeout=20.0)
    for generation in range(1, 20):
        assert await store.compare_and_set("ada", record(generation), expected=generation - 1 or None)
        with pair.replica.client() as client:
            assert client.hget(store._name("record", "ada"), "generation") == str(generation).encode()
    assert not await store.compare_and_set("ada", record(3), expected=7)
    assert not await store.delete("ada", expected=7)
    assert await store.delete("ada", expected=19)
    with pair.replica.client() as client:
        assert not client.exists(store._name("record", "ada"))
    pair.fail_over()
    assert await store.compare_and_set("ada", record(1), expected=None)


async def test_a_write_that_reaches_too_few_replicas_is_an_error(make_redis_store: MakeStore, pair: Pair) -> None:
    store = make_redis_store(pair, replicas=1, timeout=1.0)
    await store.get("warm up")
    pair.replica.freeze()
    try:
        with pytest.raises(StoreError, match="reached 0 replicas, not 1, within") as caught:
            await store.compare_and_set("ada", record(1), expected=None)
        assert not isinstance(caught.value, StoreUnusableError)
        assert await store.get("ada") == record(1)
        assert not await store.compare_and_set("ada", record(1), expected=None)
        with pytest.raises(StoreError, match="reached 0 replicas"):
            await store.delete("ada")
        assert await store.get("ada") is None
    finally:
        pair.replica.thaw()


async def test_an_error_of_a_replicated_write_quotes_nothing(
    make_redis_store: MakeStore, redis_server: RedisServer, redis_prefix: str
) -> None:
    store = make_redis_store(redis_server, replicas=1, timeout=1.0)
    with redis_server.client() as client:
        client.set(f"{redis_prefix}record:ada", "x")
    with pytest.raises(StoreUnusableError, match="another prefix") as caught:
        await store.compare_and_set("ada", record(1), expected=None)
    assert "Canary" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("replicas", [-1, 1.0, "1", None, True])
def test_the_number_of_replicas_is_a_number(replicas: Any) -> None:
    with pytest.raises(ConfigurationError, match="replicas"):
        RedisStore("redis://localhost", replicas=replicas)


def test_a_cluster_has_its_own_setting_for_replicas() -> None:
    client = redis.asyncio.RedisCluster(host="localhost")
    with pytest.raises(ConfigurationError, match="min-replicas-to-write"):
        RedisStore(client, replicas=1)  # type: ignore[arg-type]
