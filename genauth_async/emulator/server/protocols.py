"""uvicorn's protocols, which also pass the transport to the application and do not log requests."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ..http.connection import TRANSPORT_KEY

_websocket_log = logging.getLogger(f"{__name__}.websocket")
_websocket_log.setLevel(logging.ERROR)


class HTTPProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also passes the transport of each request to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base class
        """Note the transport, where uvicorn copies each request's `scope["state"]` from."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT_KEY: transport}
        # Here, since uvicorn's setting would silence the access log of every other server in the process as well.
        self.access_log = False


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which logs failures only: the URL of a handshake has the access token in it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = _websocket_log
        self.conn.debug = False

    async def send(self, message: Any) -> None:
        """Note that a refusal completes the handshake; otherwise uvicorn reports a broken application."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True
