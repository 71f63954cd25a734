"""Breaking the connection of a request, for which ASGI has no message."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

TRANSPORT_KEY = "genauth_emulator_transport"


async def abort_connection(scope: Scope, receive: Receive) -> None:
    """Break the connection at once, and wait until it is gone."""
    break_connection(scope)
    await _until_disconnected(receive)


def break_connection(scope: Scope) -> None:
    """Break the connection at once."""
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
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT_KEY)
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
