"""WebSocket handshakes, and the faults that happen to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from ..endpoints.events import SUBSCRIPTION_PATH, subscribe
from ..http.connection import abort_connection
from ..http.faults import Fault
from ..http.replies import error_response
from ..state.errors import ApiError, ReplyError
from ..state.state import State

_HANDLERS: Mapping[str, Callable[[State, WebSocket], Awaitable[None]]] = {SUBSCRIPTION_PATH: subscribe}


async def serve_websocket(state: State, fault: Fault | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection from its handshake to its end."""
    socket = WebSocket(scope, receive, send)
    try:
        reply = None if fault is None else await _apply_fault(fault)
        if reply is None:
            await _handler(scope["path"])(state, socket)
    except _ConnectionBrokenError:
        await abort_connection(scope, receive)
        return
    except ReplyError as error:
        reply = error_response(error)
    if reply is not None:
        await _refuse(socket, reply)


class _ConnectionBrokenError(Exception):
    """The fault breaks the connection instead of answering."""


async def _apply_fault(fault: Fault) -> Response | None:
    for hold in (fault.hold, fault.hold_reply):  # a handshake is processed by answering it
        if hold is not None:
            await hold.wait()
    await anyio.sleep(fault.latency + fault.reply_latency)
    if fault.drop or fault.lose_reply or fault.truncate:
        raise _ConnectionBrokenError
    return fault.reply()


def _handler(path: str) -> Callable[[State, WebSocket], Awaitable[None]]:
    if path not in _HANDLERS:
        raise ApiError(404, f"there is no WebSocket at {path}", http_status=404)
    return _HANDLERS[path]


async def _refuse(socket: WebSocket, reply: Response) -> None:
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        del reply.headers["content-length"]  # uvicorn adds its own; before 0.53 it would send both
        await socket.send_denial_response(reply)
    else:
        await socket.close()  # all that a server without this extension can do: HTTP 403
