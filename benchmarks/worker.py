"""Worker processes, one per measurement: they read requests from standard input and answer on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, cast

ROOT = Path(__file__).parent.parent
Measure: TypeAlias = Callable[..., Any]
"""A measurement, set by its keyword arguments. Arguments and result are JSON."""


class Worker:
    """A worker, from the side of the process that asks it."""

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


def environment() -> dict[str, str]:
    """Return the workers' environment: with compiled bytecode, and without proxies and CA certificates for requests."""
    left_out = {"PYTHONDONTWRITEBYTECODE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
    left_out |= {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}  # requests prefers these to its session's own
    return {name: value for name, value in os.environ.items() if name.upper() not in left_out}


def serve(name: str) -> None:
    """Answer lines of arguments until there are no more; then exit the process.

    Args:
        name: `module:function`; the function makes the Measure.
    """
    module, _, function = name.partition(":")
    measure: Measure = getattr(import_module(module), function)()
    for line in sys.stdin:
        print(json.dumps(measure(**json.loads(line))), flush=True)
    # Open connections and threads would warn at an orderly exit.
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
