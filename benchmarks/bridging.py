"""The cost of a no-op call to another thread's event loop."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from time import perf_counter

from .lab import Lab, ratio
from .load import cost, repeated
from .worker import Measure


def compared(lab: Lab) -> None:
    """Compare genauth_sync's bridge to asyncio's run_coroutine_threadsafe."""
    ours, theirs = lab.start("bridging:ours"), lab.start("bridging:run_coroutine_threadsafe")
    seconds = lab.effort.seconds
    runners = {
        "genauth_sync's bridge": partial(ours.measure, seconds=seconds),
        "run_coroutine_threadsafe": partial(theirs.measure, seconds=seconds),
    }
    found = lab.take_turns("no-op coroutine", runners, "µs", 1e6)
    reached = ratio(found["genauth_sync's bridge"], found["run_coroutine_threadsafe"])
    lab.judge("sync bridge, no-op / run_coroutine_threadsafe().result()", reached, "at most", 1.0)


async def _nothing() -> None:
    pass


def ours() -> Measure:
    """Measure the bridge."""
    from genauth_sync._bridge import bridge

    return partial(cost, repeated(lambda: bridge.run(_nothing), perf_counter))


def run_coroutine_threadsafe() -> Measure:
    """Measure run_coroutine_threadsafe."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return partial(cost, repeated(lambda: asyncio.run_coroutine_threadsafe(_nothing(), loop).result(), perf_counter))
