"""GenAuth in FastAPI: routes that sign users in and out, and dependencies for bearer tokens and sessions.

    auth = GenAuth(client, scope="openid profile offline_access")
    app = FastAPI(lifespan=auth.lifespan)
    app.include_router(auth.router)

    @app.get("/orders")
    async def orders(claims: Annotated[AccessToken, Depends(auth.required)]) -> list[str]: ...

It needs the extra `fastapi`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any, TypeAlias, TypeVar, cast

try:
    from fastapi import APIRouter, HTTPException, Request, Response, Security, WebSocketException
    from fastapi.openapi.models import OAuth2
    from fastapi.requests import HTTPConnection
    from fastapi.security import APIKeyCookie, OAuth2AuthorizationCodeBearer, SecurityScopes
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] != "fastapi":
        raise
    raise ImportError("this needs FastAPI: pip install 'genauth-async[fastapi]'") from missing

from ..models.tokens import UserInfo
from ..models.verification import AccessToken
from ..oidc.authorize import DEFAULT_SCOPE
from ..session import TokenSession
from ._replies import Page, Redirect, Refusal, RefusedError
from ._resolved_session import ResolvedSession, SessionT
from ._web_auth import WebAuth
from ._web_login import RequestInfo, close_code, reply_text

__all__ = ["GenAuth"]

_T = TypeVar("_T")
Dependency: TypeAlias = Callable[..., Coroutine[Any, Any, _T]]
"""A dependency for `Depends` that returns a `_T`."""
SessionDependency: TypeAlias = Callable[..., AsyncIterator[_T]]
"""A dependency for `Depends` that yields a `_T` and replies to its later errors."""


# For the documentation page only: not every version of FastAPI can call the inherited methods in WebSocket routes.
class _BearerShown(OAuth2AuthorizationCodeBearer):
    async def __call__(self) -> None:  # type: ignore[override]
        """Do nothing."""


class _CookieShown(APIKeyCookie):
    async def __call__(self) -> None:  # type: ignore[override]
        """Do nothing."""


class GenAuth(WebAuth):
    __doc__ = WebAuth.__doc__

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """Close the client when the application ends: `FastAPI(lifespan=auth.lifespan)`. See also `warm`."""
        try:
            if self._warm:
                await self._fetch_keys()
            yield
        finally:
            await self._client.aclose()

    @cached_property
    def swagger_ui_init_oauth(self) -> dict[str, object]:
        """Return the value of `FastAPI(swagger_ui_init_oauth=...)`, for the Authorize button of the documentation page.

        The page's own address, /docs/oauth2-redirect, must be a registered callback of the application. The dialog also
        asks for the app secret; leave it empty if the application needs none at the token endpoint.
        """
        scopes = self._options.scope or DEFAULT_SCOPE
        return {
            "clientId": self._client.settings.app_id,
            "usePkceWithAuthorizationCodeGrant": True,
            "scopes": scopes,
        }

    @cached_property
    def required(self) -> Dependency[AccessToken]:
        """Return the claims of the bearer token, or reply 401; 403 without the scopes that `Security` requires."""
        bearer, scheme = self._bearer, self._scheme

        async def required(
            connection: HTTPConnection,
            scopes: SecurityScopes,
            _documented: None = Security(scheme),
        ) -> AccessToken:
            with _raise_refusals(connection):
                return await bearer.claims(connection.headers.getlist("authorization"), scopes.scopes)

        return required

    @cached_property
    def optional(self) -> Dependency[AccessToken | None]:
        """Return the claims of the bearer token; None without one, and a 401 with an invalid one."""
        bearer, scheme = self._bearer, self._scheme

        async def optional(connection: HTTPConnection, _documented: None = Security(scheme)) -> AccessToken | None:
            with _raise_refusals(connection):
                return await bearer.optional_claims(connection.headers.getlist("authorization"))

        return optional

    def scopes(self, *names: str) -> Dependency[AccessToken]:
        """Return the claims of the bearer token; without one reply 401, without all these scopes 403.

        Args:
            names: the required scopes.
        """
        flow = cast("OAuth2", self._scheme.model).flows.authorizationCode
        if flow is not None:
            flow.scopes.update(dict.fromkeys(names, ""))
        required: Any = Security(self.required, scopes=list(names))

        async def scoped(claims: AccessToken = required) -> AccessToken:
            return claims

        return scoped

    @cached_property
    def session(self) -> SessionDependency[TokenSession]:
        """Return the browser's session, or reply 401."""
        web = self._web

        async def session(
            connection: HTTPConnection, _documented: None = Security(self._cookie_scheme)
        ) -> AsyncIterator[TokenSession]:
            async with _given(connection, web.session) as found:
                yield found

        return session

    @cached_property
    def optional_session(self) -> SessionDependency[TokenSession | None]:
        """Return the browser's session, or None; a page whose session ends meanwhile is reloaded without it."""
        web = self._web

        async def optional_session(
            connection: HTTPConnection, _documented: None = Security(self._cookie_scheme)
        ) -> AsyncIterator[TokenSession | None]:
            async with _given(connection, web.optional_session) as found:
                yield found

        return optional_session

    @cached_property
    def page_session(self) -> SessionDependency[TokenSession]:
        """Return the browser's session; without one, redirect a browser that requests a page to sign in and back."""
        web = self._web

        async def page_session(
            request: Request, _documented: None = Security(self._cookie_scheme)
        ) -> AsyncIterator[TokenSession]:
            async with _given(request, web.page_session) as found:
                yield found

        return page_session

    @cached_property
    def user(self) -> Dependency[UserInfo]:
        """Return the user's claims from the userinfo endpoint, fetched per request, or reply 401."""
        web = self._web

        async def user(connection: HTTPConnection, _documented: None = Security(self._cookie_scheme)) -> UserInfo:
            with _raise_refusals(connection):
                return await web.user(connection.cookies, _request_info(connection))

        return user

    @cached_property
    def page_user(self) -> Dependency[UserInfo]:
        """Return `user`'s claims; without a session, redirect a browser that requests a page to sign in and back."""
        web = self._web

        async def page_user(request: Request, _documented: None = Security(self._cookie_scheme)) -> UserInfo:
            with _raise_refusals(request):
                return await web.page_user(request.cookies, _request_info(request))

        return page_user

    @cached_property
    def router(self) -> APIRouter:
        """Return the routes: login, callback, logout and the user's claims. Include it without a prefix.

        Raises:
            ConfigurationError: the client has no redirect_uri, or there is no secret for cookies.
        """
        web, options = self._web, self._options
        router = APIRouter(tags=["sign-in"])

        @router.get(options.login_path, include_in_schema=False)
        async def login(request: Request) -> Response:
            return _to_response(web.login(request.query_params.get("next"), request.cookies))

        @router.get(web.callback_path, include_in_schema=False)
        async def callback(request: Request) -> Response:
            return _to_response(await web.callback(request.url.query, request.cookies))

        @router.post(options.logout_path, include_in_schema=False)
        async def logout(request: Request) -> Response:
            with _raise_refusals(request):
                done = await web.logout(
                    request.cookies,
                    origin=request.headers.get("origin"),
                    fetch_site=request.headers.get("sec-fetch-site"),
                )
            return _to_response(done)

        @router.get(options.me_path, response_model=None)
        async def me(
            request: Request,
            response: Response,
            _documented: None = Security(self._cookie_scheme),  # noqa: FAST002 - annotations know no locals
        ) -> dict[str, object]:
            """Return the signed-in user's claims."""
            response.headers["Cache-Control"] = "no-store"
            with _raise_refusals(request):
                return (await web.user(request.cookies, _request_info(request))).to_dict()

        return router

    @cached_property
    def _scheme(self) -> _BearerShown:
        settings = self._client.settings
        endpoints = [settings.app_host + "/" + "/".join(settings.oauth_path(end)) for end in ("auth", "token")]
        return _BearerShown(
            authorizationUrl=endpoints[0],
            tokenUrl=endpoints[1],
            refreshUrl=endpoints[1],
            scheme_name="GenAuth",
            scopes=dict.fromkeys([*(self._options.scope or DEFAULT_SCOPE).split(), *self._api_scopes], ""),
            auto_error=False,
        )

    @cached_property
    def _cookie_scheme(self) -> _CookieShown:
        return _CookieShown(name=self._web.session_cookie, scheme_name="GenAuthSession", auto_error=False)


@asynccontextmanager
async def _given(
    connection: HTTPConnection, find: Callable[[Mapping[str, str], RequestInfo], Awaitable[ResolvedSession[SessionT]]]
) -> AsyncIterator[SessionT]:
    """Yield the session for a route, and reply to its errors."""
    with _raise_refusals(connection):
        given = await find(connection.cookies, _request_info(connection))
    try:
        yield given.session
    except Exception as error:
        if (reply := given.reply(error)) is None:
            raise
        raise _exception(reply, connection) from None


def _is_socket(connection: HTTPConnection) -> bool:
    return bool(connection.scope["type"] == "websocket")


def _request_info(connection: HTTPConnection) -> RequestInfo:
    raw_path = connection.scope.get("raw_path")
    path = raw_path.decode("latin-1") if isinstance(raw_path, bytes) else connection.url.path
    query = f"?{connection.url.query}" if connection.url.query else ""
    return RequestInfo(
        method=connection.scope.get("method", ""),  # WebSockets have none
        target=path.partition("?")[0] + query,
        accept=connection.headers.get("accept", ""),
        origin=connection.headers.get("origin"),
        is_for_a_socket=_is_socket(connection),
    )


def _to_response(reply: Redirect | Page) -> Response:
    content = reply.html if isinstance(reply, Page) else None
    response = Response(content, reply.status, dict(reply.headers))
    for cookie in reply.set_cookies:
        response.headers.append("Set-Cookie", cookie)
    return response


@contextmanager
def _raise_refusals(connection: HTTPConnection) -> Iterator[None]:
    """Raise refusals as FastAPI's exceptions."""
    try:
        yield
    except RefusedError as error:
        reply = error.reply
    else:
        return
    raise _exception(reply, connection)


def _exception(reply: Refusal | Redirect, connection: HTTPConnection) -> HTTPException | WebSocketException:
    if _is_socket(connection):
        return WebSocketException(close_code(reply), reply_text(reply))
    # FastAPI's exceptions carry each header once; a refusal has at most one cookie, the session's.
    cookies = {"Set-Cookie": reply.set_cookies[0]} if reply.set_cookies else {}
    return HTTPException(reply.status, reply_text(reply), {**reply.headers, **cookies})
