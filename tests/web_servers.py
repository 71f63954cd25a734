"""Serves web applications on a socket that listens already, each in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn
from aiohttp import web


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.contextmanager
def serving_asgi(app: Any, listener: socket.socket, tls: ssl.SSLContext | None = None) -> Iterator[None]:
    config = uvicorn.Config(app, log_config=None, access_log=False)
    config.load()
    config.ssl = tls
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=[[listener]])
    thread.start()
    assert server.ready.wait(30)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def serving_aiohttp(app: web.Application, listener: socket.socket, tls: ssl.SSLContext | None = None) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(app, access_log=None)

    async def start() -> None:
        await runner.setup()
        await web.SockSite(runner, listener, ssl_context=tls).start()

    asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
