"""Ctrl-C while the coroutine will not end: the caller waits for a limited time, a second Ctrl-C ends that."""

from __future__ import annotations

from functools import partial

import anyio

from genauth_sync import _call
from genauth_sync._bridge import bridge
from tests.sync.programs.say import say


async def stubborn(turn: int) -> None:
    try:
        say(turn, "running")
        await anyio.sleep_forever()
    finally:
        say(turn, "cleaning up")
        await anyio.sleep_forever()


for turn, seconds in enumerate((0.01, 3600.0), 1):
    _call.CLEANUP_SECONDS = seconds
    try:
        bridge.run(partial(stubborn, turn))
    except KeyboardInterrupt:
        say(turn, "interrupted")
