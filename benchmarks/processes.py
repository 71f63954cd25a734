"""Worker processes, from the side of the process that asks them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from attrs import field, frozen

ROOT = Path(__file__).parent.parent


class Worker:
    """One process; see `benchmarks.worker`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-W", "ignore", "-m", "benchmarks.worker", name],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **arguments: object) -> Any:
        """Return the worker's answer.

        Raises:
            RuntimeError: the worker exited instead.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101, PT018 - both are pipes
        stdin.write(json.dumps(arguments) + "\n")
        stdin.flush()
        if line := stdout.readline():
            return json.loads(line)
        raise RuntimeError(f"{self._name} exited with {self._process.wait()}; its error is above")

    def measure(self, **arguments: object) -> float:
        """Return the worker's answer as a number."""
        return cast("float", self.ask(**arguments))

    def close(self) -> None:
        """Stop the process and wait for its end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@frozen
class Workers:
    """The workers of one benchmark."""

    _stack: ExitStack = field(factory=ExitStack)

    def start(self, name: str) -> Worker:
        """Start a worker."""
        worker = Worker(name)
        self._stack.callback(worker.close)
        return worker

    def close(self) -> None:
        """Stop all workers."""
        self._stack.close()


def environment() -> dict[str, str]:
    """Return the workers' environment: with compiled bytecode, and without proxies."""
    left_out = {"PYTHONDONTWRITEBYTECODE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
    return {name: value for name, value in os.environ.items() if name.upper() not in left_out}
