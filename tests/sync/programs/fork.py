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


def hold_the_lock() -> None:
    with bridge._lock:
        locked.set()
        forked.wait()


release, readable = anyio.Event(), anyio.Event()
started, locked, forked = threading.Event(), threading.Event(), threading.Event()
near, far = socket.socketpair()
bridge.run(watch)
before = bridge.run(loop_thread)
parent_loop = bridge._loop
assert parent_loop is not None
caller = threading.Thread(target=call)
caller.start()
started.wait()
holder = threading.Thread(target=hold_the_lock)
holder.start()
locked.wait()

child = os.fork()
if child == 0:
    say("child: answer", bridge.run(loop_thread) == bridge.run(loop_thread))
    say("child: fresh loop", bridge._loop is not parent_loop)
    parent_loop.remove_reader(near)  # as a connection does that the child drops
    near.close()
    far.close()
    sys.exit(5)
forked.set()
holder.join()
say("child's status:", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
bridge.run(hear)
say("parent: hears")
bridge.run(let_go)
caller.join()
say("parent: same loop", bridge.run(loop_thread) == before and bridge._loop is parent_loop)
near.close()
far.close()
