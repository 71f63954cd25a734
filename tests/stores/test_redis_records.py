"""Records that a RedisStore writes and reads."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import anyio
import pytest
import redis.asyncio

from genauth_async.errors import ConfigurationError, StoreError
from genauth_async.stores import RedisStore, RefreshAttempt, TokenStore
from tests.stores.redis_server import PASSWORD, RedisServer, contents
from tests.stores.redis_stores import MakeStore, record

pytestmark = pytest.mark.anyio
SECRET, OLD_SECRET = "n" * 32, "o" * 32
DAY = 86400
ATTEMPT = RefreshAttempt("id", started_at=1.7e9, seconds=30.0)


async def test_what_was_written_is_read(redis_store: TokenStore) -> None:
    assert await redis_store.get("ada") is None
    written = record(predecessors=("a", "b"), attempt=ATTEMPT, expires_at=time.time() + 100)
    assert await redis_store.compare_and_set("ada", written, expected=None)
    assert await redis_store.get("ada") == written
    assert await redis_store.get("bob") is None


@pytest.mark.parametrize("way_to_redis", ["url", "blocking client"])
@pytest.mark.backends("asyncio", "trio")
async def test_more_calls_at_once_than_connections_wait_for_one(redis_store: TokenStore) -> None:
    found: list[object] = []

    async def ask(key: str) -> None:
        found.append(await redis_store.get(key))

    async with anyio.create_task_group() as group:
        for number in range(500):
            group.start_soon(ask, f"user-{number}")
    assert found == [None] * 500


@pytest.mark.parametrize("key", ["", "a:lock", "ä\n{x} *", "\ud800", "k" * 5000])
async def test_keys_may_be_any_text(redis_store: TokenStore, key: str) -> None:
    async with redis_store.lock(key):
        assert await redis_store.compare_and_set(key, record(), expected=None)
    assert await redis_store.get(key) == record()
    await redis_store.delete(key)
    assert await redis_store.get(key) is None


async def test_only_the_expected_generation_is_replaced(redis_store: TokenStore) -> None:
    assert not await redis_store.compare_and_set("ada", record(2), expected=1)
    assert await redis_store.compare_and_set("ada", record(1), expected=None)
    assert not await redis_store.compare_and_set("ada", record(1, "other"), expected=None)
    assert not await redis_store.compare_and_set("ada", record(3), expected=2)
    assert await redis_store.compare_and_set("ada", record(2, "second"), expected=1)
    assert await redis_store.get("ada") == record(2, "second")
    await redis_store.delete("ada")
    await redis_store.delete("ada")
    assert not await redis_store.compare_and_set("ada", record(3), expected=2)


async def test_the_same_record_from_another_writer_is_a_conflict(
    make_redis_store: MakeStore,
    redis_server: RedisServer,
) -> None:
    mark = record(2, attempt=ATTEMPT)
    first, second = make_redis_store(redis_server), make_redis_store(redis_server)
    assert await first.compare_and_set("ada", record(1), expected=None)
    assert await first.compare_and_set("ada", mark, expected=1)
    assert not await second.compare_and_set("ada", mark, expected=1)
    assert not await first.compare_and_set("ada", mark, expected=1)


@pytest.mark.backends("asyncio", "trio")
async def test_of_50_writers_one_wins_each_generation(redis_store: TokenStore) -> None:
    await redis_store.compare_and_set("ada", record(1), expected=None)
    for generation in range(2, 6):
        winners: list[int] = []

        async def write(writer: int, generation: int = generation, winners: list[int] = winners) -> None:
            if await redis_store.compare_and_set("ada", record(generation), expected=generation - 1):
                winners.append(writer)

        async with anyio.create_task_group() as group:
            for writer in range(50):
                group.start_soon(write, writer)
        assert len(winners) == 1


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, 30 * DAY),
        ({"ends_in": 2 * DAY}, 2 * DAY),
        ({"ends_in": 99 * DAY}, 30 * DAY),
        ({"refresh_token": None, "expires_in": 3600}, 3660),
        ({"refresh_token": None, "expires_in": 3600, "ends_in": 60}, 60),
        ({"refresh_token": None, "expires_in": None}, 30 * DAY),
    ],
)
async def test_a_record_expires_when_it_is_no_longer_needed(
    redis_store: TokenStore,
    redis_server: RedisServer,
    redis_prefix: str,
    given: dict[str, Any],
    seconds: float,
) -> None:
    now = time.time()
    tokens = {name: value for name, value in given.items() if name != "ends_in"}
    kept = record(tokens=tokens, expires_at=now + given["ends_in"] if "ends_in" in given else None)
    assert await redis_store.compare_and_set("ada", kept, expected=None)
    with redis_server.client() as client:
        left = client.pttl(f"{redis_prefix}record:ada")
    assert seconds - 30 < left / 1000 <= seconds


async def test_a_record_that_has_expired_is_not_kept(redis_store: TokenStore) -> None:
    assert await redis_store.compare_and_set("ada", record(expires_at=time.time() - 1), expected=None)
    assert await redis_store.get("ada") is None


async def test_every_write_prolongs_a_record(
    make_redis_store: MakeStore,
    redis_server: RedisServer,
    redis_prefix: str,
) -> None:
    store = make_redis_store(redis_server, ttl=1000.0)
    await store.compare_and_set("ada", record(1), expected=None)
    with redis_server.client() as client:
        client.pexpire(f"{redis_prefix}record:ada", 5000)
        await store.compare_and_set("ada", record(2), expected=1)
        assert client.pttl(f"{redis_prefix}record:ada") > 900_000


async def test_sealed_records_show_nothing(
    make_redis_store: MakeStore,
    redis_server: RedisServer,
    redis_prefix: str,
) -> None:
    clear, sealed = make_redis_store(redis_server), make_redis_store(redis_server, secrets=SECRET)
    await clear.compare_and_set("clear", record(), expected=None)
    await sealed.compare_and_set("sealed", record(), expected=None)
    shown = contents(redis_server, redis_prefix)
    assert b"Canary" in str(shown["record:clear"]).encode()
    assert "Canary" not in str(shown["record:sealed"])
    assert await sealed.get("sealed") == record()
    with pytest.raises(StoreError, match="not sealed"):
        await sealed.get("clear")
    assert await make_redis_store(redis_server, secrets=SECRET, accepts_clear=True).get("clear") == record()


async def test_secrets_are_replaced_one_after_the_other(
    make_redis_store: MakeStore,
    redis_server: RedisServer,
) -> None:
    old, both = (
        make_redis_store(redis_server, secrets=OLD_SECRET),
        make_redis_store(redis_server, secrets=[SECRET, OLD_SECRET]),
    )
    new = make_redis_store(redis_server, secrets=[SECRET])
    await old.compare_and_set("ada", record(1), expected=None)
    assert await both.get("ada") == record(1)
    with pytest.raises(StoreError):
        await new.get("ada")
    assert await both.compare_and_set("ada", record(2), expected=1)
    assert await new.get("ada") == record(2)


async def test_sealed_records_cannot_change_places(
    make_redis_store: MakeStore,
    redis_server: RedisServer,
    redis_prefix: str,
) -> None:
    store = make_redis_store(redis_server, secrets=SECRET)
    await store.compare_and_set("ada", record(), expected=None)
    with redis_server.client() as client:
        client.copy(f"{redis_prefix}record:ada", f"{redis_prefix}record:eve")
    with pytest.raises(StoreError, match="another session"):
        await store.get("eve")


async def test_what_is_no_record_is_an_error_that_quotes_nothing(
    redis_store: TokenStore,
    redis_server: RedisServer,
    redis_prefix: str,
) -> None:
    with redis_server.client() as client:
        client.hset(f"{redis_prefix}record:ada", mapping={"generation": 1, "record": '{"Canary"'})
        client.set(f"{redis_prefix}record:eve", "Canary")
    with pytest.raises(StoreError, match="not a session's record") as caught:
        await redis_store.get("ada")
    assert "Canary" not in repr(caught.value)
    with pytest.raises(StoreError):
        await redis_store.get("eve")
    with pytest.raises(StoreError):
        await redis_store.compare_and_set("eve", record(), expected=None)


async def test_scripts_that_redis_forgot_are_sent_again(
    redis_store: TokenStore,
    redis_server: RedisServer,
    redis_prefix: str,
) -> None:
    for generation in (1, 2):
        with redis_server.client() as client:
            client.script_flush()
        async with redis_store.lock("ada"):
            assert await redis_store.compare_and_set("ada", record(generation), expected=generation - 1 or None)
    assert list(contents(redis_server, redis_prefix)) == ["record:ada"]


async def test_a_wrong_password_is_an_error_that_does_not_show_it(redis_server: RedisServer) -> None:
    store = RedisStore(redis_server.url.replace(PASSWORD, "wrong-Canary"))
    for work in (lambda: store.get("ada"), lambda: store.compare_and_set("ada", record(), expected=None)):
        with pytest.raises(StoreError, match="AuthenticationError") as caught:
            await work()
        assert "Canary" not in f"{caught.value!r} {caught.value.__cause__} {store!r}"
    with pytest.raises(StoreError):
        async with store.lock("ada"):
            pytest.fail("it holds a lock that Redis did not grant")
    await store.aclose()


async def test_a_command_that_redis_does_not_know_is_not_quoted(
    make_redis_store: MakeStore,
    own_server: RedisServer,
) -> None:
    own_server.stop()
    own_server._options["rename_command"] = "EVALSHA ''"
    own_server.start()
    with pytest.raises(StoreError) as caught:
        await make_redis_store(own_server, prefix="").compare_and_set("", record(), expected=None)
    assert "refused" in str(caught.value)
    assert "args" not in str(caught.value.__cause__), "where a record would follow"


@pytest.mark.parametrize("given", ["127.0.0.1:6379", "http://user:Canary@127.0.0.1", "", b"redis://x", None, object()])
def test_what_is_neither_url_nor_client_is_refused(given: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RedisStore(given)  # type: ignore[arg-type]
    assert "Canary" not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("option", ["ttl", "lock_seconds", "lock_timeout", "timeout"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_times_are_more_than_nothing(option: str, seconds: float) -> None:
    with pytest.raises(ConfigurationError, match=option):
        RedisStore("redis://127.0.0.1", **{option: seconds})  # type: ignore[arg-type]


@pytest.mark.backends("trio")
async def test_a_client_of_asyncio_is_refused_on_trio(redis_server: RedisServer) -> None:
    store = RedisStore(redis.asyncio.Redis.from_url(redis_server.url))
    with pytest.raises(ConfigurationError, match=r"must be a URL or a redis\.Redis on trio"):
        await store.get("ada")


async def test_a_socket_of_this_machine_will_do(own_server: RedisServer) -> None:
    store = RedisStore(f"unix://:{PASSWORD}@{own_server.socket}")
    async with store.lock("ada"):
        assert await store.compare_and_set("ada", record(), expected=None)
    assert await store.get("ada") == record()
    await store.aclose()


async def test_the_store_closes_only_the_client_that_it_created(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        before = client.info("clients")["connected_clients"]
        given, made = RedisStore(client), RedisStore(redis_server.url)
        await given.get("ada")
        await made.get("ada")
        assert client.info("clients")["connected_clients"] == before + 1
        await made.aclose()
        await given.aclose()
        with anyio.fail_after(20):
            while client.info("clients")["connected_clients"] != before:  # noqa: ASYNC110 - Redis sets no Event
                await anyio.sleep(0.005)
        await made.get("ada")  # it may be used again
        await made.aclose()


def test_the_package_is_imported_when_the_store_is_asked_for() -> None:
    program = """
import sys
import genauth_async.stores
assert "redis" not in sys.modules
sys.modules["redis"] = None
try:
    genauth_async.stores.RedisStore
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'genauth-async[redis]'" in done.stdout


@pytest.mark.parametrize("argument", ["ttl", "lock_seconds", "lock_timeout", "timeout"])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_times_that_cannot_be_meant_are_refused(argument: str, seconds: float) -> None:
    options: dict[str, Any] = {argument: seconds}
    with pytest.raises(ConfigurationError, match=argument):
        RedisStore("redis://localhost", **options)


async def test_the_list_of_a_users_sessions_expires(
    redis_store: RedisStore, redis_server: RedisServer, redis_prefix: str
) -> None:
    name = f"{redis_prefix}user:ada"
    with redis_server.client() as client:
        await redis_store.add_session("ada", "long", now=1000.0, until=1100.0)
        assert 99_000 < int(client.pttl(name)) <= 100_000
        await redis_store.add_session("ada", "short", now=1000.0, until=1010.0)
        assert int(client.pttl(name)) > 90_000
        assert await redis_store.touch_session("ada", "short", now=1005.0, until=1020.0)
        assert int(client.pttl(name)) > 90_000
        await redis_store.add_session("ada", "longest", now=1020.5, until=1300.5)
        assert client.zrange(name, 0, -1) == [b"long", b"longest"]
        assert 270_000 < int(client.pttl(name)) <= 280_000
