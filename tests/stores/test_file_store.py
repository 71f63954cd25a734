"""Files of a FileStore: those that it writes, and those that it finds in its directory."""

# ruff: noqa: ASYNC240  a few files of a test do not block the loop for long

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import anyio
import filelock
import platformdirs
import pytest

from genauth_async import ConfigurationError, StoreError
from genauth_async.stores import FileStore
from genauth_async.stores._process_locks import ProcessLock
from tests.stores.conformance import assert_is_free, record
from tests.stores.file_stores import names, session_locks, written

pytestmark = pytest.mark.anyio

SECRET, OLD_SECRET = "n" * 32, "o" * 32
only_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions"


@pytest.fixture
def generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@only_posix
@pytest.mark.usefixtures("generous_umask")
async def test_everything_is_for_this_user_only(directory: Path) -> None:
    store = FileStore(directory)
    async with store.lock("k"):
        await written(store)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert len(modes) >= 4
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@only_posix
@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
async def test_a_directory_that_others_may_use_is_refused(directory: Path, mode: int) -> None:
    directory.mkdir(parents=True)
    directory.chmod(mode)
    store = FileStore(directory)
    for attempt in (store.get("k"), store.compare_and_set("k", record(), expected=None), store.delete("k")):
        with pytest.raises(StoreError, match="chmod 700"):
            await attempt
    with pytest.raises(StoreError, match="chmod 700"):
        async with store.lock("k"):
            raise AssertionError("it was locked")
    assert list(directory.iterdir()) == []
    directory.chmod(0o700)
    assert await store.get("k") is None


@only_posix
@pytest.mark.parametrize("mode", [0o644, 0o620])
async def test_a_file_that_others_may_use_is_refused_and_kept(directory: Path, mode: int) -> None:
    store = FileStore(directory)
    path = await written(store)
    path.chmod(mode)
    with pytest.raises(StoreError, match="chmod 600"):
        await store.get("k")
    with pytest.raises(StoreError, match="chmod 600"):
        await store.compare_and_set("k", record(2), expected=1)
    path.chmod(0o600)
    assert await store.get("k") == record()


@only_posix
async def test_what_belongs_to_another_user_is_refused(directory: Path) -> None:
    if os.geteuid() == 0:
        directory.mkdir(mode=0o700, parents=True)
        os.chown(directory, 12345, -1)
    else:
        directory = Path("/")
    with pytest.raises(StoreError, match="another user"):
        await FileStore(directory).get("k")


async def test_no_name_tells_the_key_or_a_token(directory: Path) -> None:
    store = FileStore(directory)
    async with store.lock("key-Canary"):
        await written(store, "key-Canary")
        seen = " ".join(names(directory, ""))
    assert "anary" not in seen


async def test_an_existing_path_that_is_no_directory_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o600)
    with pytest.raises(StoreError) as caught:
        await FileStore(tmp_path / "file").compare_and_set("k", record(), expected=None)
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("secrets", [None, SECRET])
@pytest.mark.parametrize(
    "content", [b"", b"\0" * 4096, b'{"form": 1, "rec', b"[]", b'{"form":1,"expires_at":null}', None]
)
async def test_what_is_no_record_is_set_aside_and_counts_as_absent(
    directory: Path, secrets: str | None, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    store = FileStore(directory, secrets=secrets)
    path = await written(store)
    content = path.read_bytes()[:-20] if content is None else content
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert await store.get("k") is None
    (aside,) = names(directory, ".corrupt-")
    assert aside in caplog.text
    assert "Canary" not in caplog.text
    assert (directory / aside).read_bytes() == content
    assert await store.compare_and_set("k", record(3), expected=None)
    assert await store.get("k") == record(3)


async def test_writing_over_what_is_no_record_sets_it_aside(directory: Path) -> None:
    store = FileStore(directory)
    (await written(store)).write_bytes(b"junk")
    assert not await store.compare_and_set("k", record(2), expected=1)
    assert names(directory, ".json") == []
    assert len(names(directory, ".corrupt-")) == 1


async def test_sealed_files_show_nothing(directory: Path) -> None:
    path = await written(FileStore(directory, secrets=SECRET))
    assert b"Canary" not in path.read_bytes()
    assert b"Canary" in (await written(FileStore(directory), "another")).read_bytes()


async def test_secrets_can_be_changed_for_new_ones(directory: Path) -> None:
    await written(FileStore(directory, secrets=OLD_SECRET))
    store = FileStore(directory, secrets=[SECRET, OLD_SECRET])
    assert await store.get("k") == record()
    assert await store.compare_and_set("k", record(2), expected=1)
    assert await FileStore(directory, secrets=SECRET).get("k") == record(2)


@pytest.mark.parametrize("secrets", [None, OLD_SECRET])
async def test_what_cannot_be_opened_is_an_error_and_stays(directory: Path, secrets: str | None) -> None:
    store, other = FileStore(directory, secrets=SECRET), FileStore(directory, secrets=secrets)
    await written(store)
    with pytest.raises(StoreError, match="sealed"):
        await other.get("k")
    with pytest.raises(StoreError, match="sealed"):
        await other.compare_and_set("k", record(2), expected=None)
    assert await store.get("k") == record()
    await other.delete("k")
    assert await store.get("k") is None


async def test_sealed_records_cannot_be_swapped(directory: Path) -> None:
    store = FileStore(directory, secrets=SECRET)
    mine, theirs = await written(store, "mine"), await written(store, "theirs", record(5))
    mine.write_bytes(theirs.read_bytes())
    with pytest.raises(StoreError, match="another session"):
        await store.get("mine")


async def test_plaintext_records_are_read_only_if_allowed(directory: Path) -> None:
    path = await written(FileStore(directory))
    with pytest.raises(StoreError, match="not sealed"):
        await FileStore(directory, secrets=SECRET).get("k")
    store = FileStore(directory, secrets=SECRET, accepts_clear=True)
    assert await store.get("k") == record()
    assert await store.compare_and_set("k", record(2), expected=1)
    assert b"Canary" not in path.read_bytes()


@pytest.mark.backends("asyncio", "trio")
async def test_locks_leave_no_files(directory: Path) -> None:
    store = FileStore(directory)
    for number in range(40):
        async with store.lock(f"k{number}"):
            await written(store, f"k{number}")
            assert len(session_locks(directory)) == 1
    assert session_locks(directory) == []
    assert len(names(directory, "write-")) <= 16


def test_a_closed_event_loop_leaves_no_lock_and_no_partial_write(directory: Path) -> None:
    """The end of asyncio.run cancels every task, those that finish something, too; their threads go on."""
    store = FileStore(directory, lock_timeout=5)

    async def use() -> None:
        async with store.lock("k"):
            await store.compare_and_set("k", record(1, "t" * 50_000), expected=None)
            await store.delete("k")

    async def end_after(checkpoints: int) -> None:
        task = asyncio.create_task(use())
        for _ in range(checkpoints):
            await asyncio.sleep(0)
        del task

    for checkpoints in [*range(30), 50, 100, 200]:
        asyncio.run(end_after(checkpoints))
        anyio.run(assert_is_free, FileStore(directory, lock_timeout=5), "k")
    asyncio.run(use())
    assert names(directory, ".tmp") == []


def test_a_lock_that_was_given_up_is_not_taken_any_more(directory: Path) -> None:
    directory.mkdir(parents=True)
    lock = ProcessLock(directory / "k.lock")
    lock.release()
    assert not lock.take()
    assert ProcessLock(directory / "k.lock").take()


async def test_a_writer_that_does_not_go_on_is_a_store_error(directory: Path) -> None:
    store = FileStore(directory, lock_timeout=0.2)
    path = await written(store)
    with filelock.FileLock(directory / f"write-{path.name[0]}.lock"):
        with pytest.raises(StoreError, match="busy"):
            await store.compare_and_set("k", record(2), expected=1)
        assert await store.get("k") == record()
    assert await store.compare_and_set("k", record(2), expected=1)


async def test_a_directory_that_was_removed_is_made_again(directory: Path) -> None:
    store = FileStore(directory)
    path = await written(store)
    for name in names(directory, ""):
        (directory / name).unlink()
    directory.rmdir()
    assert await store.get("k") is None
    assert await written(store) == path


@pytest.mark.backends("asyncio", "trio")
async def test_reading_meanwhile_finds_whole_records_in_their_order(directory: Path) -> None:
    writer, reader = FileStore(directory), FileStore(directory)
    await writer.compare_and_set("k", record(1, "t" * 1000), expected=None)
    seen: list[int] = []
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:

            async def read() -> None:
                while not seen or seen[-1] < 60:
                    found = await reader.get("k")
                    assert found is not None
                    assert found.tokens.access_token == "t" * (found.generation * 1000)
                    seen.append(found.generation)

            group.start_soon(read)
            for generation in range(2, 61):
                assert await writer.compare_and_set(
                    "k", record(generation, "t" * (generation * 1000)), expected=generation - 1
                )
    assert seen == sorted(seen)
    assert names(directory, ".tmp") == []


async def test_the_default_directory_is_the_systems_place_for_state(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert FileStore().directory == platformdirs.user_state_path("genauth", appauthor=False)
    if os.name == "posix" and os.uname().sysname == "Linux":
        assert FileStore().directory == tmp_path / "genauth"


def test_a_relative_directory_stays_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    store = FileStore("sessions")
    monkeypatch.chdir("/")
    assert store.directory == tmp_path / "sessions"


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_has_to_be_above_0(timeout: float) -> None:
    with pytest.raises(ConfigurationError, match="lock_timeout"):
        FileStore("d", lock_timeout=timeout)


def test_secrets_have_to_be_long() -> None:
    with pytest.raises(ConfigurationError, match="secrets"):
        FileStore("d", secrets="short")
