"""Events: published by POST /api/v3/pub-userEvent, received by WebSocket at /events/v1/authentication/sub."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..http.connection import break_connection
from ..http.replies import success
from ..http.request_context import read_user_call
from ..http.routes import Routes
from ..state.errors import ApiError, Refusal
from ..state.state import State
from ..state.subscribers import Closing, Subscriber

SUBSCRIPTION_PATH = "/events/v1/authentication/sub"
_POLICY_VIOLATION = 1008


async def put_event(state: State, request: Request) -> Response:
    """Publish an event: its data goes unchanged to the connections of the same user that receive its type."""
    user, _, body = await read_user_call(state, request)
    event_code, data = body.text("eventType"), body.text("eventData")
    body.optional_text("source")
    state.events.publish(event_code, data, user_id=user.id)
    return success()


async def refuse_plain_http(_state: State, _request: Request) -> Response:
    """Answer a request that is no WebSocket handshake (RFC 9110 section 15.5.22)."""
    raise ApiError(426, "this is a WebSocket", http_status=426)


async def subscribe(state: State, socket: WebSocket) -> None:
    """Send events until one side closes, or the access token is invalid when there is an event to send."""
    token = socket.query_params.get("token", "")
    event_code = socket.query_params.get("code")
    holder = state.grants.active_access_token(token)
    if holder is None:
        raise Refusal.NOT_SIGNED_IN.error(http_status=401)
    if not event_code:
        raise ApiError(400, "code is required", http_status=400)

    def is_signed_in() -> bool:
        return state.grants.active_access_token(token) is not None

    # Before the handshake is answered, so that a client whose connection is open misses nothing.
    subscriber = state.events.add(event_code, holder.grant.user_id)
    try:
        await socket.accept()
        async with anyio.create_task_group() as group:
            group.start_soon(_until_gone, socket, group.cancel_scope.cancel)
            group.start_soon(_break_when_dropped, socket, subscriber)
            await _send_all(state, socket, subscriber, is_signed_in)
            group.cancel_scope.cancel()
    finally:
        state.events.remove(subscriber)


async def _send_all(state: State, socket: WebSocket, subscriber: Subscriber, is_signed_in: Callable[[], bool]) -> None:
    while True:
        item = await subscriber.take()
        if not isinstance(item, Closing) and not is_signed_in():
            item = Closing(_POLICY_VIOLATION)
        try:
            if isinstance(item, Closing):
                state.events.remove(subscriber)  # before its client knows
                await socket.close(item.code)
                return
            await socket.send_text(item)
        except WebSocketDisconnect:
            return


async def _until_gone(socket: WebSocket, then: Callable[[], object]) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass  # subscribers have nothing to say
    then()


async def _break_when_dropped(socket: WebSocket, subscriber: Subscriber) -> None:
    await subscriber.dropped.wait()
    break_connection(socket.scope)


ROUTES: Routes = {
    "/api/v3/pub-userEvent": {"POST": put_event},
    SUBSCRIPTION_PATH: {"GET": refuse_plain_http},
}
