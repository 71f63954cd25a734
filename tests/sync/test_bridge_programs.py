"""Signals, fork and exit with the private event loop: seen from outside, by running programs/."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from genauth_async import FileStore
from genauth_async.emulator import Emulator, Hold
from genauth_sync import AuthenticationClient

PROGRAMS = Path(__file__).parent / "programs"
SLOW_STEP = re.compile(r"^Executing <(?:Task|Handle|TimerHandle) .*> took \d+\.\d{3} seconds\n", re.MULTILINE)
SECONDS = 30  # for a program that hangs; none needs more than one or two


class Program:
    """A program of programs/, run with every warning an error."""

    def __init__(self, name: str, *arguments: str) -> None:
        command = [sys.executable, "-X", "dev", "-W", "error", str(PROGRAMS / name), *arguments]
        root = str(Path(__file__).parents[2])
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": root},
        )
        self.lines: list[str] = []
        self.watchdog = threading.Timer(SECONDS, self.process.kill)
        self.watchdog.start()

    def read_until(self, line: str) -> None:
        assert self.process.stdout is not None
        while line not in self.lines:
            read = self.process.stdout.readline()
            assert read, f"the program ended before {line!r}, after {self.lines}: {self.process.communicate()}"
            self.lines.append(read.rstrip("\n"))

    def write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def finish(self, text: str = "", *, status: int = 0) -> list[str]:
        out, err = self.process.communicate(text)
        self.watchdog.cancel()
        # On a busy machine any step may be slow, which asyncio's debug mode logs.
        assert SLOW_STEP.sub("", err) == ""
        assert self.process.returncode == status
        return [*self.lines, *out.splitlines()]


needs_posix_signals = pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to another process")
needs_threads_at_exit = pytest.mark.skipif(
    (3, 12) <= sys.version_info < (3, 12, 2), reason="these versions start no thread once the main thread has ended"
)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@needs_posix_signals
def test_ctrl_c_cancels_the_call_and_waits_for_its_cleanup() -> None:
    program = Program("interrupt.py")
    program.read_until("running")
    program.interrupt()
    assert program.finish() == ["running", "cancelled", "cleaned up", "interrupted", "second call: 42"]


@needs_posix_signals
def test_ctrl_c_lets_the_coroutine_finish_what_it_shields() -> None:
    program = Program("interrupt_shielded.py")
    program.read_until("sent")
    program.interrupt()
    program.read_until("signal")
    assert program.finish("go on\n") == ["sent", "signal", "stored", "interrupted"]


@needs_posix_signals
def test_ctrl_c_does_not_wait_for_ever() -> None:
    program = Program("interrupt_stubborn.py")
    program.read_until("1 running")
    program.interrupt()
    program.read_until("2 running")  # the caller did not wait for the other thread
    program.interrupt()
    program.read_until("2 cleaning up")
    program.interrupt()  # does not wait for the cleanup
    lines = program.finish()
    assert sorted(lines) == [f"{turn} {what}" for turn in (1, 2) for what in ("cleaning up", "interrupted", "running")]
    assert lines.index("1 interrupted") < lines.index("2 running")


def test_system_exit_reaches_the_caller_and_spares_the_loop() -> None:
    assert Program("system_exit.py").finish(status=7) == [
        "leave SystemExit(3)",
        "leave KeyboardInterrupt('from within')",
        "leave_by_a_task SystemExit(3)",
        "leave_by_a_task KeyboardInterrupt('from within')",
        "same thread: True",
    ]


def test_exit_without_close() -> None:
    lines = Program("exit_open.py").finish()
    assert lines[:2] == ["generator: 1", "main ends"]
    assert sorted(lines[2:4]) == ["call cancelled", "task cancelled"]
    assert lines[4:] == [
        "client closed",
        "generator closed",
        "after the end: genauth_sync must not be called while the interpreter exits",
    ]


def test_exit_with_a_task_that_does_not_end() -> None:
    assert Program("exit_stubborn.py").finish() == ["main ends", "client closed"]


@pytest.mark.parametrize(
    "work",
    [
        "name lookup by aiohttp",
        "name lookup by httpcore",
        "TLS context",
        "address lookup",
        "asyncio.to_thread",
        "callback",
        "FileStore",
    ],
)
def test_exit_while_a_worker_thread_hangs(work: str) -> None:
    assert Program("exit_hanging.py", work).finish()[-1] == "hangs: True"


def test_importing_starts_no_thread() -> None:
    assert Program("exit_unused.py").finish() == ["threads: 1 genauth_sync._bridge"]


@needs_fork
def test_fork_while_a_call_is_in_flight() -> None:
    assert Program("fork.py").finish() == [
        "child: answer True",
        "child: fresh loop True",
        "child's status: 5",
        "parent: hears",
        "call in flight: answered",
        "parent: same loop True",
    ]


def test_in_a_thread_with_a_running_loop_it_works_and_warns_once() -> None:
    assert Program("running_loop.py").finish() == [
        "first: 42",
        "second: 42",
        'RuntimeWarning at: say("first:", blocking.answer())  # the caller\'s line',
    ]


def test_in_ipython_it_works_without_a_warning() -> None:
    assert Program("running_loop.py", "ipython").finish() == ["first: 42", "second: 42"]


def test_a_dropped_client_is_closed_before_the_program_ends() -> None:
    with Emulator() as emulator:
        emulator.add_user(username="test", password="passw0rd")
        program = Program("dropped.py", emulator.url, emulator.app_id, emulator.app_secret)
        assert program.finish() == ["refreshed: True", "another: True"]


@needs_fork
def test_a_client_survives_a_fork_in_both_processes() -> None:
    with Emulator() as emulator:
        emulator.add_user(username="test", password="passw0rd")
        program = Program("fork_client.py", emulator.url, emulator.app_id, emulator.app_secret)
        assert program.finish() == [
            "before: refreshed True",
            "child: refreshed True",
            "child exited with 0",
            "parent: refreshed True",
        ]


@pytest.mark.parametrize(
    "what",
    ["calls", "calls with a handler of errors", "clients", "a stream", "events", "a call", "a shielded call"],
)
def test_daemon_threads_print_nothing_at_exit(what: str) -> None:
    assert exit_with_daemons(what) == ["main ends"]


@pytest.mark.parametrize("what", ["a late call", "a late client"])
def test_a_daemon_thread_that_the_exit_waits_for_ends(what: str) -> None:
    assert exit_with_daemons(what) == ["main ends", "joined"]


def exit_with_daemons(what: str) -> list[str]:
    with Emulator() as emulator:
        emulator.add_user(username="test", password="passw0rd")
        arguments = what, emulator.url, emulator.websocket_url, emulator.app_id, emulator.app_secret
        return Program("exit_daemons.py", *arguments).finish()


@pytest.mark.skipif(sys.platform != "linux", reason="needs memfd_create and /proc")
def test_a_fork_leaves_the_applications_files_alone() -> None:
    assert Program("fork_files.py").finish() == [
        *["SyncBridgeError"] * 3,
        "child: of the application",
        "child: {'memfd:other'}",
    ]


@pytest.mark.parametrize(
    ("when", "lines"),
    [
        ("at exit", ["main ends", *["refreshed: True"] * 4]),
        ("first use at exit", ["main ends", *["refreshed: True"] * 4]),
        pytest.param("first call at exit", ["refreshed: True"], marks=needs_threads_at_exit),
    ],
)
def test_a_file_store_is_used_at_exit(when: str, lines: list[str], tmp_path: Path) -> None:
    with Emulator() as emulator:
        emulator.add_user(username="test", password="passw0rd")
        program = Program("exit_store.py", when, str(tmp_path), emulator.url, emulator.app_id, emulator.app_secret)
        assert program.finish() == lines


def test_refreshes_under_way_at_exit_are_stored(tmp_path: Path) -> None:
    hold = Hold()
    with Emulator() as emulator:
        emulator.add_user(username="test", password="passw0rd")
        of_client = emulator.app_id, emulator.url, emulator.app_secret
        emulator.faults.add("/oidc/token", hold_reply=hold, times=4)
        program = Program(
            "exit_store.py", "in flight", str(tmp_path), emulator.url, emulator.app_id, emulator.app_secret
        )
        hold.wait_arrived_blocking(4, timeout=SECONDS)
        program.write("end\n")
        program.read_until("main ends")
        hold.release()
        assert program.finish() == ["main ends"]
        with AuthenticationClient(*of_client) as client:
            for number in range(4):
                session = client.session(None, store=FileStore(tmp_path, accepts_clear=True), key=f"user {number}")
                assert session.refresh().access_token  # the emulator accepts a refresh token once only
