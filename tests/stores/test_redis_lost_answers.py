"""Redis did what it was asked, and the answer never came."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio

from genauth_async.errors import StoreError, StoreUnusableError
from genauth_async.stores import RedisStore
from genauth_async.stores._redis_clients import _DRIVER
from tests.stores.losing_proxy import LosingProxy, losing_proxy
from tests.stores.redis_server import PASSWORD, RedisServer, contents
from tests.stores.redis_stores import record

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[LosingProxy]:
    with losing_proxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def store(proxy: LosingProxy, redis_server: RedisServer, redis_prefix: str) -> AsyncIterator[RedisStore]:
    url = redis_server.url.replace(str(redis_server.port), str(proxy.port))
    store = RedisStore(url, prefix=redis_prefix)
    await store.get("warm up")  # with the answers to the greetings
    yield store
    await store.aclose()


@pytest.mark.parametrize("times", [1, 2])
async def test_a_write_whose_answer_is_lost_is_made_once(store: RedisStore, proxy: LosingProxy, times: int) -> None:
    """Its writer finds it by reading, as it finds the write of another."""
    await store.compare_and_set("ada", record(1), expected=None)
    proxy.lose(b"EVALSHA", times=times)
    if times == 1:  # asked again, Redis says that another record is there
        assert not await store.compare_and_set("ada", record(2), expected=1)
    else:
        with pytest.raises(StoreError, match="ConnectionError") as caught:
            await store.compare_and_set("ada", record(2), expected=1)
        assert not isinstance(caught.value, StoreUnusableError)
    assert proxy.left == 0
    assert await store.get("ada") == record(2)
    assert not await store.compare_and_set("ada", record(2), expected=1)


async def test_a_removal_whose_answer_is_lost_is_a_removal(store: RedisStore, proxy: LosingProxy) -> None:
    await store.compare_and_set("ada", record(1), expected=None)
    proxy.lose(b"EVALSHA")
    assert await store.delete("ada", expected=1)
    assert proxy.left == 0


@pytest.mark.parametrize("times", [1, 2])
async def test_a_lock_whose_answer_is_lost_is_released(
    store: RedisStore, proxy: LosingProxy, redis_server: RedisServer, redis_prefix: str, times: int
) -> None:
    proxy.lose(b"\r\nSET\r\n", times=times)
    if times == 1:  # asked again, Redis says that it is taken
        async with store.lock("ada"):
            assert list(contents(redis_server, redis_prefix)) == ["lock:ada"]
    else:
        with pytest.raises(StoreError):
            async with store.lock("ada"):
                pytest.fail("the store cannot know if it holds the lock")
    assert proxy.left == 0
    assert contents(redis_server, redis_prefix) == {}


async def test_a_release_whose_answer_is_lost_is_no_error(
    store: RedisStore, proxy: LosingProxy, redis_server: RedisServer, redis_prefix: str
) -> None:
    async with store.lock("ada"):
        proxy.lose(b"EVALSHA")
    assert proxy.left == 0
    assert contents(redis_server, redis_prefix) == {}


@pytest.mark.parametrize("kind", [redis.asyncio.Redis, redis.Redis])
@pytest.mark.backends("asyncio")
async def test_clients_that_try_again_by_themselves_do_no_harm(
    kind: Any, proxy: LosingProxy, redis_prefix: str
) -> None:
    client = kind(port=proxy.port, password=PASSWORD, **_DRIVER)
    store = RedisStore(client, prefix=redis_prefix)
    await store.get("warm up")
    proxy.lose(b"\r\nSET\r\n")
    async with store.lock("ada"):
        assert proxy.left == 0
        proxy.lose(b"EVALSHA")
        await store.compare_and_set("ada", record(), expected=None)
        assert proxy.left == 0
        assert await store.get("ada") == record()
    if kind is redis.Redis:
        client.close()
    else:
        await client.aclose()
