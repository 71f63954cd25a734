"""A task that ignores its cancellation does not hold up the exit, and leaves no warning behind."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc

atexit.register(gc.collect)  # before the import, so that it runs after the bridge's own, and finds what that dropped

from genauth_sync._bridge import Facade, bridge  # noqa: E402
from tests.sync.programs.say import say  # noqa: E402


class Client:
    async def aclose(self) -> None:
        say("client closed")


async def stubborn(started: asyncio.Event) -> None:
    started.set()
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


async def leave_behind() -> None:
    started = asyncio.Event()
    task = asyncio.create_task(stubborn(started))
    await started.wait()
    del task  # the loop knows it by what it waits for


client = Facade(Client())
bridge.run(leave_behind)
say("main ends")
