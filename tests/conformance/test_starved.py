"""Calls of a process that has no file descriptors, or no threads, left; and that they work again afterwards."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conformance.servers import Server, answer, answers
from tests.conformance.ways import TESTED, Way

_FAILED = "ConnectionFailedError sent=False: no connection: "
_DESCRIPTORS = f"{_FAILED}Too many open files"
_THREADS = f"{_FAILED}can't start new thread"
_ANSWERED = '200 "a"'


@pytest.mark.slow
@pytest.mark.parametrize("on", TESTED, ids=str)
@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "closed"])
@pytest.mark.parametrize("what", ["descriptors", "threads"])
def test_without(what: str, is_kept: bool, on: Way) -> None:
    reply = answer() if is_kept else answer("a", "Connection: close")
    with Server(answers(reply)) as server:
        program = [sys.executable, "-W", "error", "-m", "tests.conformance.starved", what, str(on), str(server.port)]
        done = subprocess.run(program, capture_output=True, check=True, timeout=60, text=True)
    assert done.stderr == ""
    first, again, kept, new, last = json.loads(done.stdout)
    assert first == {"descriptors": _DESCRIPTORS, "threads": _THREADS}[what]
    assert again == last == _ANSWERED
    if what == "descriptors":
        # With a kept connection there is room: it gives way to the new one of the single-use request.
        assert kept == new == (_ANSWERED if is_kept else _DESCRIPTORS)
    else:
        assert kept == new == _ANSWERED  # by the thread that resolves names
