"""KeyringStores in processes of their own, and with a keyring of the system's."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from genauth_async.stores import KeyringStore
from tests.programs import program
from tests.stores.conformance import PATIENCE


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


def test_the_end_of_the_process_does_not_wait_for_the_keyring(directory: Path) -> None:
    source = f"""
import threading
import anyio, keyring, keyring.backend
from genauth_async.stores import KeyringStore

class Hanging(keyring.backend.KeyringBackend):
    priority = -1
    def get_password(self, service, username): threading.Event().wait()
    set_password = delete_password = None

keyring.set_keyring(Hanging())
assert anyio.run(KeyringStore(directory={str(directory)!r}, keyring_timeout=0.2, fallback=True).get, "k") is None
"""
    subprocess.run([sys.executable, "-c", source], check=True, timeout=PATIENCE)


_FIRST = """
import sys, time
import anyio, keyring
from keyrings.alt.file import PlaintextKeyring

class SlowKeyring(PlaintextKeyring):
    def get_password(self, service, username):
        found = super().get_password(service, username)
        time.sleep(0.3)
        return found

backend = SlowKeyring()
backend.file_path = sys.argv[1]
keyring.set_keyring(backend)
from genauth_async import SessionRecord, TokenSet
from genauth_async.stores import KeyringStore
store = KeyringStore(directory=sys.argv[2])
written = SessionRecord(tokens=TokenSet(access_token="t", obtained_at=1.7e9), generation=1)
print("ready", flush=True)
sys.stdin.readline()
async def main():
    assert await store.compare_and_set(sys.argv[3], written, expected=None)
anyio.run(main)
"""


@pytest.mark.slow
def test_processes_that_come_first_at_once_agree(keyring_file: Path, directory: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _FIRST, keyring_file, directory, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=PATIENCE)
    assert [process.returncode for process in processes] == [0] * 4
    store = KeyringStore(directory=directory)
    for number in range(4):
        assert anyio.run(store.get, str(number)) is not None


_SECRET_SERVICE = """
import sys
import anyio, keyring, keyring.backends.SecretService
from attrs import evolve
from genauth_async import SessionRecord, TokenSet
from genauth_async.stores import FileStore, KeyringStore

keyring.set_keyring(keyring.backends.SecretService.Keyring())
written = SessionRecord(tokens=TokenSet(access_token="t" * 5000, obtained_at=1.7e9), generation=1)

async def main():
    def store():
        return KeyringStore("genauth test", sys.argv[1])
    assert await store().compare_and_set("k", written, expected=None)
    assert await store().get("k") == written
    assert await store().compare_and_set("k", evolve(written, generation=2), expected=1)
    (credential,) = [
        item.get_secret()
        for item in keyring.get_keyring().get_preferred_collection().get_all_items()
        if item.get_attributes().get("service") == "genauth test"
    ]
    assert (await FileStore(sys.argv[1], secrets=credential.decode()).get("k")).generation == 2

anyio.run(main)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is of Linux")
@pytest.mark.slow
def test_it_works_with_a_real_secret_service(tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    what = "a real Secret Service"
    session, daemon = program("dbus-run-session", what), program("gnome-keyring-daemon", what)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    script = tmp_path / "secret_service.py"
    script.write_text(_SECRET_SERVICE)
    # The daemon goes to the background, and ends with the session's bus.
    unlock = f"printf password | {shlex.quote(daemon)} --unlock --components=secrets >/dev/null"
    command = f"{unlock} && exec {shlex.join([sys.executable, str(script), str(directory)])}"
    subprocess.run([session, "--", "sh", "-c", command], check=True, timeout=PATIENCE)


def test_a_missing_package_is_named() -> None:
    source = """
import sys
sys.modules["keyring"] = None
import genauth_async.stores
try:
    genauth_async.stores.KeyringStore
except ImportError as error:
    assert "pip install 'genauth-async[keyring]'" in str(error), error
else:
    raise AssertionError("it was imported")
"""
    subprocess.run([sys.executable, "-c", source], check=True, timeout=PATIENCE)
