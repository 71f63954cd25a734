"""Sessions in Redis among processes, threads and event loops, some of which die or stand still."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import anyio
import anyio.to_thread
import pytest

from genauth_async.stores import RedisStore
from tests.stores.redis_program import GENERATIONS, LIFE, STEPS
from tests.stores.redis_server import RedisServer, contents
from tests.stores.redis_stores import record

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(os.name == "nt", reason="signals and fork"), pytest.mark.slow]


class Programs:
    """Processes that share a server and a prefix."""

    def __init__(self, url: str, prefix: str) -> None:
        self._arguments = [url, prefix]
        self.running: list[subprocess.Popen[str]] = []

    def start(self, what: str, backend: str = "asyncio") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.stores.redis_program", *self._arguments, what, backend],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process


@pytest.fixture
def programs(redis_server: RedisServer, redis_prefix: str) -> Iterator[Programs]:
    programs = Programs(redis_server.url, redis_prefix)
    yield programs
    for process in programs.running:
        process.kill()
        process.communicate()


@pytest.fixture
def store(redis_server: RedisServer, redis_prefix: str) -> RedisStore:
    return RedisStore(redis_server.url, prefix=redis_prefix, lock_seconds=LIFE)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ended(process: subprocess.Popen[str]) -> str:
    printed, _ = process.communicate("go\n", timeout=60)
    assert process.returncode == 0
    return printed


async def test_of_4_processes_one_wins_each_generation(store: RedisStore, programs: Programs) -> None:
    await store.compare_and_set("ada", record(1), expected=None)
    started = [programs.start("win", backend) for backend in ("asyncio", "trio") * 2]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    won = [int(generation) for process in started for generation in ended(process).split()]
    assert sorted(won) == list(range(2, GENERATIONS + 1))
    await store.aclose()


def test_one_process_at_a_time_holds_the_lock(programs: Programs, redis_server: RedisServer, redis_prefix: str) -> None:
    started = [programs.start("count", backend) for backend in ("asyncio", "trio") * 2]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in started:
        ended(process)
    assert contents(redis_server, redis_prefix) == {"counter": str(4 * STEPS).encode()}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
async def test_the_lock_of_a_killed_process_is_free_after_its_life(
    store: RedisStore, programs: Programs, redis_server: RedisServer, redis_prefix: str, backend: str
) -> None:
    await store.compare_and_set("ada", record(1), expected=None)
    holder = programs.start("hold", backend)
    assert line(holder) == "held"
    holder.kill()
    holder.wait()
    with redis_server.client() as client:
        assert client.pttl(f"{redis_prefix}lock:ada") <= LIFE * 1000
    with anyio.fail_after(20):
        async with store.lock("ada"):
            assert await store.compare_and_set("ada", record(2), expected=1)
    await store.aclose()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
async def test_a_process_that_stood_still_overwrites_nothing(
    store: RedisStore, programs: Programs, redis_server: RedisServer, redis_prefix: str, backend: str
) -> None:
    await store.compare_and_set("ada", record(1), expected=None)
    holder = programs.start("hold", backend)
    assert line(holder) == "held"
    holder.send_signal(signal.SIGSTOP)
    with anyio.fail_after(20):
        async with store.lock("ada"):
            assert await store.compare_and_set("ada", record(2, "newer"), expected=1)
            held = contents(redis_server, redis_prefix)["lock:ada"]
            holder.send_signal(signal.SIGCONT)
            assert await anyio.to_thread.run_sync(ended, holder) == "False\n"
            assert contents(redis_server, redis_prefix)["lock:ada"] == held, "it released the lock of another process"
    assert await store.get("ada") == record(2, "newer")
    await store.aclose()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_event_loops_in_threads_share_a_store(
    store: RedisStore, redis_server: RedisServer, redis_prefix: str, backend: str
) -> None:
    inside: list[bool] = []

    async def work() -> None:
        for _ in range(10):
            async with store.lock("ada"):
                inside.append(True)
                present = await store.get("ada")
                generation = 0 if present is None else present.generation
                assert len(inside) == 1
                assert await store.compare_and_set("ada", record(generation + 1), expected=generation or None)
                inside.clear()
        await store.aclose()

    threads = [threading.Thread(target=anyio.run, args=(work,), kwargs={"backend": backend}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents(redis_server, redis_prefix)["record:ada"][b"generation"] == b"40"


def test_one_loop_after_the_other_uses_a_store(store: RedisStore) -> None:
    async def work(generation: int) -> None:
        assert await store.compare_and_set("ada", record(generation), expected=generation - 1 or None)
        await store.aclose()

    for generation in (1, 2, 3):
        asyncio.run(work(generation))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_forked_child_has_connections_and_locks_of_its_own(store: RedisStore, backend: str) -> None:
    async def write(generation: int) -> None:
        with anyio.fail_after(20):
            async with store.lock("ada"):
                assert await store.compare_and_set("ada", record(generation), expected=generation - 1 or None)

    async def parent() -> None:
        await write(1)
        async with store.lock("bob"):  # held here while the child begins
            child = os.fork()
            if child == 0:
                code = 1
                with contextlib.suppress(BaseException):
                    in_a_thread = threading.Thread(target=anyio.run, args=(write, 2), kwargs={"backend": backend})
                    in_a_thread.start()
                    in_a_thread.join()
                    code = 0
                os._exit(code)
            _, status = await anyio.to_thread.run_sync(os.waitpid, child, 0)
            assert status == 0
            present = await store.get("ada")
            assert present is not None
            assert present.generation == 2
        await write(3)
        await store.aclose()

    anyio.run(parent, backend=backend)
