"""Locks within one process, when an event loop ends while one of its tasks holds one."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from genauth_async import FileStore, MemoryStore, StoreError, TokenStore
from genauth_async.errors import StoreUnusableError
from genauth_async.stores import RedisStore
from tests.stores.conformance import hold


async def take(store: TokenStore) -> None:
    async with store.lock("k"):
        pass


def interrupted(store: TokenStore) -> tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]:
    """An event loop that Ctrl-C stopped while a task held the lock, and that task."""
    loop = asyncio.new_event_loop()
    held: list[object] = []

    async def hold_for_long() -> None:
        async with store.lock("k"):
            held.append(True)
            await asyncio.sleep(3600)

    async def until_held() -> None:
        while not held:  # noqa: ASYNC110 - the task has no time to set an Event
            await asyncio.sleep(0)
        raise KeyboardInterrupt

    task = loop.create_task(hold_for_long())
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(until_held())
    return loop, task


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_lock_whose_loop_is_closed_is_free(backend: str) -> None:
    store = MemoryStore()
    loop, task = interrupted(store)
    loop.close()
    for _ in range(2):
        anyio.run(take, store, backend=backend)
    # Its task is finalized later, and does not release the lock of another.
    with anyio.from_thread.start_blocking_portal(backend) as portal, portal.wrap_async_context_manager(store.lock("k")):
        del loop, task
        gc.collect()
        with pytest.raises(StoreError):
            anyio.run(take_within, store, 0.2)
    anyio.run(take, store, backend=backend)


async def take_within(store: TokenStore, seconds: float) -> None:
    try:
        with anyio.fail_after(seconds):
            await take(store)
    except TimeoutError as error:
        raise StoreError("it is held") from error


@pytest.mark.parametrize("kind", ["memory", "file", "redis"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_lock_whose_loop_is_stopped_is_waited_for(
    kind: str, backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    make: dict[str, Callable[[], TokenStore]] = {
        "memory": lambda: MemoryStore(lock_timeout=0.3),
        "file": lambda: FileStore(tmp_path / "sessions", lock_timeout=0.3),
        "redis": lambda: RedisStore(server.url, prefix=request.getfixturevalue("redis_prefix"), lock_timeout=0.3),
    }
    server: Any = request.getfixturevalue("redis_server") if kind == "redis" else None
    store = make[kind]()
    loop, _task = interrupted(store)
    with pytest.raises(StoreError, match=r"0\.3 s") as caught:
        anyio.run(take, store, backend=backend)
    assert not isinstance(caught.value, StoreUnusableError)

    async def end() -> None:
        await _cancel_all()
        if isinstance(store, RedisStore):
            await store.aclose()

    async def take_and_close() -> None:
        await take(store)
        if isinstance(store, RedisStore):
            await store.aclose()

    loop.run_until_complete(end())
    loop.close()
    anyio.run(take_and_close, backend=backend)


def test_a_lock_that_a_thread_holds_is_waited_for() -> None:
    store = MemoryStore(lock_timeout=0.3)
    held, let_go = threading.Event(), threading.Event()

    async def hold_until() -> None:
        async with store.lock("k"):
            held.set()
            await asyncio.to_thread(let_go.wait)

    thread = threading.Thread(target=asyncio.run, args=(hold_until(),))
    thread.start()
    held.wait()
    with pytest.raises(StoreError, match="close that loop"):
        anyio.run(take, store)
    let_go.set()
    thread.join()
    anyio.run(take, store)


@pytest.mark.anyio
@pytest.mark.backends("asyncio", "trio")
async def test_the_timeout_is_of_the_wait_alone() -> None:
    store = MemoryStore(lock_timeout=0.2)
    async with store.lock("k"):
        await anyio.sleep(0.4)
    async with anyio.create_task_group() as group:
        let_go = await group.start(hold, store)
        with pytest.raises(StoreError, match=r"0\.2 s"):
            await take(store)
        let_go.set()
    await take(store)
