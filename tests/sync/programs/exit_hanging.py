"""A worker thread that hangs, given as the argument, does not hold up the exit."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

HANGS = sys.argv[1]
if HANGS == "name lookup by httpcore":
    sys.modules["aiohttp"] = None  # type: ignore[assignment]

from genauth_async.stores import FileStore  # noqa: E402
from genauth_sync import AuthenticationClient  # noqa: E402
from genauth_sync._bridge import awaitable, bridge  # noqa: E402
from tests.sync.programs.say import say  # noqa: E402

HOST = "https://sign-in.test"


def hang(*_: object, **__: object) -> None:
    hanging.set()
    time.sleep(3600)


def hang_instead(owner: object, name: str) -> None:
    setattr(owner, name, hang)


def ask() -> None:
    AuthenticationClient("app", HOST, "secret", timeout=1).get_system_info()


async def look_up_an_address() -> None:
    async with asyncio.timeout(0.1):
        await asyncio.get_running_loop().getnameinfo(("192.0.2.1", 443))


async def call_in_a_thread() -> None:
    async with asyncio.timeout(0.1):
        await asyncio.to_thread(hang)


async def call_back() -> None:
    async with asyncio.timeout(0.1):
        await awaitable(hang)(0)


async def read_the_store() -> None:
    await FileStore(Path(), accepts_clear=True).get("key")


def in_a_thread(call: Callable[[], object]) -> None:
    threading.Thread(target=call, daemon=True).start()
    hanging.wait()


hanging = threading.Event()
while not hanging.is_set():  # on a busy machine the time may be over before
    with contextlib.suppress(TimeoutError):
        match HANGS:
            case "name lookup by aiohttp" | "name lookup by httpcore":
                hang_instead(socket, "getaddrinfo")
                ask()
            case "TLS context":
                hang_instead(ssl, "create_default_context")
                in_a_thread(ask)
            case "address lookup":
                hang_instead(socket, "getnameinfo")
                bridge.run(look_up_an_address)
            case "asyncio.to_thread":
                bridge.run(call_in_a_thread)
            case "callback":
                bridge.run(call_back)
            case "FileStore":
                hang_instead(FileStore, "_get")
                in_a_thread(lambda: bridge.run(read_the_store))
say("hangs:", hanging.is_set())
