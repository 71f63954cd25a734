"""The target server of sign-ins: it does as little as possible, so that the clients are measured."""

from __future__ import annotations

import asyncio
import ssl
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import cast

import httptools
import trustme
import uvloop

from .answers import ACCOUNT, APP_ID, APP_SECRET, PASSWORD, answers
from .worker import Measure

_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


class _Connection(asyncio.Protocol):
    """HTTP/1.1, kept alive, with canned replies."""

    def __init__(self, replies: dict[bytes, bytes]) -> None:
        self._replies = replies
        self._target = b""
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass, but has the same methods

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        """Start a request."""
        self._target = b""

    def on_url(self, url: bytes) -> None:
        """Append a part of the request's target."""
        self._target += url

    def on_message_complete(self) -> None:
        """Answer the complete request."""
        self._transport.write(self._replies.get(self._target, _NOT_FOUND))
        if not self._parser.should_keep_alive():
            self._transport.close()


def target() -> Measure:
    """Serve HTTP and TLS; return the addresses, and a client's credentials."""

    def ask(folder: str) -> dict[str, str]:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(Path(folder) / "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        ports: Future[list[int]] = Future()
        threading.Thread(target=lambda: uvloop.run(_serve(context, ports)), daemon=True).start()
        plain, secure = ports.result()
        return {
            "http": f"http://127.0.0.1:{plain}",
            "https": f"https://127.0.0.1:{secure}",
            "ca": str(Path(folder) / "ca.pem"),
            "app_id": APP_ID,
            "app_secret": APP_SECRET,
            "account": ACCOUNT,
            "password": PASSWORD,
        }

    return ask


async def _serve(context: ssl.SSLContext, ports: Future[list[int]]) -> None:
    replies: dict[bytes, bytes] = {}
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(lambda: _Connection(replies), "127.0.0.1", 0, backlog=2048, ssl=tls)
        for tls in (None, context)
    ]
    plain, secure = (server.sockets[0].getsockname()[1] for server in servers)
    replies |= {path: _reply(body) for path, body in answers(f"https://127.0.0.1:{secure}").items()}
    ports.set_result([plain, secure])
    await asyncio.Event().wait()


def _reply(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body
