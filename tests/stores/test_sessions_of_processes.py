"""Processes that share a session by its files."""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest

import genauth_sync
from genauth_async import SessionExpiredError, SessionRecord, TokenSet
from genauth_async.emulator import Emulator, User
from genauth_async.stores import FileStore
from tests.core.sessions import REFRESH

pytestmark = pytest.mark.slow

_ASYNC = """
import sys
import anyio
from genauth_async import AuthenticationClient, FileStore

async def main():
    app_id, url, secret, directory = sys.argv[1:]
    async with AuthenticationClient(app_id, url, secret, refresh_timeout=3) as client:
        session = client.session(None, store=FileStore(directory), key="k")
        print("ready", flush=True)
        sys.stdin.readline()
        print(await session.access_token(), flush=True)

anyio.run(main)
"""
_SYNC = """
import sys
from genauth_async import FileStore
from genauth_sync import AuthenticationClient

app_id, url, secret, directory = sys.argv[1:]
with AuthenticationClient(app_id, url, secret, refresh_timeout=3) as client:
    session = client.session(None, store=FileStore(directory), key="k")
    print("ready", flush=True)
    sys.stdin.readline()
    print(session.access_token(), flush=True)
"""


class Process:
    """Asks for the session's access token when it is told to."""

    def __init__(self, source: str, emulator: Emulator, directory: Path) -> None:
        arguments = [emulator.app_id, emulator.url, emulator.app_secret, str(directory)]
        self.popen = subprocess.Popen(
            [sys.executable, "-c", source, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().strip()

    def go(self) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write("go\n")
        self.popen.stdin.flush()


@pytest.fixture
def store(emulator: Emulator, user: User, tmp_path: Path) -> FileStore:
    """A store with a session whose access token has expired."""
    issued = emulator.issue_tokens(user)
    tokens = TokenSet(
        access_token=str(issued["access_token"]),
        refresh_token=str(issued["refresh_token"]),
        expires_in=3600,
        obtained_at=time.time() - 2 * 3600,
    )
    store = FileStore(tmp_path / "sessions")
    first = SessionRecord(tokens=tokens, generation=1)
    assert anyio.run(functools.partial(store.compare_and_set, "k", first, expected=None))
    return store


@pytest.fixture
def start(emulator: Emulator, store: FileStore) -> Iterator[Callable[[str], Process]]:
    """Starts processes that share the session."""
    with ExitStack() as stack:

        def start(source: str) -> Process:
            process = Process(source, emulator, store.directory)
            stack.enter_context(process.popen)
            stack.callback(process.popen.kill)
            assert process.line() == "ready"
            return process

        yield start


def test_processes_that_find_the_token_expired_refresh_it_once(
    start: Callable[[str], Process], emulator: Emulator
) -> None:
    processes = [start(source) for source in (_ASYNC, _SYNC, _ASYNC, _SYNC)]
    for process in processes:
        process.go()
    given = {process.line() for process in processes}
    assert [process.popen.wait(60) for process in processes] == [0] * 4
    assert len(given) == 1
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


@pytest.mark.parametrize("processed", [False, True], ids=["before the server has it", "after it has it"])
@pytest.mark.parametrize("source", [_ASYNC, _SYNC], ids=["async", "sync"])
def test_a_process_killed_in_a_refresh_holds_up_no_other(
    source: str, processed: bool, start: Callable[[str], Process], emulator: Emulator, store: FileStore
) -> None:
    process = start(source)
    with emulator.faults.hold(REFRESH, after=processed) as hold:
        process.go()
        hold.wait_arrived_blocking(timeout=60)
        process.popen.kill()
        process.popen.wait()
        left = anyio.run(store.get, "k")
        assert left is not None
        assert left.attempt is not None
        with genauth_sync.AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
            session = client.session(None, store=store, key="k")
            if processed:
                with pytest.raises(SessionExpiredError) as caught:
                    session.access_token()
                assert caught.value.reason == "lost_answer"
            else:
                assert session.access_token() == session.tokens.access_token != left.tokens.access_token
        waited = time.time() - left.attempt.started_at
        assert waited >= left.attempt.seconds == 3
    assert emulator.requests[REFRESH] == 2
