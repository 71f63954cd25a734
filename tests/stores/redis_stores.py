"""Stores in Redis by each way to reach it, and records for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from genauth_async.models.tokens import TokenSet
from genauth_async.stores import RedisStore, SessionRecord
from genauth_async.stores._redis_clients import _DRIVER
from tests.stores.redis_server import RedisServer

MakeStore = Callable[..., RedisStore]
ASYNCIO_CLIENT = "asyncio client"


def record(generation: int = 1, name: str = "first", **fields: Any) -> SessionRecord:
    """A record whose tokens are recognised when they are seen."""
    tokens = {
        "access_token": f"access-Canary-{name}",
        "refresh_token": f"refresh-Canary-{name}",
        "id_token": f"id-Canary-{name}",
        "expires_in": 3600,
        "obtained_at": 1_700_000_000.0,
    } | fields.pop("tokens", {})
    return SessionRecord(tokens=TokenSet(**tokens), generation=generation, **fields)


@pytest.fixture(params=["url", ASYNCIO_CLIENT, "blocking client"])
def way_to_redis(request: pytest.FixtureRequest) -> str:
    """The kind of connection from the store to Redis."""
    return str(request.param)


@pytest.fixture
async def make_redis_store(way_to_redis: str, redis_prefix: str) -> AsyncIterator[MakeStore]:
    """Makes stores in a server, and closes what it made."""
    stores: list[RedisStore] = []
    clients: list[Any] = []

    def make(server: Any, **options: Any) -> RedisStore:
        given: Any = server.url
        if way_to_redis != "url":
            kind: Any = redis.asyncio.Redis if way_to_redis == ASYNCIO_CLIENT else redis.Redis
            again: Any = AsyncRetry if way_to_redis == ASYNCIO_CLIENT else Retry
            given = kind.from_url(
                server.url,
                socket_timeout=options.get("timeout", 5.0),
                retry=again(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
                **_DRIVER,
            )
            clients.append(given)
        options = {"prefix": redis_prefix} | options
        stores.append(RedisStore(given, **options))
        return stores[-1]

    yield make
    for store in stores:
        await store.aclose()
    for client in clients:
        if isinstance(client, redis.asyncio.Redis):
            await client.aclose()
        else:
            client.close()


@pytest.fixture
def redis_store(make_redis_store: MakeStore, redis_server: RedisServer) -> RedisStore:
    """A store in the shared server."""
    return make_redis_store(redis_server)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what cannot be: asyncio's client on trio."""

    def cannot_be(item: pytest.Item) -> bool:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        return parameters.get("way_to_redis") == ASYNCIO_CLIENT and parameters.get("anyio_backend") == ("trio", {})

    items[:] = [item for item in items if not cannot_be(item)]
