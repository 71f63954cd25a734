"""ASGI wrapper of applications: caching of responses to sessions (RFC 9111), and clients that leave WebSockets."""

from __future__ import annotations

from typing import Final

from attrs import define
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from ._replies import varies_by_cookie
from ._resolved_session import leaves

_KEY: Final = "genauth_async.use"


@define
class Use:
    """The use that a request makes of GenAuth.

    Attributes:
        of_token: its route has a dependency on bearer tokens.
        of_session: its response depends on the browser's session.
    """

    of_token: bool = False
    of_session: bool = False


def use_of(scope: Scope) -> Use:
    """Return the use of a request, which `wrap` looks at later."""
    use: Use = scope.setdefault(_KEY, Use())
    return use


def wrap(app: object) -> None:
    """Wrap an application whose middleware is built, unless it is wrapped already."""
    if isinstance(app, Starlette) and app.middleware_stack is not None:
        stack = app.middleware_stack
        app.middleware_stack = stack if isinstance(stack, _Wrapper) else _Wrapper(stack)


class _Wrapper:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        use = use_of(scope)

        async def send_on(message: Message) -> None:
            if use.of_session and message["type"] == "http.response.start":
                _keep_from_caches(message)
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        except Exception as error:
            has_left = all(isinstance(leaf, WebSocketDisconnect) for leaf in leaves(error))
            if not (has_left and (use.of_token or use.of_session)):
                raise


def _keep_from_caches(message: Message) -> None:
    message.setdefault("headers", ())
    headers = MutableHeaders(scope=message)
    headers.setdefault("Cache-Control", "no-store")
    if not varies_by_cookie(headers.getlist("Vary")):
        headers.append("Vary", "Cookie")
