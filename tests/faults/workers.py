"""Workers, as the tests handle them: told to ask, stopped, killed."""

from __future__ import annotations

import os
import signal
from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from tests.faults.worker import STOPPED, TERMINATING, Answer, Plan, StopAt, main

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

_PATIENCE: Final = 30.0

# Forked from a process that has imported all and has no threads: a start takes milliseconds, not a second.
_IMPORTED: Final = (
    "tests.faults.worker",
    "anyio._backends._asyncio",
    "anyio._backends._trio",
    "filelock",
    "genauth_async.stores.redis",
    "genauth_async._http.carriers.aiohttp",
    "joserfc.jwt",
)


@cache
def _processes() -> ForkServerContext:
    # Not at the import, which has to succeed where there is no fork.
    context = get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTED))
    return context


class Worker:
    """A process of its own that has a session."""

    def __init__(self, plan: Plan) -> None:
        processes = _processes()
        self._connection, its_end = processes.Pipe()
        self._process = processes.Process(target=main, args=(its_end, plan), daemon=True)
        self._process.start()
        its_end.close()
        self.expect("ready")

    def send(self, command: str | StopAt) -> None:
        self._connection.send(command)

    def answer(self) -> Answer:
        received = self._received()
        assert isinstance(received, Answer), received
        return received

    def expect(self, word: str) -> None:
        received = self._received()
        assert received == word, received

    def ask(self, command: str = "ask") -> Answer:
        """Have the worker ask for a token, and return its answer."""
        self.send(command)
        return self.answer()

    def stopped(self) -> None:
        """Returns when it has come to where it was to stop."""
        self.expect(STOPPED)

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def terminate(self) -> None:
        """SIGTERM; returns when it has noticed."""
        self._process.terminate()
        self.expect(TERMINATING)

    def ended(self) -> int | None:
        """Its exit code, once it has ended by itself."""
        self._process.join(_PATIENCE)
        return self._process.exitcode

    def pause(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """End the process in any state."""
        self.kill()
        self._connection.close()

    def _received(self) -> object:
        assert self._connection.poll(_PATIENCE), "the worker says nothing"
        return self._connection.recv()
