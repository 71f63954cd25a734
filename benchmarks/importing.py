"""Processor time of imports, in fresh interpreters with compiled bytecode."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import Final

from .lab import Lab, ratio
from .worker import ROOT, environment

_YARDSTICK: Final = "httpx"
_TURNS: Final = 15


def compared(lab: Lab) -> None:
    """Compare the two packages' imports to httpx's."""
    names = ("genauth_async", "genauth_sync", _YARDSTICK)
    for name in names:
        _seconds_to_import(name)  # compiles the bytecode
    found = lab.with_turns(_TURNS).take_turns(
        "import", {name: partial(_seconds_to_import, name) for name in names}, "ms", 1e3
    )
    for name in names[:2]:
        lab.judge(f"import {name} / import httpx", ratio(found[name], found[_YARDSTICK]), "at most", 1.25)


def _seconds_to_import(name: str) -> float:
    program = f"from time import process_time as now; start = now(); import {name}; print(now() - start)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True, text=True)  # noqa: S603
    return float(done.stdout)
