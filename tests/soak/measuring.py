"""Resources that this process holds."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from pathlib import Path

from attrs import frozen


@frozen
class Held:
    """Numbers that have to be flat.

    Attributes:
        descriptors: open files and sockets; None where the system does not tell.
        threads: alive.
        tasks: of asyncio that are not done, those that it does not list included.
        blocks: of memory that Python's allocator has given out.
        resident: the memory of the process in MiB; None where the system does not tell.
    """

    descriptors: int | None
    threads: int
    tasks: int
    blocks: int
    resident: float | None


def held() -> Held:
    """Return the numbers now, after a collection of unreferenced objects."""
    gc.collect()
    tasks = sum(isinstance(each, asyncio.Task) and not each.done() for each in gc.get_objects())
    return Held(_descriptors(), threading.active_count(), tasks, sys.getallocatedblocks(), _resident())


def _descriptors() -> int | None:
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) - 1 if folder.is_dir() else None  # noqa: PTH208 - the listing's own is one of them


def _resident() -> float | None:
    file = Path("/proc/self/statm")
    if not file.is_file():
        return None
    return int(file.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
