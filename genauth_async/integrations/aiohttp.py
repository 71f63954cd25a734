"""GenAuth in aiohttp servers: routes that sign users in and out, bearer tokens and sessions.

    auth = GenAuth(client, scope="openid profile offline_access")
    auth.setup(app)

    @routes.get("/orders")
    @auth.scopes("orders")
    async def orders(request: web.Request) -> web.Response:
        claims = await auth.claims(request)

It needs the extra `aiohttp`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, TypeAlias

try:
    from aiohttp import hdrs, web
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] != "aiohttp":
        raise
    raise ImportError("this needs aiohttp: pip install 'genauth-async[aiohttp]'") from missing

from attrs import define, field

from .._arguments.numbers import require_bool
from ..models.tokens import UserInfo
from ..models.verification import AccessToken
from ..oidc._cookie_header import read_cookies
from ..session import TokenSession
from ._replies import Page, Redirect, Refusal, RefusedError, varies_by_cookie
from ._resolved_session import ResolvedSession, SessionT, leaves
from ._web_auth import WebAuth
from ._web_login import RequestInfo, close_code, reply_text

__all__ = ["GenAuth"]

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Find: TypeAlias = Callable[[Mapping[str, str], RequestInfo], Awaitable[ResolvedSession[SessionT]]]


@define
class _Service:
    """The state of a request.

    Attributes:
        given: the sessions that its handler or middlewares requested.
        reads_cookies: the response depends on the browser's session.
        begun: the response being sent.
    """

    given: list[ResolvedSession[Any]] = field(factory=list)
    reads_cookies: bool = False
    begun: web.StreamResponse | None = None

    def reply(self, error: Exception) -> Refusal | Redirect | None:
        """Return the reply to the handler's error if one of the sessions is the reason, else None."""
        if self.begun is not None and not isinstance(self.begun, web.WebSocketResponse):
            return None  # a second response would answer the connection's next request
        for given in self.given:
            if (reply := given.reply(error)) is not None:
                return reply
        return None


_NAME: Final = "genauth_async_service"
_SERVICE: Final[Any] = web.RequestKey(_NAME, _Service) if hasattr(web, "RequestKey") else _NAME  # new in aiohttp 3.14


class GenAuth(WebAuth):
    __doc__ = WebAuth.__doc__

    def setup(self, app: web.Application, *, login: bool = True, close_client: bool = False) -> None:
        """Add the routes, middleware and signals to the application.

        Args:
            app: the application.
            login: add the routes that sign users in and out; an API that only takes bearer tokens does not need them.
            close_client: close the client's connections when the application ends; another one may start later.

        Raises:
            ConfigurationError: with `login`, the client has no redirect_uri, or there is no secret for cookies.
        """
        require_bool("close_client", close_client)
        if require_bool("login", login):
            options = self._options
            # No HEAD: it would begin sign-ins and spend codes.
            route = app.router.add_get(options.login_path, self._login, allow_head=False)
            app.router.add_get(self._web.callback_path, self._callback, allow_head=False)
            app.router.add_post(options.logout_path, self._logout)
            app.router.add_get(options.me_path, self._me)

            async def check(_app: web.Application) -> None:
                address = "" if route.resource is None else route.resource.canonical
                self._require_mount(address.removesuffix(options.login_path))

            app.on_startup.append(check)
        app.middlewares.append(self._answering)
        app.on_response_prepare.append(_remember)
        if close_client:
            app.cleanup_ctx.append(self._lifespan)
        elif self._warm:
            app.on_startup.append(self._warm_up)

    async def claims(self, request: web.Request, *scopes: str) -> AccessToken:
        """Return the verified claims of the request's bearer token.

        Args:
            request: the request.
            scopes: the required scopes.

        Raises:
            aiohttp.web.HTTPException: 401 without a valid token, 403 without a required scope, 503 if the token cannot
                be verified now.
        """
        with _raise_refusals():
            return await self._bearer.claims(request.headers.getall(hdrs.AUTHORIZATION, []), scopes)

    async def optional_claims(self, request: web.Request, *scopes: str) -> AccessToken | None:
        """Return the verified claims of the request's bearer token, or None without one.

        Args:
            request: the request.
            scopes: the scopes that a token must have.

        Raises:
            aiohttp.web.HTTPException: as `claims`, for an invalid token or one without the scopes.
        """
        with _raise_refusals():
            return await self._bearer.optional_claims(request.headers.getall(hdrs.AUTHORIZATION, []), scopes)

    def required(self, handler: Handler) -> Handler:
        """Restrict a handler to requests with a valid bearer token.

        Args:
            handler: the handler; it may call `claims`.
        """
        return self.scopes()(handler)

    def scopes(self, *names: str) -> Callable[[Handler], Handler]:
        """Restrict a handler to requests with a valid bearer token that has all these scopes.

        Args:
            names: the required scopes.
        """

        def clears_frames(handler: Handler) -> Handler:
            @wraps(handler)
            async def guard(request: web.Request) -> web.StreamResponse:
                await self.claims(request, *names)
                return await handler(request)

            return guard

        return clears_frames

    async def session(self, request: web.Request) -> TokenSession:
        """Return the browser's session.

        Args:
            request: the request.

        Raises:
            aiohttp.web.HTTPException: 401 without a session; 503 when its token cannot be refreshed now.
        """
        return await self._given(request, self._web.session)

    async def optional_session(self, request: web.Request) -> TokenSession | None:
        """Return the browser's session, or None; a page whose session ends meanwhile is reloaded without it.

        Args:
            request: the request.

        Raises:
            aiohttp.web.HTTPException: 503 when its token cannot be refreshed now.
        """
        return await self._given(request, self._web.optional_session)

    async def page_session(self, request: web.Request) -> TokenSession:
        """Return the browser's session; without one, redirect a browser that requests a page to sign in and back.

        Args:
            request: the request.

        Raises:
            aiohttp.web.HTTPException: 303 or 401 without a session; 503 when its token cannot be refreshed now.
        """
        return await self._given(request, self._web.page_session)

    async def user(self, request: web.Request) -> UserInfo:
        """Return the user's claims from the userinfo endpoint, fetched by each call.

        Args:
            request: the request.

        Raises:
            aiohttp.web.HTTPException: 401 without a session; 503 when GenAuth is unavailable.
        """
        with _raise_refusals():
            return await self._web.user(_cookies(request), _request_info(request))

    async def page_user(self, request: web.Request) -> UserInfo:
        """Return `user`'s claims; without a session, redirect a browser that requests a page to sign in and back.

        Args:
            request: the request.

        Raises:
            aiohttp.web.HTTPException: 303 or 401 without a session; 503 when GenAuth is unavailable.
        """
        with _raise_refusals():
            return await self._web.page_user(_cookies(request), _request_info(request))

    async def _given(self, request: web.Request, find: _Find[SessionT]) -> SessionT:
        with _raise_refusals():
            given = await find(_cookies(request), _request_info(request))
        _service(request).given.append(given)
        return given.session

    async def _login(self, request: web.Request) -> web.Response:
        return _to_response(self._web.login(request.query.get("next"), _cookies(request)))

    async def _callback(self, request: web.Request) -> web.Response:
        return _to_response(await self._web.callback(request.rel_url.raw_query_string, _cookies(request)))

    async def _logout(self, request: web.Request) -> web.Response:
        with _raise_refusals():
            done = await self._web.logout(
                _cookies(request),
                origin=request.headers.get("origin"),
                fetch_site=request.headers.get("sec-fetch-site"),
            )
        return _to_response(done)

    async def _me(self, request: web.Request) -> web.Response:
        with _raise_refusals():
            user = await self._web.user(_cookies(request), _request_info(request))
        return web.json_response(user.to_dict(), headers={"Cache-Control": "no-store"})

    async def _warm_up(self, _app: web.Application) -> None:
        await self._fetch_keys()

    async def _lifespan(self, _app: web.Application) -> AsyncIterator[None]:
        async with self._running():
            yield

    @web.middleware
    async def _answering(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Reply when a session ends while a handler uses it, and close a WebSocket that is open by then."""
        service = _service(request)
        try:
            return await handler(request)
        except Exception as error:
            socket = service.begun if isinstance(service.begun, web.WebSocketResponse) else None
            if socket is not None and _has_left(request, error):
                return socket
            reply: Refusal | Redirect | None
            if socket is not None and isinstance(error, web.HTTPException):
                reply = Refusal(status=error.status, detail=error.reason)
            else:
                reply = service.reply(error)
            if reply is None:
                raise
        if socket is None:
            raise _exception(reply)
        await socket.close(code=close_code(reply), message=reply_text(reply).encode())
        return socket


def _has_left(request: web.Request, error: Exception) -> bool:
    """Return True if the error only says that the client has closed the connection."""
    is_open = request.transport is not None and not request.transport.is_closing()
    return not is_open and all(isinstance(leaf, ConnectionResetError) for leaf in leaves(error))


async def _remember(request: web.Request, response: web.StreamResponse) -> None:
    service = _service(request)
    service.begun = response
    if service.reads_cookies:
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
        if not varies_by_cookie(response.headers.getall(hdrs.VARY, ())):
            response.headers.add(hdrs.VARY, "Cookie")


def _service(request: web.Request) -> _Service:
    service: _Service = request.setdefault(_SERVICE, _Service())
    return service


def _cookies(request: web.Request) -> dict[str, str]:
    _service(request).reads_cookies = True
    return read_cookies(*request.headers.getall(hdrs.COOKIE, ()))


def _request_info(request: web.Request) -> RequestInfo:
    return RequestInfo(
        method=request.method,
        target=request.rel_url.raw_path_qs,
        accept=request.headers.get(hdrs.ACCEPT, ""),
        origin=request.headers.get(hdrs.ORIGIN),
        is_for_a_socket=request.headers.get(hdrs.UPGRADE, "").lower().strip() == "websocket",
    )


def _to_response(reply: Redirect | Page) -> web.Response:
    body = reply.html.encode() if isinstance(reply, Page) else None
    response = web.Response(body=body, status=reply.status, headers=dict(reply.headers))
    for cookie in reply.set_cookies:
        response.headers.add(hdrs.SET_COOKIE, cookie)
    return response


@contextmanager
def _raise_refusals() -> Iterator[None]:
    """Raise refusals as aiohttp's exceptions."""
    try:
        yield
    except RefusedError as error:
        reply = error.reply
    else:
        return
    raise _exception(reply)


_EXCEPTIONS = {401: web.HTTPUnauthorized, 403: web.HTTPForbidden, 503: web.HTTPServiceUnavailable}


def _exception(reply: Refusal | Redirect) -> web.HTTPException:
    exception: web.HTTPException
    if isinstance(reply, Redirect):
        exception = web.HTTPSeeOther(reply.url)
    else:
        exception = _EXCEPTIONS[reply.status](
            text=json.dumps({"detail": reply.detail}), content_type="application/json"
        )
    exception.headers.update(reply.headers)
    for cookie in reply.set_cookies:
        exception.headers.add(hdrs.SET_COOKIE, cookie)
    return exception
