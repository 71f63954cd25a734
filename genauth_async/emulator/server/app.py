"""The ASGI application: routing, fault injection, and responses to errors."""

from __future__ import annotations

import logging
from email.utils import formatdate
from functools import lru_cache

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..endpoints import (
    _mfa_signin,
    account,
    contacts,
    devices,
    events,
    fastpass,
    identities,
    invitations,
    messages,
    mfa,
    mobile,
    passkeys,
    permissions,
    profile,
    public_accounts,
    push,
    qrcode,
    resources,
    signin,
    signup,
    system,
)
from ..http.connection import abort_connection, send_truncated
from ..http.counter import RequestCounter
from ..http.cross_origin import is_preflight, preflight_response, share
from ..http.faults import Fault, Faults
from ..http.replies import error_response
from ..http.request_context import use_origin_of
from ..http.routes import Handler, RouteTable
from ..oidc import authorize, cas, discovery, introspection, login_page, logout, token_endpoint, userinfo
from ..state.errors import ApiError, ReplyError, not_modelled, not_signed_in
from ..state.state import State
from ..state.users import UserGoneError
from . import status_page
from .unmodelled import exists_at_genauth
from .websocket import serve_websocket

_MODULES = (
    _mfa_signin,
    account,
    authorize,
    cas,
    contacts,
    devices,
    discovery,
    events,
    fastpass,
    identities,
    introspection,
    invitations,
    login_page,
    logout,
    messages,
    mfa,
    mobile,
    passkeys,
    permissions,
    profile,
    public_accounts,
    push,
    qrcode,
    resources,
    signin,
    signup,
    status_page,
    system,
    token_endpoint,
    userinfo,
)
_ROUTES = RouteTable(module.ROUTES for module in _MODULES)
_log = logging.getLogger(__name__)


class EmulatorApp:
    """The emulator as an ASGI application, for asyncio and trio."""

    def __init__(self, state: State, requests: RequestCounter, faults: Faults) -> None:
        self._state = state
        self._requests = requests
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            raise RuntimeError(f"the emulator speaks http and websocket, not {scope['type']}")
        path: str = scope["path"]
        request = Request(scope, receive) if scope["type"] == "http" else None
        if request is not None and is_preflight(request):
            # Neither counted nor failed: that is for the request that follows.
            await self._complete(request, preflight_response(request))(scope, receive, send)
            return
        self._requests.count(path)
        fault = self._faults.take(path)
        if request is None:
            await serve_websocket(self._state, fault, scope, receive, send)
            return
        try:
            if fault is None:
                response = await self._respond(request)
                await response(scope, receive, send)
            else:
                await self._apply_fault(fault, request, send)
        except ClientDisconnect:
            return  # the client is gone

    async def _respond(self, request: Request) -> Response:
        try:
            handler = _handler_of(request)
            await request.body()  # before the token is checked: it may be revoked while the body is on its way
            with use_origin_of(request):
                response = await handler(self._state, request)
        except ReplyError as error:
            response = error_response(error)
        except UserGoneError:
            response = error_response(not_signed_in())
        except ClientDisconnect:
            raise
        except Exception:  # noqa: BLE001 - the client gets an envelope in any case
            _log.exception("%s %s failed", request.method, request.scope["path"])
            response = error_response(ApiError(500, "the emulator failed; its log says why", http_status=500))
        return self._complete(request, response)

    async def _apply_fault(self, fault: Fault, request: Request, send: Send) -> None:
        scope, receive = request.scope, request.receive
        await request.body()
        if fault.hold is not None:
            await fault.hold.wait()
        await anyio.sleep(fault.latency)
        if fault.drop:
            await abort_connection(scope, receive)
            return
        reply = fault.reply()
        response = await self._respond(request) if reply is None else self._complete(request, reply)
        if fault.hold_reply is not None:
            await fault.hold_reply.wait()
        await anyio.sleep(fault.reply_latency)
        if fault.lose_reply:
            await abort_connection(scope, receive)
        elif fault.truncate == "json":
            response.body = response.body[: len(response.body) // 2]
            response.headers["content-length"] = str(len(response.body))
            await response(scope, receive, send)
        elif fault.truncate:
            await send_truncated(response, scope, receive, send)
        else:
            await response(scope, receive, send)

    def _complete(self, request: Request, response: Response) -> Response:
        share(request, response)
        if request.method == "HEAD":
            response.body = b""  # the headers stay those of GET (RFC 9110 section 9.3.2)
        # By the emulator's clock: clients may use it as the server's time.
        response.raw_headers.append((b"date", _http_date(int(self._state.clock.now()))))
        return response


def _handler_of(request: Request) -> Handler:
    path: str = request.scope["path"]
    found = _ROUTES.find(path)
    if found is None:
        if exists_at_genauth(path):
            raise not_modelled(path)
        raise ApiError(404, f"there is no {path}", http_status=404)
    handlers, request.scope["path_params"] = found
    handler = handlers.get("GET" if request.method == "HEAD" else request.method)
    if handler is None:
        error = ApiError(405, f"{path} takes {' and '.join(handlers)} only", http_status=405)
        error.headers["allow"] = ", ".join(handlers)
        raise error
    return handler


@lru_cache(maxsize=1)
def _http_date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()
