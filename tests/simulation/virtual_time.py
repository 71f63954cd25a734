"""Event loops whose time passes at once when all wait, and that do the same again for the same seed."""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import trio
import trio.testing

Main: TypeAlias = Callable[[], Awaitable[None]]


def run_on_trio(main: Main, seed: int) -> None:
    """Runs on trio, whose order of tasks is drawn from the seed."""
    scheduler: Any = trio._core._run
    before, state = scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r.getstate()
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True
    scheduler._r.seed(seed)
    try:
        with _garbage_kept():
            trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    finally:
        scheduler._ALLOW_DETERMINISTIC_SCHEDULING = before
        scheduler._r.setstate(state)


def run_on_asyncio(main: Main, seed: int) -> None:  # noqa: ARG001 - the order of asyncio's tasks is always the same
    """Runs on asyncio."""
    loop = _VirtualLoop()
    try:
        with _garbage_kept():
            loop.run_until_complete(_of(main))
    finally:
        loop.close()


RUNNERS: Final = {"trio": run_on_trio, "asyncio": run_on_asyncio}


async def _of(main: Main) -> None:
    await main()


@contextmanager
def _garbage_kept() -> Iterator[None]:
    # Sessions in reference cycles must not end at moments that depend on what ran before.
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_NeverWaiting(self._pass))

    def time(self) -> float:
        return self._now

    def _pass(self, seconds: float) -> None:
        self._now += seconds


class _NeverWaiting(selectors.DefaultSelector):
    def __init__(self, passed: Callable[[float], None]) -> None:
        super().__init__()
        self._passed = passed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("all tasks wait, and no timer is set")
        # At least so much that the sum is another number: what is nearly due would be so for ever, or, where the loop
        # takes it for due, be asked for again at the same moment.
        self._passed(max(timeout, 1e-6) if timeout > 0 else 1e-9)
        return super().select(0)
