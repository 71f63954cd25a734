"""A process of its own for whatever is measured: asked by lines on standard input, it answers on standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

Measure: TypeAlias = Callable[..., Any]
"""Measures something, as its keyword arguments say. Arguments and answer are JSON."""


def serve(name: str) -> None:
    """Answers lines of arguments until there are no more; that is the end of the process.

    Args:
        name: `module:function`; the function makes the Measure.
    """
    module, _, function = name.partition(":")
    measure: Measure = getattr(import_module(module), function)()
    for line in sys.stdin:
        print(json.dumps(measure(**json.loads(line))), flush=True)
    # Open connections and threads are of no more use to anyone, and would complain of an orderly end.
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
