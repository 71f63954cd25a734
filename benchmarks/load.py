"""Call rates: by sequential calls, by many tasks, by many threads."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time

_WARM_UP = 100


async def rate(call: Callable[[], Awaitable[object]], at_once: int, seconds: float) -> float:
    """Return the calls per second of that many concurrent tasks."""
    done = 0

    async def caller() -> None:
        nonlocal done
        while True:
            await call()
            done += 1
            if perf_counter() > end:
                return

    # Idle connections have expired; opening new ones is not part of the measurement.
    await asyncio.gather(*(call() for _ in range(min(at_once, _WARM_UP))))
    gc.collect()
    start = perf_counter()
    end = start + seconds
    await asyncio.gather(*(caller() for _ in range(at_once)))
    return done / (perf_counter() - start)


def thread_rate(call: Callable[[], object], threads: int, seconds: float) -> float:
    """Return the calls per second of that many threads."""
    counts = [0] * threads
    errors: list[BaseException] = []

    def caller(index: int) -> None:
        try:
            while not counts[index] or perf_counter() < end:
                call()
                counts[index] += 1
        except BaseException as error:  # noqa: BLE001 - raised once the threads are joined
            errors.append(error)

    call()
    gc.collect()
    start = perf_counter()
    end = start + seconds
    callers = [threading.Thread(target=caller, args=(index,)) for index in range(threads)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    if errors:
        raise errors[0]
    return sum(counts) / (perf_counter() - start)


def sequential_rate(call: Callable[[], object], seconds: float) -> float:
    """Return the calls per second, one after another."""
    call()
    gc.collect()
    done, start = 0, perf_counter()
    end = start + seconds
    while not done or perf_counter() < end:
        call()
        done += 1
    return done / (perf_counter() - start)


def cost(run: Callable[[int], float], seconds: float) -> float:
    """Return the seconds of one short operation.

    Args:
        run: repeats the operation that many times and returns the seconds taken: of processor time if it does not wait,
            since that does not depend on the machine's other load.
        seconds: about how long to measure.
    """
    times = 1
    gc.collect()
    while (taken := run(times)) < seconds / 8:
        times *= 2
    # The fastest run is the least disturbed one.
    return min(taken, *(run(times) for _ in range(3))) / times


def repeated(call: Callable[[], object], clock: Callable[[], float] = process_time) -> Callable[[int], float]:
    """Return a function that repeats the call and returns the seconds taken, for `cost`."""

    def run(times: int) -> float:
        start = clock()
        for _ in range(times):
            call()
        return clock() - start

    return run
