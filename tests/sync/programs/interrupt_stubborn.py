"""Ctrl-C while the coroutine will not end: the caller waits for a limited time, a second Ctrl-C ends that."""

from __future__ import annotations

import anyio

from genauth_sync import _bridge
from genauth_sync._bridge import bridge


async def stubborn() -> None:
    try:
        print("running", flush=True)
        await anyio.sleep_forever()
    finally:
        print("cleaning up", flush=True)
        await anyio.sleep_forever()


for seconds in (0.01, 3600.0):
    _bridge.CLEANUP_SECONDS = seconds
    try:
        bridge.run(stubborn)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
