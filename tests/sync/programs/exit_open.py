"""A program that closes nothing: a client, a generator, a task and a call of a daemon thread are left open."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import AsyncIterator

import anyio


def call_after_the_end() -> None:
    try:
        bridge.run(anyio.lowlevel.checkpoint)
    except SyncBridgeError as error:
        say("after the end:", error)


atexit.register(call_after_the_end)  # before the import, so that it runs after the bridge's own

from genauth_async.errors import SyncBridgeError  # noqa: E402
from genauth_sync._bridge import Facade, bridge  # noqa: E402
from tests.sync.programs.say import say  # noqa: E402


class Client:
    async def aclose(self) -> None:
        say("client closed")


class ClientThatFails:
    async def aclose(self) -> None:
        raise OSError("cannot be closed")


async def numbers() -> AsyncIterator[int]:
    try:
        yield 1
        yield 2
    finally:
        say("generator closed")


async def leave_open() -> None:
    async def endless() -> None:
        try:
            started.set()
            await anyio.sleep_forever()
        finally:
            say("task cancelled")

    started = asyncio.Event()
    kept.append(asyncio.create_task(endless()))
    await started.wait()
    generator = numbers()
    kept.append(generator)
    say("generator:", await anext(generator))


async def wait_in_a_thread() -> None:
    in_call.set()
    try:
        await anyio.sleep_forever()
    finally:
        say("call cancelled")


def daemon() -> None:
    bridge.run(wait_in_a_thread)
    say("not reached")


kept: list[object] = []
client = Facade(Client())
failing = Facade(ClientThatFails())
bridge.run(leave_open)
in_call = threading.Event()
threading.Thread(target=daemon, daemon=True).start()
in_call.wait()
say("main ends")
