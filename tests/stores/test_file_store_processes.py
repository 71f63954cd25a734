"""Guarantees of a FileStore when processes are killed, stopped or forked, and when the disk is full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from genauth_async import StoreError
from genauth_async.stores import FileStore
from tests.stores.conformance import assert_is_free

if sys.platform == "win32":
    pytest.skip("signals and forks are not of Windows", allow_module_level=True)

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]

_HOLDER = """
import sys, anyio
from genauth_async.stores import FileStore

async def main():
    async with FileStore(sys.argv[1]).lock("k"):
        print("held", flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""

_KILLED_WRITERS = """
import os, random, signal, sys, time
import anyio
from genauth_async import SessionRecord, TokenSet
from genauth_async.stores import FileStore

store = FileStore(sys.argv[1])

def record(generation):
    tokens = TokenSet(access_token="t" * (1 + generation % 7 * 50_000), expires_in=3600, obtained_at=1.7e9)
    return SessionRecord(tokens=tokens, generation=generation)

async def write(generation, pipe):
    while True:
        assert await store.compare_and_set("k", record(generation + 1), expected=generation)
        generation += 1
        os.write(pipe, b".")

generation = 1
anyio.run(lambda: store.compare_and_set("k", record(1), expected=None))
for _ in range(40):
    hear, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        anyio.run(write, generation, tell)
    os.close(tell)
    os.read(hear, 1)
    time.sleep(random.random() / 50)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(hear)
    found = anyio.run(store.get, "k")
    assert found == record(found.generation), found.generation
    assert found.generation > generation
    generation = found.generation
corrupt = [name for name in os.listdir(sys.argv[1]) if ".corrupt" in name]
assert not corrupt, corrupt
"""

_DISK_FULL = """
import os, resource, signal, sys
import anyio
from genauth_async import SessionRecord, StoreError, TokenSet
from genauth_async.stores import FileStore

def record(generation, size):
    return SessionRecord(tokens=TokenSet(access_token="t" * size, obtained_at=1.7e9), generation=generation)

async def main():
    store = FileStore(sys.argv[1])
    assert await store.compare_and_set("k", record(1, 10), expected=None)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        await store.compare_and_set("k", record(2, 50_000), expected=1)
    except StoreError as error:
        assert isinstance(error.__cause__, OSError)
        assert "ttt" not in str(error)
    else:
        raise AssertionError("it was written")
    assert await store.get("k") == record(1, 10)
    assert not [name for name in os.listdir(sys.argv[1]) if name.endswith(".tmp")]
    assert await store.compare_and_set("k", record(2, 10), expected=1)

anyio.run(main)
"""

# A thread's event loop holds the lock while the main thread forks, as multiprocessing does.
_FORKING = """
import os, signal, sys, threading
import anyio, anyio.to_thread
from genauth_async import StoreError
from genauth_async.stores import FileStore

store = FileStore(sys.argv[1], lock_timeout=0.3)
held, let_go = threading.Event(), threading.Event()

async def hold():
    async with store.lock("k"):
        held.set()
        await anyio.to_thread.run_sync(let_go.wait)

async def take(store):
    async with store.lock("k"):
        pass

def is_free(store):
    try:
        anyio.run(take, store)
    except StoreError:
        return False
    return True

def fork(child):
    pid = os.fork()
    if pid == 0:
        child()
        sys.exit()
    return pid

thread = threading.Thread(target=anyio.run, args=(hold,))
thread.start()
held.wait()
"""
_CHILD_ENDS = """
ended = fork(lambda: None)
assert os.waitpid(ended, 0)[1] == 0
assert not is_free(FileStore(sys.argv[1], lock_timeout=0.3))
let_go.set()
thread.join()
assert is_free(store)
"""
_CHILD_ASKS = """
def child():
    assert not is_free(store)

asking = fork(child)
assert os.waitpid(asking, 0)[1] == 0
assert not is_free(FileStore(sys.argv[1], lock_timeout=0.3))
let_go.set()
thread.join()
"""
_CHILD_OUTLIVES = """
living = fork(signal.pause)
let_go.set()
thread.join()
assert is_free(store)
os.kill(living, signal.SIGKILL)
os.waitpid(living, 0)
"""
_PARENT_IS_KILLED = """
hear, tell = os.pipe()

def child():
    os.close(tell)
    os.read(hear, 1)
    assert is_free(store)
    print("free", flush=True)

fork(child)
os.kill(os.getpid(), signal.SIGKILL)
"""


def run(source: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", source, str(directory)],
        check=False,
        timeout=120,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def start_holder(directory: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts processes that hold the lock."""
    with ExitStack() as stack:

        def start() -> subprocess.Popen[bytes]:
            process = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", _HOLDER, str(directory)], stdout=subprocess.PIPE)
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == b"held\n"
            return process

        yield start


@pytest.mark.slow
def test_writers_that_are_killed_leave_whole_records(directory: Path) -> None:
    assert run(_KILLED_WRITERS, directory).returncode == 0


def test_a_full_disk_is_a_store_error_and_the_record_stays(directory: Path) -> None:
    assert run(_DISK_FULL, directory).returncode == 0


@pytest.mark.parametrize("then", [_CHILD_ENDS, _CHILD_ASKS, _CHILD_OUTLIVES], ids=["ends", "asks", "outlives"])
def test_a_forked_child_has_no_part_in_its_parents_lock(directory: Path, then: str) -> None:
    assert run(_FORKING + then, directory).returncode == 0


def test_a_forked_child_does_not_keep_a_killed_parents_lock(directory: Path) -> None:
    done = run(_FORKING + _PARENT_IS_KILLED, directory)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == "free\n"


async def test_a_holder_that_is_stopped_is_named_and_keeps_its_lock(
    directory: Path, start_holder: Callable[[], subprocess.Popen[bytes]]
) -> None:
    holder = start_holder()
    os.kill(holder.pid, signal.SIGSTOP)
    store = FileStore(directory, lock_timeout=0.3)
    for _ in range(2):
        with pytest.raises(StoreError, match=f"process {holder.pid} on "):
            await assert_is_free(store, "k")
    os.kill(holder.pid, signal.SIGCONT)
    with pytest.raises(StoreError):
        await assert_is_free(store, "k")


async def test_a_holder_that_is_killed_has_no_lock(
    directory: Path, start_holder: Callable[[], subprocess.Popen[bytes]]
) -> None:
    holder = start_holder()
    holder.kill()
    holder.wait()
    await assert_is_free(FileStore(directory, lock_timeout=0.3), "k")
