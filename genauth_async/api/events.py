"""Events of the signed-in user: published over HTTP, received over a WebSocket."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias
from urllib.parse import quote, urlencode

from .. import models
from .._arguments.numbers import is_number, shown
from .._arguments.text import require_str
from .._arguments.timeouts import Deadline, deadline
from .._websocket.address import WebSocketAddress, websocket_host_for
from .._websocket.connection import WebSocket, load_library
from .._websocket.subscription import Subscription
from .._wire.request import Request
from ..errors import ConfigurationError
from ..settings import Timeout
from ..stream import Stream
from ._base import Api

OnEvent: TypeAlias = Callable[[str], Awaitable[None] | None]
"""Told of each event."""


class Events(Api):
    """Publish and receive events.

    Common parameters:
        access_token: the user's; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
    """

    async def put_event(
        self,
        event_code: str,
        data: object,
        *,
        source: str | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Publish an event of the signed-in user (POST /api/v3/pub-userEvent).

        Args:
            event_code: the kind of event.
            data: what happened: a text is sent as it is, anything else as JSON.
            source: where it happened.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            ConfigurationError: there is no access token, or the data cannot be sent as JSON.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no GenAuth response arrived. The event may have been published.
        """
        body: dict[str, object] = {"eventType": require_str("event_code", event_code), "eventData": _text(data)}
        if source is not None:
            body["source"] = source
        request = Request(method="POST", path=("api", "v3", "pub-userEvent"), json=body)
        return await self._call_as_user(request, models.UntypedRespDto, access_token, timeout)

    def iter_events(
        self,
        event_code: str,
        *,
        access_token: str | None = None,
        reconnect_for: float | None = None,
        ping_interval: float = 20.0,
        timeout: Timeout | None = None,
    ) -> Stream[str]:
        """Receive events of the signed-in user, as texts, from a WebSocket ({websocket_host}{websocket_endpoint}).

        It connects when the first event is asked for, and holds the connection open: leave it with `async with`, or
        call `aclose`. A broken connection is made anew, with growing waits in between, and that is logged as a warning;
        events that were published meanwhile are lost. Nothing is read, and no sign of life given, while no task waits
        for an event: the server may break the connection of a receiver that is busy with one for long. HTTP proxies are
        not used. Another event loop and a forked child get a connection of their own. Closing the client ends the
        stream, as if it had been closed itself.

        Args:
            event_code: the kind of events.
            reconnect_for: seconds for which to reconnect, while no connection lasts 5 seconds, before the error is
                raised; 0 for not at all, None for ever. The first connection is tried as often as `retry` says.
            ping_interval: seconds of silence after which the server is asked for a sign of life. After as many more
                the connection counts as broken.
            timeout: seconds for each try to connect, or an httpx.Timeout; the client's when None.

        Raises:
            ConfigurationError: an argument is not valid or is missing, or the package websockets is.
            ClientClosedError: the client was closed before this call.
            NotSignedInError: the token has expired or was revoked; the next call with it would fail as well.
            ForbiddenError: the user may not receive these events.
            TransportError, InvalidResponseError: the server cannot be reached, or does not answer as one of GenAuth's.
        """
        return self._subscription(event_code, access_token, reconnect_for, ping_interval, timeout)

    async def sub_event(self, event_code: str, callback: OnEvent, *, access_token: str | None = None) -> None:
        """Receive events of the signed-in user until it is cancelled, or the client closed; else as `iter_events`.

        Args:
            event_code: the kind of events.
            callback: called (and awaited) with each event, a text, one after another; the connection is kept alive
                meanwhile. An exception of its own ends this, and is raised.

        Raises:
            ConfigurationError: an argument is not valid or is missing, or the package websockets is.
            ClientClosedError: the client was closed before this call.
            ForbiddenError: the user may not receive these events.
            TransportError, InvalidResponseError: the first connection was not made.
        """
        if not callable(callback):
            raise ConfigurationError("callback", "is a function that takes an event's text")
        async with self._subscription(event_code, access_token) as events:
            async for event in events:
                waiting = callback(event)
                if inspect.isawaitable(waiting):
                    await events.keep_alive_during(waiting)

    def _subscription(
        self,
        event_code: str,
        access_token: str | None,
        reconnect_for: float | None = None,
        ping_interval: float = 20.0,
        timeout: Timeout | None = None,
    ) -> Subscription:
        token = self._user_token(access_token)
        if reconnect_for is not None and not (is_number(reconnect_for) and reconnect_for >= 0):
            raise ConfigurationError("reconnect_for", f"is in seconds, 0 or more, or None, not {shown(reconnect_for)}")
        if not (is_number(ping_interval) and ping_interval > 0):
            raise ConfigurationError("ping_interval", f"is in seconds, above 0, not {shown(ping_interval)}")
        settings = self._settings
        host = settings.websocket_host or websocket_host_for(settings.app_host)
        if host is None:
            raise ConfigurationError(
                "websocket_host",
                "is needed, as the address of your deployment's event server: it is known only of applications under "
                f"genauth.ai and authing.cn, and app_host is {settings.app_host}",
            )
        try:
            query = urlencode({"code": require_str("event_code", event_code), "token": token}, quote_via=quote)
        except UnicodeError:
            raise ConfigurationError("event_code", "has half a character (a lone surrogate)") from None
        path = "/" + settings.websocket_endpoint.lstrip("/")
        address = WebSocketAddress(origin=host, path=path, query=query)
        limit = settings.timeout if timeout is None else deadline(timeout)
        connect = partial(self._connect, address, limit, ping_interval)
        subscription = Subscription(connect, settings.retry, reconnect_for)
        self._shared.end_with_client(subscription)
        return subscription

    async def _connect(self, address: WebSocketAddress, limit: Deadline, ping_interval: float) -> WebSocket:
        await self._shared.threads.run(load_library)
        context = await self._shared.transport.tls_context(secure=address.is_secure)
        max_bytes = self._settings.max_response_bytes
        return await WebSocket.connect(address, context, limit, max_bytes=max_bytes, ping_interval=ping_interval)


def _text(data: object) -> str:
    if isinstance(data, str):
        return data
    try:
        return json.dumps(data.to_dict() if isinstance(data, models.Dto) else data, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        problem = f"cannot be sent as JSON: {error}"
    raise ConfigurationError("data", problem)
