"""Runs the programs of tests/node, which answer for JavaScript libraries that we did not write."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parent / "node"
_INSTALL_SECONDS = 120


class NodeWorker:
    """One Node process for many requests, since each start costs more than hundreds of requests."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, operation: str, **arguments: object) -> str:
        """The answer to one request, a text.

        Raises:
            RuntimeError: the library refused; the message is the library's.
        """
        result = self.ask(operation, **arguments)
        assert isinstance(result, str), f"{operation} gave {result!r}"
        return result

    def ask(self, operation: str, **arguments: object) -> Any:
        """The answer to one request, whatever it is."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"operation": operation, **arguments}) + "\n")
        stdin.flush()
        line = stdout.readline()
        assert line, "Node.js has ended; why, it wrote to stderr"
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer.get("ok")


@contextmanager
def node_worker(program: str = "crypto.js") -> Iterator[NodeWorker]:
    """A worker for the length of a `with`; skips the test where Node or the libraries cannot be had."""
    node = shutil.which("node")
    if node is None:
        pytest.skip(f"Node.js is not installed, so what {program} uses was not tried")
    obstacle = None if _is_installed() else _install()
    if obstacle is not None:
        pytest.skip(f"what {program} uses was not tried: {obstacle}")
    with subprocess.Popen(
        [node, str(_FOLDER / program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        yield NodeWorker(process)


def _is_installed() -> bool:
    wanted = json.loads((_FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return all(_installed_version(name) == version for name, version in wanted.items())


def _installed_version(name: str) -> str | None:
    manifest = _FOLDER / "node_modules" / name / "package.json"
    if not manifest.is_file():
        return None
    version = json.loads(manifest.read_text(encoding="utf-8"))["version"]
    return str(version)


@functools.cache
def _install() -> str | None:
    """Run npm install; the reason if it cannot be done, else None."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    command = [npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        run = subprocess.run(
            command, cwd=_FOLDER, capture_output=True, encoding="utf-8", timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm install took more than {_INSTALL_SECONDS} seconds"
    return None if run.returncode == 0 else f"npm install failed: {run.stderr.strip()[-500:]}"
