"""The secret of a KeyringStore, and the fallback without one."""

# ruff: noqa: ASYNC240  a few files of a test do not block the loop for long

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import keyring
import keyring.backend
import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest

from genauth_async import ConfigurationError, StoreError
from genauth_async.errors import StoreUnusableError
from genauth_async.stores import FileStore, KeyringStore
from tests.stores.conformance import PATIENCE, record

pytestmark = pytest.mark.anyio


class DictKeyring(keyring.backend.KeyringBackend):
    """In memory; not one that keyring would choose by itself."""

    priority = -1.0  # pyright: ignore[reportAssignmentType] - as the package's documentation has it

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class LockedKeyring(DictKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked(f"{service}, {username}: locked")


class ReadOnlyKeyring(DictKeyring):
    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002
        raise keyring.errors.PasswordSetError(f"quoted: {password}")


class HangingKeyring(DictKeyring):
    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.answers = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.set()
        self.answers.wait()
        return super().get_password(service, username)


@pytest.fixture(autouse=True)
def entries() -> Iterator[dict[tuple[str, str], str]]:
    """Entries of the keyring."""
    before = keyring.get_keyring()
    backend = DictKeyring()
    keyring.set_keyring(backend)
    yield backend.entries
    keyring.set_keyring(before)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


def all_files(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.iterdir())


async def test_the_keyring_has_a_short_secret_and_the_files_are_sealed(
    directory: Path, entries: dict[tuple[str, str], str]
) -> None:
    store = KeyringStore("my tool", directory)
    assert await store.compare_and_set("k", record(1, "t-Canary" * 1000), expected=None)
    ((service, _), secret), *others = entries.items()
    assert (service, others) == ("my tool", [])
    assert 32 <= len(secret) <= 100
    assert b"Canary" not in all_files(directory)
    assert secret.encode() not in all_files(directory)
    assert secret not in repr(vars(store))
    assert await FileStore(directory, secrets=secret).get("k") == record(1, "t-Canary" * 1000)


async def test_a_directory_may_be_moved(directory: Path) -> None:
    await KeyringStore(directory=directory).compare_and_set("k", record(), expected=None)
    moved = directory.rename(directory.with_name("moved"))
    assert await KeyringStore(directory=moved).get("k") == record()


async def test_directories_have_secrets_of_their_own(directory: Path, entries: dict[tuple[str, str], str]) -> None:
    for name in ("a", "b"):
        await KeyringStore(directory=directory / name).get("k")
    assert len(set(entries.values())) == 2


async def test_what_was_in_clear_is_read_and_then_sealed(directory: Path) -> None:
    await FileStore(directory).compare_and_set("k", record(), expected=None)
    store = KeyringStore(directory=directory)
    assert await store.get("k") == record()
    assert b"Canary" in all_files(directory)
    assert await store.compare_and_set("k", record(2), expected=1)
    assert b"Canary" not in all_files(directory)
    assert await KeyringStore(directory=directory).get("k") == record(2)


UNUSABLE: dict[str, Callable[[], keyring.backend.KeyringBackend]] = {
    "none": keyring.backends.fail.Keyring,
    "locked": LockedKeyring,
    "read-only": ReadOnlyKeyring,
    "forgetful": keyring.backends.null.Keyring,
}


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_without_a_usable_keyring_plain_records_and_one_warning(
    kind: str, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keyring.set_keyring(UNUSABLE[kind]())
    store = KeyringStore(directory=directory, fallback=True)
    with caplog.at_level(logging.WARNING):
        assert await store.compare_and_set("k", record(), expected=None)
        assert await store.get("k") == record()
    assert [entry.levelname for entry in caplog.records] == ["WARNING"]
    assert str(directory) in caplog.text
    assert await FileStore(directory).get("k") == record()


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_without_a_keyring_or_the_fallback_nothing_is_written(
    kind: str, directory: Path, entries: dict[tuple[str, str], str]
) -> None:
    usable = keyring.get_keyring()
    keyring.set_keyring(UNUSABLE[kind]())
    store = KeyringStore(directory=directory)
    with pytest.raises(StoreUnusableError, match="keyring diagnose") as caught:
        await store.compare_and_set("k", record(), expected=None)
    for name in ("k", "other"):
        with pytest.raises(StoreUnusableError, match="usable keyring"):
            await store.get(name)
    assert "quoted" not in str(caught.value)
    keyring.set_keyring(usable)
    assert await store.compare_and_set("k", record(), expected=None)
    assert len(entries) == 1


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_what_is_sealed_stays_while_the_keyring_is_away(kind: str, directory: Path) -> None:
    usable = keyring.get_keyring()
    await KeyringStore(directory=directory).compare_and_set("k", record(), expected=None)
    keyring.set_keyring(UNUSABLE[kind]())
    away = KeyringStore(directory=directory, fallback=True)
    with pytest.raises(StoreUnusableError, match="sealed"):
        await away.get("k")
    with pytest.raises(StoreUnusableError, match="sealed"):
        await away.compare_and_set("k", record(2), expected=None)
    keyring.set_keyring(usable)
    assert await KeyringStore(directory=directory).get("k") == record()


async def test_what_cannot_be_opened_can_be_removed(directory: Path) -> None:
    await KeyringStore(directory=directory).compare_and_set("k", record(), expected=None)
    usable = keyring.get_keyring()
    keyring.set_keyring(LockedKeyring())
    away = KeyringStore(directory=directory)
    async with away.lock("k"):
        await away.delete("k")
    keyring.set_keyring(usable)
    assert await KeyringStore(directory=directory).get("k") is None


async def test_a_keyring_that_lost_its_entry_does_not_lose_the_records(
    directory: Path, entries: dict[tuple[str, str], str]
) -> None:
    await KeyringStore(directory=directory).compare_and_set("k", record(), expected=None)
    (name,) = entries
    lost = entries.pop(name)
    store = KeyringStore(directory=directory)
    with pytest.raises(StoreUnusableError, match="cannot be opened"):
        await store.get("k")
    entries[name] = lost
    assert await KeyringStore(directory=directory).get("k") == record()


async def test_a_changed_keyring_entry_is_not_used(directory: Path, entries: dict[tuple[str, str], str]) -> None:
    await KeyringStore(directory=directory).get("k")
    (name,) = entries
    entries[name] = "short"
    with pytest.raises(StoreError, match="not the one that was stored"):
        await KeyringStore(directory=directory).get("k")


async def test_no_frame_of_an_error_has_the_secret(directory: Path) -> None:
    keyring.set_keyring(ReadOnlyKeyring())
    with pytest.raises(StoreError) as caught:
        await KeyringStore(directory=directory).get("k")
    error: BaseException | None = caught.value
    while error is not None:
        names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]
        assert "_secret" not in names
        error = error.__cause__ or error.__context__


@pytest.mark.backends("asyncio", "trio")
async def test_a_keyring_that_hangs_is_waited_for_until_the_timeout(directory: Path) -> None:
    backend = HangingKeyring()
    keyring.set_keyring(backend)
    try:
        with anyio.fail_after(PATIENCE):
            with pytest.raises(StoreError, match="did not answer"):
                await KeyringStore(directory=directory, keyring_timeout=0.2).get("k")
            # The one that hangs has the lock under which the secret is made; another process falls back, too.
            store = KeyringStore(directory=directory, keyring_timeout=0.2, fallback=True)
            assert await store.compare_and_set("k", record(), expected=None)
    finally:
        backend.answers.set()


@pytest.mark.backends("asyncio", "trio")
async def test_a_cancelled_call_does_not_wait_for_the_keyring(directory: Path) -> None:
    backend = HangingKeyring()
    keyring.set_keyring(backend)
    store = KeyringStore(directory=directory, keyring_timeout=PATIENCE)
    try:
        with anyio.fail_after(PATIENCE / 2):
            async with anyio.create_task_group() as group:
                group.start_soon(store.get, "k")
                await anyio.to_thread.run_sync(backend.asked.wait, PATIENCE / 2)
                group.cancel_scope.cancel()
            backend.answers.set()
            assert await store.get("k") is None
    finally:
        backend.answers.set()


@pytest.mark.parametrize("argument", ["keyring_timeout", "lock_timeout"])
def test_timeouts_have_to_be_above_0(argument: str) -> None:
    with pytest.raises(ConfigurationError, match=argument):
        KeyringStore("s", "d", **{argument: 0})  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_a_keyring_that_was_away_at_first_is_looked_for_again(tmp_path: Path) -> None:
    """A service began while it was locked; a program that had it sealed the record."""
    usable = keyring.get_keyring()
    keyring.set_keyring(LockedKeyring())
    service = KeyringStore(directory=tmp_path / "s", fallback=True)
    await service.compare_and_set("k", record(1), expected=None)
    keyring.set_keyring(usable)
    program = KeyringStore(directory=tmp_path / "s")
    assert await program.compare_and_set("k", record(2), expected=1)
    assert await service.get("k") == record(2)
    assert await service.compare_and_set("k", record(3), expected=2)
    keyring.set_keyring(LockedKeyring())
    another = KeyringStore(directory=tmp_path / "s", fallback=True)
    for _ in range(2):
        with pytest.raises(StoreError, match="sealed"):
            await another.get("k")


async def test_the_error_says_what_is_wrong_with_the_keyring(directory: Path) -> None:
    for kind, reason in (
        ("none", "NoKeyringError"),
        ("locked", "KeyringLocked"),
        ("read-only", "PasswordSetError"),
        ("forgetful", "it does not keep the entry that it was given"),
    ):
        keyring.set_keyring(UNUSABLE[kind]())
        with pytest.raises(StoreUnusableError, match=rf"^There is no usable keyring: {reason}\. "):
            await KeyringStore(directory=directory / kind).get("k")
    directory.chmod(0o755)
    with pytest.raises(StoreUnusableError, match="open to other users"):
        await KeyringStore(directory=directory).get("k")
