"""Ctrl-C during a call: the coroutine is cancelled and cleans up before the caller goes on."""

from __future__ import annotations

import anyio

from genauth_sync import _call
from genauth_sync._bridge import bridge
from tests.sync.programs.say import say


async def endless() -> None:
    try:
        say("running")
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class():
        say("cancelled")
        raise
    finally:
        await anyio.lowlevel.checkpoint()
        say("cleaned up")


async def answer() -> int:
    return 42


_call.CLEANUP_SECONDS = 30.0  # for a busy machine
try:
    bridge.run(endless)
except KeyboardInterrupt:
    say("interrupted")
say("second call:", bridge.run(answer))
