"""Clearing of traceback frames."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

import genauth_sync
from genauth_async import AuthenticationClient, ConnectionFailedError, GenAuthError, InvalidCredentialsError, TokenSet
from genauth_async.api import _base
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient

pytestmark = pytest.mark.anyio


async def test_a_callers_task_survives_an_error_that_it_forwarded(
    emulator: Emulator, client: AuthenticationClient, user: User
) -> None:
    jobs: asyncio.Queue[asyncio.Future[str]] = asyncio.Queue()
    outcomes: Iterator[ZeroDivisionError | str] = iter([ZeroDivisionError("the first"), "the second does not"])

    async def worker() -> None:
        while True:
            job = await jobs.get()
            try:
                outcome = next(outcomes)
                if isinstance(outcome, ZeroDivisionError):
                    raise outcome
                job.set_result(outcome)
            except ZeroDivisionError as error:
                job.set_exception(error)

    async def ask() -> str:
        job: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        jobs.put_nowait(job)
        return await job

    async def on_tokens(_: TokenSet) -> None:
        await ask()

    working = asyncio.create_task(worker())
    session = client.session(emulator.issue_tokens(user), on_tokens=on_tokens)
    with pytest.raises((ZeroDivisionError, GenAuthError)):
        await session.refresh()
    # The worker waits for its next job, though its frame was in the traceback.
    assert await asyncio.wait_for(ask(), 5) == "the second does not"
    working.cancel()


def places(error: BaseException) -> list[tuple[str, str]]:
    """Return the file and function of each frame, from the caller's down."""
    return [(Path(frame.filename).name, frame.name) for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.usefixtures("user")
async def test_a_traceback_ends_at_the_public_method(client: AuthenticationClient) -> None:
    here, method = "test_tracebacks.py", ("signin.py", "sign_in_by_account_password")
    for options in (None, {"passwordEncryptType": "rsa"}):
        with pytest.raises(InvalidCredentialsError) as caught:
            await client.sign_in_by_account_password("ada", "wrong", options)
        assert places(caught.value) == [(here, "test_a_traceback_ends_at_the_public_method"), method]
    with pytest.raises(GenAuthError) as refused:
        await client.sign_in_by_account_password("ada", 5)  # type: ignore[arg-type]
    assert places(refused.value)[1:] == [method]


@pytest.mark.usefixtures("user")
def test_a_blocking_traceback_ends_there_too(emulator: Emulator) -> None:
    client = genauth_sync.AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
    with pytest.raises(InvalidCredentialsError) as caught:
        client.sign_in_by_account_password("ada", "wrong")
    client.close()
    assert places(caught.value)[1:] == [("signin.py", "sign_in_by_account_password")]
    assert "genauth_sync" in traceback.extract_tb(caught.value.__traceback__)[-1].filename
    with pytest.raises(GenAuthError) as refused:
        genauth_sync.AuthenticationClient("", emulator.url, "s" * 32)
    assert not places(refused.value)[1:]  # a statement of many lines


async def test_causes_lose_the_libraries_frames(make_client: MakeClient, free_port: int) -> None:
    client = make_client(f"http://127.0.0.1:{free_port}")
    with pytest.raises(ConnectionFailedError) as caught:
        await client.get_system_info()
    link: BaseException | None = caught.value.__cause__
    assert link is not None
    while link is not None:
        assert places(link) == []
        link = link.__cause__ or link.__context__
    assert len("".join(traceback.format_exception(caught.value)).splitlines()) < 25


async def test_frames_of_the_caller_below_ours_stay(
    emulator: Emulator, client: AuthenticationClient, user: User
) -> None:
    def own_work() -> None:
        raise GenAuthError("the caller's own")

    def on_tokens(_: TokenSet) -> None:
        own_work()

    session = client.session(emulator.issue_tokens(user), on_tokens=on_tokens)
    with pytest.raises(GenAuthError, match="own") as caught:
        await session.refresh()
    names = [name for _, name in places(caught.value)]
    assert names == ["test_frames_of_the_caller_below_ours_stay", "refresh", "on_tokens", "own_work"]


async def test_a_fault_of_ours_shows_its_frames(client: AuthenticationClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(_base, "read_envelope", broken)
    with pytest.raises(ZeroDivisionError) as caught:
        await client.get_system_info()
    assert {("_base.py", "_call"), ("_base.py", "_ask")} <= {*places(caught.value)}


PROGRAM = """
import sys
from genauth_sync import AuthenticationClient, GenAuthError
import traceback
try:
    AuthenticationClient("a", sys.argv[1], "s" * 32).get_system_info()
except GenAuthError as error:
    print(len(traceback.extract_tb(error.__traceback__)))
"""


@pytest.mark.parametrize(("options", "is_whole"), [([], False), (["-X", "dev"], True)])
def test_the_development_mode_shows_all_frames(options: list[str], is_whole: bool, free_port: int) -> None:
    command = [sys.executable, *options, "-c", PROGRAM, f"http://127.0.0.1:{free_port}"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert (int(shown) > 5) is is_whole
    assert is_whole or int(shown) == 2


NOTEBOOK = """
import contextlib, io, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="nocolor")
shell.user_ns["given"] = sys.argv[1:]
face, cell = sys.argv[4:6]
def run(cell):
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        shell.run_cell(cell)
    return shown.getvalue()
print(run(f"from {face} import AuthenticationClient; client = AuthenticationClient(*given[:3])"), end="")
print(run(cell))
run("client.close()" if "sync" in face else "await client.aclose()")
"""


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(
    ("face", "cell"),
    [
        ("genauth_sync", "client.sign_in_by_account_password('ada', 'wrong')"),
        ("genauth_async", "await client.sign_in_by_account_password('ada', 'wrong')"),
        ("genauth_sync", "client.sign_in_by_credentials('PASSWORD', {'account': 'ada', 'password': 'wrong'})"),
        ("genauth_async", "await client.get_profile(access_token='stale')"),
    ],
)
def test_an_error_is_short_in_a_notebook(face: str, cell: str, emulator: Emulator) -> None:
    app = (emulator.app_id, emulator.url, emulator.app_secret)
    command = [sys.executable, "-c", NOTEBOOK, *app, face, cell]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert "statusCode" in shown
    assert "Traceback" in shown
    assert len(shown.splitlines()) < 25, shown
