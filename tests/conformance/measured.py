"""Run a case and print what it took: python -m tests.conformance.measured CASE WAY

As JSON: whether the outcome is the expected one, the peak of memory in MB above that before, and the longest time in ms
for which the event loop was held (processor time of its thread, so that a busy machine does not count).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import anyio
import anyio.lowlevel
from anyio.lowlevel import checkpoint

from tests.conformance.case import Case, expected, run
from tests.conformance.keep_alive import CASES as WARM_UP
from tests.conformance.table import CASES
from tests.conformance.ways import WAYS, Way


async def measure(case: Case, way: Way) -> None:
    await run(WARM_UP[0], way)  # imports, and what is cached
    held = 0.0

    async def tick() -> None:
        nonlocal held
        while True:
            began = time.thread_time()
            await checkpoint()
            held = max(held, time.thread_time() - began)

    right = False
    outcomes: tuple[str, ...] = ()
    before = _forget_peak()
    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        observed = await run(case, way)
        group.cancel_scope.cancel()
        right, outcomes = observed == expected(case, way, observed), observed.outcomes
    megabytes = (_memory("VmHWM") - before) // 1024
    print(json.dumps({"right": right, "outcomes": outcomes, "megabytes": megabytes, "held": round(held * 1000, 1)}))


def _forget_peak() -> int:
    """Have the kernel measure the peak anew; return the present memory."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(field: str) -> int:
    """Return a field of the kernel's report on this process, in KB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field + ":")))


if __name__ == "__main__":
    case = next(case for case in CASES if case.name == sys.argv[1])
    way = next(way for way in WAYS if str(way) == sys.argv[2])
    backend, options = way.backend
    anyio.run(measure, case, way, backend=backend, backend_options=options)
