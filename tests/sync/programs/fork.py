"""fork: the child has a loop of its own; the parent's, and the call in flight there, go on."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading

import anyio

from genauth_sync._bridge import bridge
from tests.sync.programs.say import say


async def loop_thread() -> int:
    return threading.get_ident()


async def running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


async def watch() -> None:
    asyncio.get_running_loop().add_reader(near, readable.set)


async def hear() -> None:
    far.send(b"!")
    await readable.wait()
    asyncio.get_running_loop().remove_reader(near)


async def in_flight() -> str:
    started.set()
    await release.wait()
    return "answered"


async def let_go() -> None:
    release.set()


def call() -> None:
    say("call in flight:", bridge.run(in_flight))


release, readable = anyio.Event(), anyio.Event()
started = threading.Event()
near, far = socket.socketpair()
bridge.run(watch)
before = bridge.run(loop_thread)
parent_loop = bridge.run(running_loop)
caller = threading.Thread(target=call)
caller.start()
started.wait()

child = os.fork()
if child == 0:
    say("child: answer", bridge.run(loop_thread) == bridge.run(loop_thread))
    say("child: fresh loop", bridge.run(running_loop) is not parent_loop)
    parent_loop.remove_reader(near)  # as a connection does that the child drops
    near.close()
    far.close()
    sys.exit(5)
say("child's status:", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
bridge.run(hear)
say("parent: hears")
bridge.run(let_go)
caller.join()
say("parent: same loop", bridge.run(loop_thread) == before and bridge.run(running_loop) is parent_loop)
near.close()
far.close()
