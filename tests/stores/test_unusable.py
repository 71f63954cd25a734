"""Stores of files tell what has to be changed apart from what passes, whichever call finds it."""

# ruff: noqa: ASYNC240  a few files of a test do not block the loop for long

from __future__ import annotations

import errno
import os
import resource
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import filelock
import pytest

from genauth_async import FileStore, StoreError, TokenStore
from genauth_async.errors import StoreUnusableError
from genauth_async.stores import KeyringStore
from tests.stores.conformance import record
from tests.stores.file_stores import written

if os.name == "nt":
    pytest.skip("modes, symbolic links and limits are not of Windows", allow_module_level=True)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("keyring_file")]

OTHER_USER = 65534


async def locked(store: TokenStore) -> None:
    async with store.lock("k"):
        pass


CALLS: dict[str, Callable[[TokenStore], Any]] = {
    "get": lambda store: store.get("k"),
    "write": lambda store: store.compare_and_set("k", record(), expected=None),
    "delete": lambda store: store.delete("k", expected=1),
    "lock": locked,
}


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest) -> Callable[[TokenStore], Any]:
    return CALLS[request.param]


@pytest.fixture(params=[FileStore, lambda directory: KeyringStore(directory=directory)], ids=["file", "keyring"])
def make_store(request: pytest.FixtureRequest) -> Callable[[Path], TokenStore]:
    made: Callable[[Path], TokenStore] = request.param
    return made


@contextmanager
def unusable(remedy: str) -> Iterator[None]:
    with pytest.raises(StoreUnusableError, match=remedy) as caught:
        yield
    assert "Canary" not in repr(caught.value)


def open_to_others(path: Path) -> None:
    path.mkdir(mode=0o700)
    path.chmod(0o777)


def of_another_user(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    path.mkdir(mode=0o700)
    os.chown(path, OTHER_USER, -1)


def file_there(path: Path) -> None:
    path.touch(mode=0o600)


def file_open_to_others(path: Path) -> None:
    path.touch()
    path.chmod(0o644)


def link_to_nowhere(path: Path) -> None:
    path.symlink_to(path.parent / "none" / "none")


@pytest.mark.parametrize(
    ("prepare", "remedy"),
    [
        (open_to_others, "chmod 700"),
        (of_another_user, "choose another directory"),
        (file_there, "remove that file"),
        (file_open_to_others, "remove that file"),
    ],
)
@pytest.mark.parametrize("below", ["", "sub"])
async def test_a_directory_that_has_to_be_changed(
    prepare: Callable[[Path], None],
    remedy: str,
    below: str,
    make_store: Callable[[Path], TokenStore],
    call: Callable[[TokenStore], Any],
    tmp_path: Path,
) -> None:
    place = tmp_path / "sessions"
    prepare(place)
    # A directory may be in an open one.
    directory = place if place.is_dir() else place / below
    with unusable(remedy):
        await call(make_store(directory))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
@pytest.mark.parametrize("place", ["/proc/x", "/proc/self/x/y", "/sys/x", "/dev/null/x", f"/{'x' * 300}"])
async def test_a_directory_that_cannot_be_made(
    place: str, make_store: Callable[[Path], TokenStore], call: Callable[[TokenStore], Any]
) -> None:
    with unusable("choose|remove"):
        await call(make_store(Path(place)))


async def test_a_directory_without_permission(
    make_store: Callable[[Path], TokenStore], call: Callable[[TokenStore], Any], tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    await call(make_store(tmp_path / "imports what it needs"))
    was = os.geteuid()
    if was == 0:
        os.seteuid(OTHER_USER)
    try:
        with unusable("let this user read and write it"):
            await call(make_store(closed / "sessions"))
    finally:
        os.seteuid(was)


@pytest.mark.parametrize("instead", ["open", "directory", "link"])
async def test_what_is_no_file_of_a_record(instead: str, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "sessions")
    path = await written(store)
    if instead == "open":
        path.chmod(0o640)
    else:
        path.unlink()
        path.mkdir(mode=0o700) if instead == "directory" else path.symlink_to(tmp_path)
    for name in ("get", "write"):
        with unusable("chmod 600|remove that"):
            await CALLS[name](store)


PASSING = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EBUSY, errno.ESTALE]
LASTING = [errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ELOOP]


@pytest.mark.parametrize("number", [*PASSING, *LASTING])
@pytest.mark.parametrize("place", ["mkdir", "mkstemp", "fsync", "replace"])
async def test_each_error_of_the_system_is_one_of_both(
    number: int, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write() -> None:
        await FileStore(tmp_path / "sessions").compare_and_set("k", record(), expected=None)

    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "a file")

    await FileStore(tmp_path / "warm up").get("k")
    owner: object = {"mkdir": Path, "mkstemp": tempfile, "fsync": os, "replace": Path}[place]
    with monkeypatch.context() as patch:
        patch.setattr(owner, place, fails)
        with pytest.raises(StoreError, match=os.strerror(number)) as caught:
            await write()
        assert isinstance(caught.value, StoreUnusableError) is (number in LASTING)
    await write()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
@pytest.mark.parametrize("name", ["write", "delete", "lock"])
async def test_a_filesystem_without_locks(
    number: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    store = FileStore(tmp_path / "sessions")
    await locked(store)
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", flock)
        with unusable("choose a local directory"):
            await CALLS[name](store)
    await CALLS[name](store)


async def test_too_many_open_files_pass(
    make_store: Callable[[Path], TokenStore], call: Callable[[TokenStore], Any], tmp_path: Path
) -> None:
    store = make_store(tmp_path / "sessions")
    await store.compare_and_set("k", record(), expected=None)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/dev/fd").iterdir())) - 1, before[1]))
    taken: list[int] = []
    try:
        with suppress(OSError):
            while True:  # the numbers that are free
                taken.append(os.dup(0))
        with pytest.raises(StoreError) as caught:
            await call(store)
        assert not isinstance(caught.value, StoreUnusableError)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for descriptor in taken:
            os.close(descriptor)
    await call(store)


@pytest.fixture
async def busy(tmp_path: Path) -> AsyncIterator[FileStore]:
    store = FileStore(tmp_path / "sessions", lock_timeout=0.2)
    path = await written(store)
    with (
        filelock.FileLock(store.directory / f"write-{path.name[0]}.lock"),
        filelock.FileLock(path.with_suffix(".lock")),
    ):
        yield store


@pytest.mark.parametrize("name", ["write", "delete", "lock"])
async def test_locks_that_others_hold_pass(name: str, busy: FileStore) -> None:
    with anyio.fail_after(60), pytest.raises(StoreError) as caught:
        await CALLS[name](busy)
    assert not isinstance(caught.value, StoreUnusableError)
