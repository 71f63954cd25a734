"""A MemoryStore: expired records do not pile up, and a forked child does not refresh its parent's sessions."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable

import anyio
import pytest
from attrs import evolve

from genauth_async import ConfigurationError, MemoryStore, SessionRecord, TokenSet
from genauth_async.errors import StoreUnusableError
from genauth_async.stores import RefreshAttempt

pytestmark = pytest.mark.anyio

TOKENS = TokenSet(access_token="a", obtained_at=0.0)


async def write(store: MemoryStore, key: str, expires_at: float | None) -> None:
    record = SessionRecord(tokens=TOKENS, generation=1, expires_at=expires_at)
    assert await store.compare_and_set(key, record, expected=None)


async def test_expired_records_are_swept_and_others_kept() -> None:
    store = MemoryStore()
    now = time.time()
    for number in range(1000):
        await write(store, f"expired {number}", now - 1)
        if number % 50 == 0:
            await write(store, f"valid {number}", now + 3600)
            await write(store, f"endless {number}", None)
    kept = [key for number in range(0, 1000, 50) for key in (f"valid {number}", f"endless {number}")]
    assert [key for key in kept if await store.get(key) is None] == []
    left = [key for number in range(1000) if await store.get(key := f"expired {number}") is not None]
    assert len(left) < 100


async def test_a_small_store_is_not_swept() -> None:
    store = MemoryStore()
    for number in range(10):
        await write(store, str(number), time.time() - 1)
    assert [key for key in map(str, range(10)) if await store.get(key) is None] == []


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "5", None, True])
def test_a_lock_timeout_is_above_0(timeout: object) -> None:
    with pytest.raises(ConfigurationError, match="lock_timeout"):
        MemoryStore(lock_timeout=timeout)  # type: ignore[arg-type]


def test_a_store_is_small() -> None:
    """One is made for each session without a store."""
    stores = [MemoryStore() for _ in range(10)]
    size = sum(sys.getsizeof(store) for store in stores) / len(stores)
    assert size < 200
    assert not hasattr(stores[0], "__dict__")


PRESENT = SessionRecord(tokens=TOKENS, generation=1)
ATTEMPT = RefreshAttempt("id", started_at=0.0, seconds=30.0)
REFRESHING = evolve(PRESENT, generation=2, attempt=ATTEMPT)


def in_child(work: Callable[[], Awaitable[None]]) -> None:
    """Run work in a forked child; fails if it does."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            anyio.run(work)
            code = 0
        except BaseException:  # noqa: BLE001 - the parent sees the status
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


async def refuses(store: MemoryStore, key: str = "k") -> None:
    for _ in range(2):
        with pytest.raises(StoreUnusableError, match=r"FileStore.*RedisStore"):
            await store.compare_and_set(key, REFRESHING, expected=1)
    assert await store.get(key) == PRESENT


async def is_own(store: MemoryStore, generation: int, key: str = "k") -> None:
    assert await store.compare_and_set(key, evolve(REFRESHING, generation=generation + 1), expected=generation)


only_with_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


async def overwrite(store: MemoryStore) -> int:
    assert await store.compare_and_set("k", evolve(PRESENT, generation=5), expected=1)
    return 5


async def replace(store: MemoryStore) -> int:
    assert await store.delete("k")
    assert await store.compare_and_set("k", evolve(PRESENT, generation=6), expected=None)
    return 6


async def refuse_and_replace(store: MemoryStore) -> int:
    await refuses(store)
    return await replace(store)


@only_with_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("renew", [overwrite, replace, refuse_and_replace])
@pytest.mark.parametrize("generations", [1, 2, 3])
def test_a_forked_child_refreshes_its_own_sessions_only(
    renew: Callable[[MemoryStore], Awaitable[int]], generations: int
) -> None:
    store = MemoryStore()

    async def begin() -> None:
        for key in ("k", "other"):
            assert await store.compare_and_set(key, PRESENT, expected=None)

    async def inherit() -> None:
        await refuses(store)
        # That of an attempt which has ended is no attempt.
        ended = evolve(REFRESHING, attempt=evolve(ATTEMPT, seconds=0.0))
        assert await store.compare_and_set("other", ended, expected=1)
        with pytest.raises(StoreUnusableError):
            await store.compare_and_set("other", evolve(REFRESHING, generation=3), expected=2)
        assert await store.delete("other", expected=2)

    async def own() -> None:
        await is_own(store, await renew(store))
        await refuses(store, "other")
        assert await store.compare_and_set("new", PRESENT, expected=None)
        await is_own(store, 1, "new")

    async def of_child() -> None:
        assert await store.compare_and_set("k", evolve(PRESENT, generation=9), expected=1)

    async def grandchild_refuses() -> None:
        with pytest.raises(StoreUnusableError):
            await store.compare_and_set("k", evolve(REFRESHING, generation=10), expected=9)

    def descend(left: int) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            if left > 1:
                in_child_of_thread(descend(left - 1))
            else:
                in_child_of_thread(inherit)
                in_child_of_thread(own)
                await of_child()
                in_child_of_thread(grandchild_refuses)

        return work

    anyio.run(begin)
    in_child(descend(generations))
    anyio.run(is_own, store, 1)
    # A write of a generation that is not there is a conflict, as ever.
    assert anyio.run(lambda: store.compare_and_set("other", REFRESHING, expected=7)) is False


def in_child_of_thread(work: Callable[[], Awaitable[None]]) -> None:
    """As `in_child`, on a thread without a running event loop."""
    import threading

    failed: list[BaseException] = []

    def run() -> None:
        try:
            in_child(work)
        except BaseException as error:  # noqa: BLE001 - raised below
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert failed == []


async def test_users_whose_sessions_have_lapsed_are_forgotten() -> None:
    store = MemoryStore()
    for number in range(10_000):
        await store.add_session(f"user {number}", "key", now=number, until=number + 10)
    assert store._index is not None
    assert len(store._index) < 3000
    assert await store.sessions_of("user 9999", now=9999.0) == ["key"]
