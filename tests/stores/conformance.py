"""Conformance tests of stores: subclass in a test module, as `class TestMine(StoreConformance)`, with the fixtures.

`make_store` makes one more store object on the same data, as another part of the program or another process would.
`SharedStoreConformance` adds what stores promise that several processes share; it needs the fixture `program`.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

import anyio
import anyio.abc
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genauth_async import SessionRecord, TokenSet, TokenStore
from genauth_async.stores import RefreshAttempt
from genauth_async.stores._protocol import require_index

MakeStore: TypeAlias = Callable[[], TokenStore]

PATIENCE = 60.0

KEYS = [
    "",
    "a",
    "A",
    "a/",
    "../a",
    "/etc/passwd",
    "a\0b",
    "a\nb",
    "a:lock",
    "CON",
    "*",
    "{a}",
    "100%",
    "schlüssel",
    "钥匙",
    "🔑",
    "\ud800",
    "k" * 10_000,
]


def record(generation: int = 1, token: str = "access-Canary", **fields: Any) -> SessionRecord:
    tokens = TokenSet(access_token=token, refresh_token="refresh-Canary", expires_in=3600, obtained_at=1.7e9)
    return SessionRecord(tokens=tokens, generation=generation, **fields)


_TEXTS = st.text(min_size=1, max_size=200)
RECORDS = st.builds(
    SessionRecord,
    tokens=st.builds(
        TokenSet,
        access_token=_TEXTS,
        refresh_token=st.none() | _TEXTS,
        id_token=st.none() | _TEXTS,
        scope=st.none() | _TEXTS,
        expires_in=st.none() | st.integers(0, 10**9),
        obtained_at=st.floats(0, 4e9),
    ),
    generation=st.integers(1, 2**53),
    app_id=_TEXTS,
    app_host=_TEXTS,
    attempt=st.none()
    | st.builds(
        RefreshAttempt,
        id=_TEXTS,
        started_at=st.floats(0, 4e9),
        seconds=st.floats(0, 300),
        lost=st.integers(0, 100),
    ),
    predecessors=st.lists(st.text(max_size=64), max_size=16).map(tuple),
    replaced=st.lists(st.text(max_size=64), max_size=16).map(tuple),
    # Far enough for a store that drops what has expired.
    expires_at=st.none() | st.floats(4e9, 5e9),
)


@pytest.mark.anyio
class StoreConformance:
    """Guarantees that a session relies on within one process."""

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> object:
        return (request.param, {})

    @pytest.fixture
    async def store(self, make_store: MakeStore) -> TokenStore:
        return make_store()

    async def test_it_is_a_store(self, store: TokenStore) -> None:
        assert isinstance(store, TokenStore)

    async def test_what_was_never_written_is_absent(self, store: TokenStore) -> None:
        assert await store.get("k") is None
        await store.delete("k")
        assert await store.get("k") is None

    async def test_only_the_expected_generation_is_replaced(self, store: TokenStore) -> None:
        assert not await store.compare_and_set("k", record(2), expected=1)
        assert await store.get("k") is None
        assert await store.compare_and_set("k", record(1), expected=None)
        for wrong in (None, 0, 2):
            assert not await store.compare_and_set("k", record(9, "wrong"), expected=wrong)
        assert await store.get("k") == record(1)
        assert await store.compare_and_set("k", record(7, "second"), expected=1)
        assert await store.get("k") == record(7, "second")

    async def test_only_the_expected_generation_is_deleted(self, store: TokenStore) -> None:
        assert await store.delete("k", expected=3)
        await store.compare_and_set("k", record(7), expected=None)
        for wrong in (6, 8, 0):
            assert not await store.delete("k", expected=wrong)
        assert await store.get("k") == record(7)
        assert await store.delete("k", expected=7)
        assert await store.get("k") is None
        await store.compare_and_set("k", record(2), expected=None)
        assert await store.delete("k")
        assert await store.get("k") is None

    async def test_what_was_deleted_is_absent(self, store: TokenStore) -> None:
        await store.compare_and_set("k", record(1), expected=None)
        await store.delete("k")
        assert await store.get("k") is None
        assert not await store.compare_and_set("k", record(2), expected=1)
        assert await store.compare_and_set("k", record(5), expected=None)
        assert await store.get("k") == record(5)

    async def test_another_store_on_the_same_data_sees_the_same(self, store: TokenStore, make_store: MakeStore) -> None:
        await store.compare_and_set("k", record(1), expected=None)
        other = make_store()
        assert await other.get("k") == record(1)
        assert await other.compare_and_set("k", record(2), expected=1)
        assert await store.get("k") == record(2)
        assert not await store.compare_and_set("k", record(2), expected=1)

    async def test_any_text_is_a_key_of_its_own(self, store: TokenStore) -> None:
        for number, key in enumerate(KEYS, 1):
            async with store.lock(key):
                assert await store.compare_and_set(key, record(number), expected=None), key
        for number, key in enumerate(KEYS, 1):
            assert await store.get(key) == record(number), key

    @given(written=RECORDS)
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    async def test_records_come_back_as_they_were(self, store: TokenStore, written: SessionRecord) -> None:
        await store.delete("k")
        assert await store.compare_and_set("k", written, expected=None)
        assert await store.get("k") == written

    async def test_tokens_may_be_huge(self, store: TokenStore) -> None:
        huge = record(1, "t" * 300_000)
        assert await store.compare_and_set("k", huge, expected=None)
        assert await store.get("k") == huge

    async def test_of_many_writers_one_wins(self, make_store: MakeStore) -> None:
        won: list[int] = []
        stores = [make_store(), make_store()]

        async def write(number: int) -> None:
            if await stores[number % 2].compare_and_set("k", record(1, f"t{number}"), expected=None):
                won.append(number)

        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                for number in range(20):
                    group.start_soon(write, number)
        assert len(won) == 1
        assert await stores[0].get("k") == record(1, f"t{won[0]}")

    async def test_one_task_at_a_time_holds_the_lock(self, make_store: MakeStore) -> None:
        inside: list[int] = []
        stores = [make_store(), make_store()]

        async def hold(number: int) -> None:
            async with stores[number % 2].lock("k"):
                assert inside == []
                inside.append(number)
                for _ in range(5):
                    await anyio.lowlevel.checkpoint()
                inside.remove(number)

        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                for number in range(10):
                    group.start_soon(hold, number)

    async def test_one_event_loop_at_a_time_holds_the_lock(self, store: TokenStore, anyio_backend: Any) -> None:
        inside: list[int] = []
        overlaps: list[object] = []

        async def hold(number: int) -> None:
            for _ in range(5):
                async with store.lock("k"):
                    inside.append(number)
                    await anyio.lowlevel.checkpoint()
                    overlaps.extend(other for other in inside if other != number)
                    inside.remove(number)

        def run(number: int) -> None:
            try:
                anyio.run(hold, number, backend=anyio_backend[0])
            except BaseException as error:  # noqa: BLE001 - the test's thread reports it
                overlaps.append(error)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await anyio.to_thread.run_sync(thread.join, PATIENCE)
        assert not any(thread.is_alive() for thread in threads)
        assert overlaps == []

    async def test_other_keys_have_other_locks(self, make_store: MakeStore) -> None:
        with anyio.fail_after(PATIENCE):
            async with make_store().lock("a"), make_store().lock("b"):
                pass

    async def test_the_holder_of_the_lock_reads_and_writes_records(self, store: TokenStore) -> None:
        with anyio.fail_after(PATIENCE):
            async with store.lock("k"):
                await store.compare_and_set("k", record(1), expected=None)
                assert await store.get("k") == record(1)
                await store.delete("k")

    async def test_an_error_inside_releases_the_lock_and_is_kept(self, make_store: MakeStore) -> None:
        with pytest.raises(LookupError, match="theirs"):
            async with make_store().lock("k"):
                raise LookupError("theirs")
        await assert_is_free(make_store(), "k")

    async def test_a_wait_for_the_lock_can_be_cancelled(self, make_store: MakeStore) -> None:
        store, other = make_store(), make_store()
        async with anyio.create_task_group() as group:
            let_go = await group.start(hold, store)
            for waiting in (store, other):
                with anyio.fail_after(PATIENCE), anyio.move_on_after(0.05) as scope:
                    async with waiting.lock("k"):
                        raise AssertionError("two hold it")
                assert scope.cancelled_caught
            let_go.set()
        await assert_is_free(other, "k")
        await assert_is_free(store, "k")

    @pytest.mark.parametrize("kind", ["anyio", "native"])
    async def test_a_cancellation_at_any_point_leaves_no_lock_behind(
        self, kind: str, make_store: MakeStore, anyio_backend: Any
    ) -> None:
        store, other = make_store(), make_store()

        async def use() -> None:
            async with store.lock("k"):
                await store.compare_and_set("k", record(1), expected=None)
                await store.delete("k")

        async def until(checkpoints: int, cancel: Callable[[], object]) -> None:
            for _ in range(checkpoints):
                await anyio.lowlevel.checkpoint()
            cancel()

        for checkpoints in [*range(25), 40, 80, 160, 320]:
            if kind == "native" and anyio_backend[0] == "trio":
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(use)
                    await until(checkpoints, nursery.cancel_scope.cancel)
            elif kind == "native":
                task = asyncio.create_task(use())
                await until(checkpoints, task.cancel)
                with suppress(asyncio.CancelledError):
                    await task
            else:
                async with anyio.create_task_group() as group:
                    group.start_soon(use)
                    await until(checkpoints, group.cancel_scope.cancel)
            await assert_is_free(other, "k")

    async def test_its_repr_tells_no_secret(self, store: TokenStore) -> None:
        await store.compare_and_set("k", record(1), expected=None)
        assert "Canary" not in repr(store)


async def hold(store: TokenStore, *, task_status: anyio.abc.TaskStatus[anyio.Event]) -> None:
    """Holds the lock in a task of its own until the event is set that it starts with."""
    let_go = anyio.Event()
    async with store.lock("k"):
        task_status.started(let_go)
        await let_go.wait()


async def assert_is_free(store: TokenStore, key: str) -> None:
    with anyio.fail_after(PATIENCE):
        async with store.lock(key):
            pass


# Each adds one to the generation so many times, either with the lock or by trying until it is written.
_PROGRAM = """
import sys
import anyio
from attrs import evolve
{source}

async def add_one():
    record = await store.get("k")
    more = evolve(record, generation=record.generation + 1)
    return await store.compare_and_set("k", more, expected=record.generation)

async def with_lock():
    async with store.lock("k"):
        assert await add_one()

async def without():
    while not await add_one():
        pass

async def main():
    for _ in range({times}):
        await {function}()

anyio.run(main, backend={backend!r})
"""


class SharedStoreConformance(StoreConformance):
    """Guarantees among processes; `program` is Python source that makes `store` on the same data."""

    @pytest.mark.slow
    @pytest.mark.parametrize("function", ["with_lock", "without"])
    async def test_processes_lose_no_write_of_each_other(
        self, function: str, store: TokenStore, program: str, anyio_backend: Any
    ) -> None:
        await store.compare_and_set("k", record(1), expected=None)
        source = _PROGRAM.format(source=program, times=15, function=function, backend=anyio_backend[0])
        codes: list[int] = []

        async def run() -> None:
            done = await anyio.run_process([sys.executable, "-c", source], check=False, stdout=None, stderr=None)
            codes.append(done.returncode)

        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(run)
        assert codes == [0, 0, 0]
        stored = await store.get("k")
        assert stored is not None
        assert stored.generation == 1 + 3 * 15


class IndexConformance:
    """Conformance tests of a SessionIndex; `make_store` as for StoreConformance."""

    @pytest.mark.anyio
    async def test_the_sessions_of_a_user_are_listed(self, make_store: MakeStore) -> None:
        index, again = require_index("store", make_store()), require_index("store", make_store())
        for user, key in (("ada", "one"), ("ada", "two"), ("bob", "three"), ("ada", "one")):
            await index.add_session(user, key, now=1000.0, until=1100.0)
        assert sorted(await again.sessions_of("ada", now=1100.0)) == ["one", "two"]
        assert list(await again.sessions_of("bob", now=1000.5)) == ["three"]
        assert list(await again.sessions_of("eve", now=1000.0)) == []
        for _ in range(2):
            await again.remove_session("ada", "one")
            await again.remove_session("eve", "one")
        assert list(await index.sessions_of("ada", now=1000.0)) == ["two"]
        await index.remove_session("ada", "two")
        assert list(await again.sessions_of("ada", now=1000.0)) == []

    @pytest.mark.anyio
    async def test_a_session_that_is_not_touched_lapses(self, make_store: MakeStore) -> None:
        index, again = require_index("store", make_store()), require_index("store", make_store())
        for key in ("used", "idle"):
            await index.add_session("ada", key, now=1000.0, until=1010.0)
        assert await again.touch_session("ada", "used", now=1010.0, until=1020.0)
        assert list(await index.sessions_of("ada", now=1010.5)) == ["used"]
        assert not await again.touch_session("ada", "idle", now=1010.5, until=1020.5)
        assert await index.touch_session("ada", "used", now=1020.0, until=1030.25)
        assert await again.touch_session("ada", "used", now=1030.25, until=1040.0)
        assert not await again.touch_session("ada", "used", now=1040.5, until=1050.0)
        assert not await again.touch_session("ada", "unknown", now=1000.0, until=1010.0)
        assert not await again.touch_session("eve", "used", now=1000.0, until=1010.0)
        assert list(await index.sessions_of("eve", now=0.0)) == []

    @pytest.mark.anyio
    async def test_sessions_added_at_once_are_all_listed(self, make_store: MakeStore) -> None:
        stores = [require_index("store", make_store()) for _ in range(3)]
        now = time.time()
        async with anyio.create_task_group() as tasks:
            for number in range(30):
                add = partial(stores[number % 3].add_session, now=now, until=now + 60)
                tasks.start_soon(add, "ada", f"key {number}")
        assert len(await stores[0].sessions_of("ada", now=now)) == 30

    @pytest.mark.anyio
    @pytest.mark.parametrize("key", KEYS)
    async def test_users_and_keys_are_any_text(self, make_store: MakeStore, key: str) -> None:
        if key == "\ud800":
            pytest.skip("the keys of sessions and users are digests")
        index = require_index("store", make_store())
        await index.add_session(key, key, now=1000.0, until=1010.0)
        assert list(await index.sessions_of(key, now=1000.0)) == [key]
        assert await index.touch_session(key, key, now=1000.0, until=1010.0)
        await index.remove_session(key, key)
        assert list(await index.sessions_of(key, now=1000.0)) == []
