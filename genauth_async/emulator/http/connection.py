"""Breaks the connection under a request, which ASGI has no way to ask for."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_TRANSPORT = "genauth_emulator_transport"
_websocket_log = logging.getLogger(f"{__name__}.websocket")
_websocket_log.setLevel(logging.ERROR)


class HTTPProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also tells the application the transport of each request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base class
        """Note the transport, where uvicorn copies each request's `scope["state"]` from."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}
        # Here, since uvicorn's setting would silence the access log of every other server in the process as well.
        self.access_log = False


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which logs failures only: it would log each handshake's URL, with the access token in it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = _websocket_log
        self.conn.debug = False

    async def send(self, message: Any) -> None:
        """Note that a refusal completes the handshake; uvicorn would take the application for a broken one."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True


async def abort_connection(scope: Scope, receive: Receive) -> None:
    """Break the connection, whatever has not been sent."""
    break_connection(scope)
    await _until_disconnected(receive)


def break_connection(scope: Scope) -> None:
    """The same, without waiting until the connection is gone."""
    _transport_of(scope).abort()


async def send_truncated(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Announce a body, send half of it, and hang up."""
    transport = _transport_of(scope)
    response.headers["content-length"] = str(max(len(response.body), 1))
    half = response.body[: len(response.body) // 2]
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": half, "more_body": True})
    transport.close()
    await _until_disconnected(receive)


def _transport_of(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport | None = scope.get("state", {}).get(_TRANSPORT)
    if transport is None:
        raise RuntimeError(
            "this fault breaks a connection, and the bare ASGI app has none: "
            "start the emulator (`with emulator:`) and send the request to its url"
        )
    return transport


async def _until_disconnected(receive: Receive) -> None:
    # uvicorn takes an application that returns without a reply for a broken one, unless the connection is gone.
    while (await receive())["type"] not in {"http.disconnect", "websocket.disconnect"}:
        pass
