"""Ctrl-C during a call: the coroutine is cancelled and cleans up before the caller goes on."""

from __future__ import annotations

import anyio

from genauth_sync._bridge import bridge


async def endless() -> None:
    try:
        print("running", flush=True)
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class():
        print("cancelled")
        raise
    finally:
        await anyio.lowlevel.checkpoint()
        print("cleaned up")


async def answer() -> int:
    return 42


try:
    bridge.run(endless)
except KeyboardInterrupt:
    print("interrupted")
print("second call:", bridge.run(answer))
