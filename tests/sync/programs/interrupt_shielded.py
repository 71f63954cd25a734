"""Ctrl-C while the coroutine does what must not be cut short: that is finished first."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import anyio

from genauth_async._core.shielding import run_shielded
from genauth_sync import _call
from genauth_sync._bridge import bridge
from tests.sync.programs.say import say


def on_interrupt(_number: int, _frame: FrameType | None) -> None:
    say("signal")
    raise KeyboardInterrupt


async def rotate() -> None:
    say("sent")
    await anyio.to_thread.run_sync(sys.stdin.readline)
    say("stored")


async def refresh() -> None:
    await run_shielded(rotate)
    say("not reached")


_call.CLEANUP_SECONDS = 30.0  # for a busy machine
signal.signal(signal.SIGINT, on_interrupt)
try:
    bridge.run(refresh)
except KeyboardInterrupt:
    say("interrupted")
