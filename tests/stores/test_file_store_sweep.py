"""Files that a FileStore removes by itself."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from genauth_async import StoreError
from genauth_async.stores import FileStore, _sweep
from genauth_async.stores._files import read_private
from tests.stores.conformance import assert_is_free, record
from tests.stores.file_stores import names, session_locks, written

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


async def test_the_list_of_lapsed_sessions_is_swept(directory: Path) -> None:
    now, store = time.time(), FileStore(directory)
    await store.add_session("ada", "key", now=now - 20, until=now - 10)
    await store.add_session("bob", "key", now=now, until=now + 1000)
    assert len(names(directory, ".json")) == 2
    await written(store, "any")
    assert len(names(directory, ".json")) == 2
    assert list(await store.sessions_of("bob", now=now)) == ["key"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"form": 1, "expires_at": null, "record": "[1]"}'])
async def test_a_list_that_is_not_complete_counts_as_empty(directory: Path, content: bytes) -> None:
    now, store = time.time(), FileStore(directory)
    await store.add_session("ada", "key", now=now, until=now + 10)
    (name,) = names(directory, ".json")
    (directory / name).write_bytes(content)
    assert await store.sessions_of("ada", now=now) == []
    assert not await store.touch_session("ada", "key", now=now, until=now + 10)
    await store.add_session("ada", "key", now=now, until=now + 10)
    assert await store.sessions_of("ada", now=now) == ["key"]


def is_due(directory: Path) -> None:
    os.utime(directory / "swept", (1, 1))


async def test_what_killed_processes_left_is_swept_when_it_is_old(directory: Path) -> None:
    now, store = time.time(), FileStore(directory)
    await written(store)
    forms = [f"{'0' * 64}.lock", f"{'a' * 64}.abcd_123.tmp", f"{'b' * 64}.abcd_123.tmp"]
    unused, left, fresh = (directory / name for name in forms)
    for leaving in (unused, left, fresh):
        leaving.touch(mode=0o600)
    for old in (unused, left):
        os.utime(old, (now - 3601, now - 3601))
    is_due(directory)
    await written(store, "next")
    assert [leaving.exists() for leaving in (unused, left, fresh)] == [False, False, True]


async def test_the_temporary_file_of_a_killed_writer_is_swept(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(directory)
    await written(store)
    with monkeypatch.context() as patch:
        # As though the process had ended before both.
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(5, "killed")))
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(StoreError):
            await store.compare_and_set("k2", record(), expected=None)
    (left,) = (directory / name for name in names(directory, ".tmp"))
    os.utime(left, (1, 1))
    is_due(directory)
    await written(store, "next")
    assert not left.exists()


FOREIGN = [
    "a.tmp",
    "notes.lock",
    f"{'0' * 64}.tmp",
    f"{'0' * 63}g.lock",
    f"{'A' * 64}.lock",
    f"{'0' * 65}.abcd_123.tmp",
    f"{'0' * 64}.abcd.tmp",
    f"{'0' * 64}.lock.tmp",
    f"x{'0' * 64}.json",
    "backup.json",
    "keyring.tmp",
    f"{'0' * 64}.corrupt-20260101T000000Z",
    f"{'1' * 64}",
    "keyring",
    "keyring.lock",
    "write-0.lock",
]


async def test_what_others_made_or_need_is_not_swept(directory: Path) -> None:
    now, store = time.time(), FileStore(directory)
    await written(store)
    expired = await written(store, "expired", record(expires_at=now - 1))
    content = expired.read_bytes()
    for name in FOREIGN:
        (directory / name).write_bytes(content)
        (directory / name).chmod(0o600)
        os.utime(directory / name, (1, 1))
    is_due(directory)
    await written(store, "next")
    assert not expired.exists()
    assert [name for name in FOREIGN if not (directory / name).exists()] == []


async def test_a_large_directory_is_swept_in_small_steps(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by processes of one sign-in each: every write is that of another store."""
    now, first = time.time(), FileStore(directory)
    await written(first)
    expired = [await written(first, f"expired {number}", record(expires_at=now - 1)) for number in range(150)]
    living = [await written(first, f"living {number}", record(expires_at=now + 9999)) for number in range(150)]
    is_due(directory)
    looked_at: list[Path] = []

    def read(path: Path) -> bytes | None:
        looked_at.append(path)
        return read_private(path)

    monkeypatch.setattr(_sweep, "read_private", read)
    for number in range(40):
        before = len(looked_at)
        await FileStore(directory).compare_and_set(f"new {number}", record(), expected=None)
        assert len(looked_at) - before < 100
    assert [path for path in expired if path.exists()] == []
    assert [path for path in living if not path.exists()] == []
    # The round is over, and the next one is not due.
    before = len(looked_at)
    await FileStore(directory).compare_and_set("last", record(), expected=None)
    assert len(looked_at) == before


@pytest.mark.parametrize("content", [b"", b"x", b"-1", b"9" * 500, b"999999999", b"\xff"])
async def test_any_content_of_the_stamp_will_do(directory: Path, content: bytes) -> None:
    now, store = time.time(), FileStore(directory)
    await written(store)
    expired = await written(store, "expired", record(expires_at=now - 1))
    for number in range(2):
        if number == 0:
            (directory / "swept").write_bytes(content)
            (directory / "swept").chmod(0o644)
        is_due(directory)
        await written(store, f"next {number}")
    assert not expired.exists()


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


async def test_a_clock_set_back_does_not_put_off_the_sweep(directory: Path) -> None:
    now, store = time.time(), FileStore(directory)
    await written(store)
    expired = await written(store, "expired", record(expires_at=now - 1))
    os.utime(directory / "swept", (now + 9999, now + 9999))
    await written(store, "next")
    assert not expired.exists()
