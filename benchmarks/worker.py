"""A process for one measurement: it reads requests from standard input and answers on standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

Measure: TypeAlias = Callable[..., Any]
"""A measurement, set by its keyword arguments. Arguments and result are JSON."""


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
