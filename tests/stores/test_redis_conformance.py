"""A store in Redis is what every store has to be, however it gets there."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.stores.conformance import IndexConformance, MakeStore, SharedStoreConformance, StoreConformance
from tests.stores.redis_server import RedisServer
from tests.stores.redis_stores import MakeStore as MakeRedisStore

SECRET = "s" * 32


# Event loops in threads of their own end without closing the store's connections.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore:loop is closed:ResourceWarning")
class InRedis(StoreConformance):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def nothing_left_to_finalize(cls) -> Iterator[None]:
        yield
        gc.collect()

    @pytest.fixture
    def options(self) -> dict[str, object]:
        return {}

    @pytest.fixture
    def make_store(
        self, make_redis_store: MakeRedisStore, redis_server: RedisServer, options: dict[str, object]
    ) -> MakeStore:
        return lambda: make_redis_store(redis_server, **options)


@pytest.mark.parametrize("way_to_redis", ["url"], indirect=True)
class TestByURL(InRedis, SharedStoreConformance, IndexConformance):
    @pytest.fixture
    def program(self, redis_server: RedisServer, redis_prefix: str) -> str:
        return f"""
from genauth_async.stores import RedisStore
store = RedisStore({redis_server.url!r}, prefix={redis_prefix!r})
"""


@pytest.mark.parametrize("way_to_redis", ["blocking client"], indirect=True)
class TestByBlockingClient(InRedis, IndexConformance):
    pass


@pytest.mark.parametrize("way_to_redis", ["url"], indirect=True)
class TestSealed(InRedis):
    @pytest.fixture
    def options(self) -> dict[str, object]:
        return {"secrets": SECRET}
