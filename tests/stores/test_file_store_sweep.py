"""Files that a FileStore removes by itself."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from genauth_async import StoreError
from genauth_async.stores import FileStore
from tests.stores.conformance import assert_is_free, record
from tests.stores.file_stores import session_locks, written

pytestmark = pytest.mark.anyio


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


async def test_what_has_expired_is_swept_once_an_hour(directory: Path) -> None:
    now, store = time.time(), FileStore(directory, secrets="s" * 32)
    # The first write sweeps, and an hour later the next one does.
    living = await written(store, "living", record(expires_at=now + 9999))
    endless = await written(store, "endless")
    expired = await written(store, "expired", record(expires_at=now - 1))
    assert expired.exists()
    os.utime(directory / "swept", (now - 3601, now - 3601))
    await written(store, "next")
    assert [path.exists() for path in (expired, living, endless)] == [False, True, True]
    other = await written(store, "expired", record(expires_at=now - 1))
    await written(store, "soon after")
    assert other.exists()


async def test_what_killed_processes_left_is_swept_when_it_is_old(directory: Path) -> None:
    now, store = time.time(), FileStore(directory)
    await written(store)
    unused, left, fresh = directory / f"{'0' * 64}.lock", directory / "a.tmp", directory / "b.tmp"
    for leaving in (unused, left, fresh):
        leaving.touch(mode=0o600)
    for old in (unused, left, directory / "swept"):
        os.utime(old, (now - 3601, now - 3601))
    await written(store, "next")
    assert [leaving.exists() for leaving in (unused, left, fresh)] == [False, False, True]


async def test_what_cannot_be_looked_at_does_not_stop_the_sweep(directory: Path) -> None:
    now, store = time.time(), FileStore(directory)
    await written(store)
    expired = await written(store, "expired", record(expires_at=now - 1))
    for number in range(30):
        (directory / f"{number}.json").mkdir(mode=0o700)
    os.utime(directory / "swept", (now - 3601, now - 3601))
    assert await store.compare_and_set("next", record(), expected=None)
    assert not expired.exists()


async def test_a_held_lock_is_not_swept(directory: Path) -> None:
    now, store = time.time(), FileStore(directory)
    await written(store, "first")
    async with store.lock("k"):
        (held,) = session_locks(directory)
        for old in (held, directory / "swept"):
            os.utime(old, (now - 3601, now - 3601))
        await written(store, "next")
        assert held.exists()
        with pytest.raises(StoreError):
            await assert_is_free(FileStore(directory, lock_timeout=0.1), "k")


async def test_what_may_be_needed_is_not_swept(directory: Path) -> None:
    now, store = time.time(), FileStore(directory)
    await written(store)
    needed = [
        directory / name
        for name in (f"{'0' * 64}.corrupt-20260101T000000Z", f"{'1' * 64}", "keyring", "keyring.lock", "write-0.lock")
    ]
    for path in needed:
        path.touch(mode=0o600)
    for old in (*needed, directory / "swept"):
        os.utime(old, (now - 3601, now - 3601))
    await written(store, "next")
    assert [path.name for path in needed if not path.exists()] == []


async def test_a_clock_set_back_does_not_put_off_the_sweep(directory: Path) -> None:
    now, store = time.time(), FileStore(directory)
    await written(store)
    expired = await written(store, "expired", record(expires_at=now - 1))
    os.utime(directory / "swept", (now + 9999, now + 9999))
    await written(store, "next")
    assert not expired.exists()
