"""SystemExit and KeyboardInterrupt inside a coroutine reach the caller; the loop lives on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import anyio

from genauth_sync._bridge import bridge
from tests.sync.programs.say import say


async def leave(error: BaseException) -> None:
    await anyio.lowlevel.checkpoint()
    raise error


async def leave_by_a_task(error: BaseException) -> None:
    await asyncio.create_task(leave(error))


async def thread() -> int:
    return threading.get_ident()


def call(make: Callable[[BaseException], Coroutine[Any, Any, None]], error: BaseException) -> None:
    try:
        bridge.run(lambda: make(error))
    except (SystemExit, KeyboardInterrupt) as caught:
        say(make.__name__, repr(caught))


before = bridge.run(thread)
call(leave, SystemExit(3))
call(leave, KeyboardInterrupt("from within"))
call(leave_by_a_task, SystemExit(3))
call(leave_by_a_task, KeyboardInterrupt("from within"))
say("same thread:", bridge.run(thread) == before)
bridge.run(lambda: leave(SystemExit(7)))
