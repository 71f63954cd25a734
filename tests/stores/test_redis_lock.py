"""The lock of a RedisStore: kept while it is held, by one holder; the holder's results and errors are its own."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import anyio
import pytest
import redis
import redis.asyncio

from genauth_async.errors import StoreError
from genauth_async.stores import RedisStore
from genauth_async.stores._redis_clients import _DRIVER
from tests.stores.redis_server import RedisServer, contents
from tests.stores.redis_stores import MakeStore, record

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


async def until(happened: Callable[[], object]) -> None:
    """Poll for a change in Redis, which sets no Event."""
    with anyio.fail_after(30):
        while not happened():  # noqa: ASYNC110
            await anyio.sleep(0.005)


async def test_a_lock_that_is_held_outlives_its_life(
    make_redis_store: MakeStore, redis_server: RedisServer, redis_prefix: str
) -> None:
    store = make_redis_store(redis_server, lock_seconds=0.3)
    with redis_server.client() as client:
        async with store.lock("ada"):
            token = client.get(f"{redis_prefix}lock:ada")
            for _ in range(4):  # of its extensions, which are 0.1 s apart
                before = client.pttl(f"{redis_prefix}lock:ada")
                await until(lambda before=before: client.pttl(f"{redis_prefix}lock:ada") < before)  # type: ignore[misc]
                lower = client.pttl(f"{redis_prefix}lock:ada")
                await until(lambda lower=lower: client.pttl(f"{redis_prefix}lock:ada") > lower)  # type: ignore[misc]
            assert client.get(f"{redis_prefix}lock:ada") == token
    assert contents(redis_server, redis_prefix) == {}


async def test_a_wait_for_a_holder_that_hangs_times_out(make_redis_store: MakeStore, redis_server: RedisServer) -> None:
    holder = make_redis_store(redis_server, lock_seconds=0.2)
    waiting = make_redis_store(redis_server, lock_seconds=0.2, lock_timeout=0.5)
    async with holder.lock("ada"):
        for store in (waiting, waiting):
            with pytest.raises(StoreError, match=r"within 0\.5 s"):
                async with store.lock("ada"):
                    pytest.fail("two hold it")
    async with waiting.lock("ada"):
        pass


@pytest.mark.parametrize("error", [LookupError("theirs"), KeyboardInterrupt(), StoreError("theirs")])
async def test_what_the_holder_raises_comes_out_as_it_is(
    redis_store: RedisStore, redis_server: RedisServer, redis_prefix: str, error: BaseException
) -> None:
    with pytest.raises(type(error)) as caught:
        async with redis_store.lock("ada"):
            raise error
    assert caught.value is error
    assert contents(redis_server, redis_prefix) == {}


async def test_a_lost_lock_is_logged_and_the_holder_goes_on(
    make_redis_store: MakeStore,
    redis_server: RedisServer,
    redis_prefix: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, other = make_redis_store(redis_server, lock_seconds=0.3), make_redis_store(redis_server)
    await store.compare_and_set("ada", record(1), expected=None)
    with redis_server.client() as client:
        async with store.lock("ada"):
            client.delete(f"{redis_prefix}lock:ada")
            async with other.lock("ada"):
                await until(lambda: "lost" in caplog.text)
                assert await other.compare_and_set("ada", record(2, "other"), expected=1)
                assert not await store.compare_and_set("ada", record(2), expected=1)
    assert "Canary" not in caplog.text
    assert list(contents(redis_server, redis_prefix)) == ["record:ada"]


async def test_a_server_that_stops_fails_only_the_writes_of_the_holder(
    make_redis_store: MakeStore, own_server: RedisServer, redis_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_redis_store(own_server, lock_seconds=0.3)
    await store.compare_and_set("ada", record(1), expected=None)
    async with store.lock("ada"):
        own_server.kill()
        await until(lambda: "could not be extended" in caplog.text)
        with pytest.raises(StoreError, match="ConnectionError"):
            await store.compare_and_set("ada", record(2), expected=1)
    assert "could not be released" in caplog.text
    with pytest.raises(StoreError):
        async with store.lock("ada"):
            pytest.fail("it holds a lock that Redis did not grant")
    own_server.start()
    async with store.lock("ada"):
        assert await store.compare_and_set("ada", record(2), expected=1)
    assert list(contents(own_server, redis_prefix)) == ["record:ada"]


async def test_a_restarted_server_is_used_at_once(
    make_redis_store: MakeStore, own_server: RedisServer, redis_prefix: str
) -> None:
    store = make_redis_store(own_server)
    async with store.lock("ada"):
        await store.compare_and_set("ada", record(1), expected=None)
    own_server.restart()
    async with store.lock("ada"):
        assert await store.get("ada") == record(1)
        own_server.restart()
        assert await store.compare_and_set("ada", record(2), expected=1)
    assert list(contents(own_server, redis_prefix)) == ["record:ada"]


async def test_a_write_to_a_frozen_server_is_found_later(
    make_redis_store: MakeStore, own_server: RedisServer, redis_prefix: str
) -> None:
    store = make_redis_store(own_server, timeout=0.3, lock_seconds=30.0)
    await store.compare_and_set("ada", record(1), expected=None)
    async with store.lock("ada"):
        own_server.freeze()
        with pytest.raises(StoreError, match="Timeout"):
            await store.compare_and_set("ada", record(2), expected=1)
        own_server.thaw()
        await until(lambda: contents(own_server, redis_prefix)["record:ada"][b"generation"] == b"2")
        assert await store.get("ada") == record(2)
        assert not await store.compare_and_set("ada", record(2), expected=1)
    assert list(contents(own_server, redis_prefix)) == ["record:ada"]


async def test_who_waits_behind_a_failed_try_does_not_try_in_turn(
    make_redis_store: MakeStore, own_server: RedisServer
) -> None:
    store = make_redis_store(own_server, timeout=0.3)
    await store.get("warm up")
    failures: list[str] = []

    async def wait() -> None:
        with pytest.raises(StoreError) as caught:
            async with store.lock("ada"):
                pytest.fail("it holds a lock that Redis did not grant")
        failures.append(str(caught.value))

    own_server.freeze()
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(wait)
    own_server.thaw()
    assert len(failures) == 20
    assert sum("Another caller's attempt" in failure for failure in failures) == 19
    # Redis still takes the lock when it thaws, for a caller that has gone. The same store knows it for its own.
    with anyio.fail_after(20):
        async with store.lock("ada"):
            pass


async def _natively(work: Callable[[], Coroutine[Any, Any, None]], steps: int) -> None:
    task = asyncio.ensure_future(work())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _in_a_scope(work: Callable[[], Coroutine[Any, Any, None]], steps: int) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(work)
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()


@pytest.mark.parametrize("cancelled", [_natively, _in_a_scope])
async def test_a_cancelled_holder_leaves_nothing(
    cancelled: Any,
    redis_store: RedisStore,
    redis_server: RedisServer,
    redis_prefix: str,
    anyio_backend: tuple[str, object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    if cancelled is _natively and anyio_backend[0] == "trio":
        cancelled = _in_a_scope
    caplog.set_level(logging.WARNING)
    reached: set[str] = set()
    with redis_server.client() as client:

        async def work() -> None:
            here = "before"
            try:
                async with redis_store.lock("ada"):
                    here = "inside"
                    await redis_store.get("ada")
                    await anyio.lowlevel.checkpoint()  # where a scope's cancellation comes that the call held off
                here = "done"
            finally:
                reached.add(here)

        steps = 0
        while "done" not in reached:
            await cancelled(work, steps)
            assert client.get(f"{redis_prefix}lock:ada") is None, f"left behind after {steps} steps"
            steps += 1
            assert steps < 20_000
    assert reached >= {"before", "inside"}
    assert caplog.text == ""


@pytest.mark.backends("asyncio")
@pytest.mark.parametrize("method", ["get", "compare_and_set", "delete"])
async def test_no_cancellation_of_a_call_is_lost(method: str, redis_store: RedisStore) -> None:
    """redis-py takes some native ones for its own, and answers as though there had been none."""
    arguments: dict[str, Any] = {"record": record(), "expected": None} if method == "compare_and_set" else {}
    was_over, steps = False, 0
    while not was_over:
        task = asyncio.ensure_future(getattr(redis_store, method)("ada", **arguments))
        for _ in range(steps):
            await asyncio.sleep(0)
        was_over = not task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled() is not was_over, f"lost after {steps} steps"
        steps += 1
    assert steps > 5


async def test_a_cancelled_waiter_leaves_the_holders_lock_alone(
    make_redis_store: MakeStore, redis_server: RedisServer, redis_prefix: str
) -> None:
    holder, waiting = make_redis_store(redis_server), make_redis_store(redis_server)
    with redis_server.client() as client:
        async with holder.lock("ada"):
            token = client.get(f"{redis_prefix}lock:ada")
            for seconds in (0, 0.001, 0.01, 0.05):
                with anyio.move_on_after(seconds) as scope:
                    async with waiting.lock("ada"):
                        pytest.fail("two hold it")
                assert scope.cancelled_caught
            assert client.get(f"{redis_prefix}lock:ada") == token
    assert contents(redis_server, redis_prefix) == {}


@pytest.mark.backends("asyncio")
async def test_a_timeout_of_asyncio_ends_the_wait_and_the_hold(
    redis_store: RedisStore, redis_server: RedisServer, redis_prefix: str
) -> None:
    async def hold() -> None:
        async with redis_store.lock("ada"):
            await anyio.sleep_forever()

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(hold(), 0.1)
    assert contents(redis_server, redis_prefix) == {}


async def test_a_lock_costs_two_calls(redis_store: RedisStore, redis_server: RedisServer) -> None:
    async with redis_store.lock("ada"):
        pass
    with redis.Redis.from_url(redis_server.url) as client:
        client.config_resetstat()
        async with redis_store.lock("ada"):
            pass
        calls = {name: seen["calls"] for name, seen in client.info("commandstats").items()}
    assert calls["cmdstat_set"] == calls["cmdstat_evalsha"] == 1
    assert set(calls) <= {"cmdstat_set", "cmdstat_evalsha", "cmdstat_get", "cmdstat_del", "cmdstat_config|resetstat"}


@pytest.mark.backends("asyncio")
async def test_a_client_of_asyncio_without_a_timeout_is_given_one(own_server: RedisServer) -> None:
    client = redis.asyncio.Redis.from_url(own_server.url, socket_timeout=None, **_DRIVER)
    store = RedisStore(client, timeout=0.3)
    await store.get("warm up")
    own_server.freeze()
    with pytest.raises(StoreError, match="Timeout"):
        await store.get("ada")
    own_server.thaw()
    assert await store.get("ada") is None
    await client.aclose()


@pytest.mark.skipif(os.name == "nt", reason="fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_take_what_its_parent_left(own_server: RedisServer, redis_prefix: str) -> None:
    store = RedisStore(own_server.url, prefix=redis_prefix, timeout=0.3, lock_timeout=0.5)

    async def hold() -> None:
        async with store.lock("ada"):
            pass

    async def leave() -> None:
        await store.get("warm up")
        own_server.freeze()
        with pytest.raises(StoreError):
            await hold()
        own_server.thaw()
        await until(lambda: "lock:ada" in contents(own_server, redis_prefix))
        await store.aclose()

    asyncio.run(leave())
    child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            try:
                asyncio.run(hold())
            except StoreError:
                code = 0
        os._exit(code)
    assert os.waitpid(child, 0)[1] == 0

    async def hold_and_close() -> None:
        await hold()
        await store.aclose()

    asyncio.run(hold_and_close())
    assert contents(own_server, redis_prefix) == {}


async def test_the_failure_of_one_key_does_not_affect_another(
    make_redis_store: MakeStore, redis_server: RedisServer, redis_prefix: str
) -> None:
    store = make_redis_store(redis_server)
    waiting, got = anyio.Event(), anyio.Event()
    with redis_server.client() as client:
        client.hset(f"{redis_prefix}lock:broken", "is", "no lock")

    async def wait() -> None:
        waiting.set()
        async with store.lock("good"):
            got.set()

    async with anyio.create_task_group() as group:
        async with store.lock("good"):
            group.start_soon(wait)
            await waiting.wait()
            await anyio.sleep(0.05)
            with pytest.raises(StoreError):
                async with store.lock("broken"):
                    pass
        await got.wait()
