"""GenAuth in FastAPI: routes that sign users in and out, and dependencies for bearer tokens and sessions.

    auth = GenAuth(client, scope="openid profile offline_access")
    app = FastAPI(lifespan=auth.lifespan)
    app.include_router(auth.router)

    @app.get("/orders")
    async def orders(claims: Annotated[AccessToken, Depends(auth.required)]) -> list[str]: ...

It needs the extra `fastapi`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cached_property
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import quote
from weakref import WeakSet

try:
    from fastapi import APIRouter, HTTPException, Request, Response, Security, WebSocket, WebSocketException
    from fastapi.openapi.models import OAuth2
    from fastapi.requests import HTTPConnection
    from fastapi.security import APIKeyCookie, OAuth2AuthorizationCodeBearer, SecurityScopes
    from fastapi.websockets import WebSocketDisconnect, WebSocketState
    from starlette.applications import Starlette
    from starlette.routing import NoMatchFound
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] != "fastapi":
        raise
    raise ImportError("this needs FastAPI: pip install 'genauth-async[fastapi]'") from missing

from ..errors import ConfigurationError
from ..models.tokens import UserInfo
from ..models.verification import AccessToken
from ..oidc._cookie_header import read_cookies
from ..oidc.authorize import DEFAULT_SCOPE
from ..session import TokenSession
from ._asgi import use_of, wrap
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
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Close the client's connections when the application ends: `FastAPI(lifespan=auth.lifespan)`.

        The client stays usable, so that the application can start again. See also `warm`.
        """
        wrap(app)
        async with self._running():
            yield

    @cached_property
    def swagger_ui_init_oauth(self) -> dict[str, object]:
        """Return the value of `FastAPI(swagger_ui_init_oauth=...)`, for the Authorize button of the documentation page.

        Register the page's /docs/oauth2-redirect as a callback of the application. Its token endpoint must need no
        secret, or users must enter the app secret in the dialog.
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
            use_of(connection.scope).of_token = True
            with _raise_refusals(connection):
                return await bearer.claims(connection.headers.getlist("authorization"), scopes.scopes)

        return required

    @cached_property
    def optional(self) -> Dependency[AccessToken | None]:
        """Return the claims of the bearer token; None without one, 401 with an invalid one, 403 without the scopes."""
        bearer, scheme = self._bearer, self._scheme

        async def optional(
            connection: HTTPConnection,
            scopes: SecurityScopes,
            _documented: None = Security(scheme),
        ) -> AccessToken | None:
            use_of(connection.scope).of_token = True
            with _raise_refusals(connection):
                return await bearer.optional_claims(connection.headers.getlist("authorization"), scopes.scopes)

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
            connection: HTTPConnection, scopes: SecurityScopes, _documented: None = Security(self._cookie_scheme)
        ) -> AsyncIterator[TokenSession]:
            async with self._given(connection, scopes, web.session) as found:
                yield found

        return session

    @cached_property
    def optional_session(self) -> SessionDependency[TokenSession | None]:
        """Return the browser's session, or None; a page whose session ends meanwhile is reloaded without it."""
        web = self._web

        async def optional_session(
            connection: HTTPConnection, scopes: SecurityScopes, _documented: None = Security(self._cookie_scheme)
        ) -> AsyncIterator[TokenSession | None]:
            async with self._given(connection, scopes, web.optional_session) as found:
                yield found

        return optional_session

    @cached_property
    def page_session(self) -> SessionDependency[TokenSession]:
        """Return the browser's session; without one, redirect a browser that requests a page to sign in and back."""
        web = self._web

        async def page_session(
            request: Request, scopes: SecurityScopes, _documented: None = Security(self._cookie_scheme)
        ) -> AsyncIterator[TokenSession]:
            async with self._given(request, scopes, web.page_session) as found:
                yield found

        return page_session

    @cached_property
    def user(self) -> Dependency[UserInfo]:
        """Return the user's claims from the userinfo endpoint, fetched per request, or reply 401."""
        web = self._web

        async def user(
            connection: HTTPConnection, scopes: SecurityScopes, _documented: None = Security(self._cookie_scheme)
        ) -> UserInfo:
            with _raise_refusals(connection):
                return await web.user(self._cookies(connection), _request_info(connection, scopes.scopes))

        return user

    @cached_property
    def page_user(self) -> Dependency[UserInfo]:
        """Return `user`'s claims; without a session, redirect a browser that requests a page to sign in and back."""
        web = self._web

        async def page_user(
            request: Request, scopes: SecurityScopes, _documented: None = Security(self._cookie_scheme)
        ) -> UserInfo:
            with _raise_refusals(request):
                return await web.page_user(self._cookies(request), _request_info(request, scopes.scopes))

        return page_user

    @cached_property
    def router(self) -> APIRouter:
        """Return the routes: login, callback, logout and the user's claims. Include it without a prefix.

        `login_path`, `logout_path`, `me_path` and the client's redirect_uri say where they are. An application that
        includes it with a prefix is told so when it starts.

        Raises:
            ConfigurationError: the client has no redirect_uri, or there is no secret for cookies.
        """
        web, options = self._web, self._options

        @asynccontextmanager
        async def lifespan(app: object) -> AsyncIterator[None]:
            if isinstance(app, Starlette):
                self._prepare(app, "")
            yield

        router = APIRouter(tags=["sign-in"], lifespan=lifespan)

        @router.get(options.login_path, include_in_schema=False, name=self._route_name)
        async def login(request: Request) -> Response:
            return _to_response(web.login(request.query_params.get("next"), self._cookies(request)))

        @router.get(web.callback_path, include_in_schema=False)
        async def callback(request: Request) -> Response:
            return _to_response(await web.callback(_query(request), self._cookies(request)))

        @router.post(options.logout_path, include_in_schema=False)
        async def logout(request: Request) -> Response:
            with _raise_refusals(request):
                done = await web.logout(
                    self._cookies(request),
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
                return (await web.user(self._cookies(request), _request_info(request))).to_dict()

        return router

    @property
    def _route_name(self) -> str:
        return f"{self._options.cookie_prefix}_login"

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
        self,
        connection: HTTPConnection,
        scopes: SecurityScopes,
        find: Callable[[Mapping[str, str], RequestInfo], Awaitable[ResolvedSession[SessionT]]],
    ) -> AsyncIterator[SessionT]:
        """Yield the session for a route, and reply to its errors."""
        with _raise_refusals(connection):
            given = await find(self._cookies(connection), _request_info(connection, scopes.scopes))
        try:
            yield given.session
        except Exception as error:
            if (reply := given.reply(error)) is None:
                raise
            raise _exception(reply, connection) from None

    def _cookies(self, connection: HTTPConnection) -> Mapping[str, str]:
        """Return the request's cookies, and note that its response depends on them.

        Raises:
            ConfigurationError: the application's routes are not where browsers are sent.
        """
        use_of(connection.scope).of_session = True
        app = connection.scope.get("app")
        if isinstance(app, Starlette) and app not in self._prepared:
            outer = connection.scope.get("root_path", "").removeprefix(connection.scope.get("app_root_path", ""))
            self._prepare(app, outer if "app_root_path" in connection.scope else "")
            self._prepared.add(app)
        return read_cookies(*connection.headers.getlist("cookie"))

    @cached_property
    def _prepared(self) -> WeakSet[Starlette]:
        return WeakSet()

    def _prepare(self, app: Starlette, outer: str) -> None:
        """Wrap an application, and check the places of its routes for signing in.

        Args:
            app: the application, when it starts or has its first request.
            outer: the prefix at which another application mounts it.

        Raises:
            ConfigurationError: browsers would be sent to routes that do not exist.
        """
        wrap(app)
        with suppress(NoMatchFound):  # another application has the routes
            path = app.url_path_for(self._route_name)
            prefix = path.removesuffix(self._options.login_path)
            if not prefix:
                self._require_mount(outer)
            elif not self._options.mount.endswith(outer + prefix):
                paths = ", ".join(
                    f'{name}="{prefix}{getattr(self._options, name)}"'
                    for name in ("login_path", "logout_path", "me_path")
                )
                raise ConfigurationError(
                    "prefix",
                    f"must not be given with auth.router, not {prefix!r}: browsers are sent to "
                    f"{self._options.login_path}. Create GenAuth({paths}) instead",
                )


def _is_socket(connection: HTTPConnection) -> bool:
    return bool(connection.scope["type"] == "websocket")


def _query(connection: HTTPConnection) -> str:
    # Not from connection.url, into which some versions of Starlette copy the Host header.
    query: bytes = connection.scope["query_string"]
    return query.decode("latin-1")


def _request_info(connection: HTTPConnection, scopes: Sequence[str] = ()) -> RequestInfo:
    scope = connection.scope
    raw_path = scope.get("raw_path")
    path = raw_path.decode("latin-1") if isinstance(raw_path, bytes) else quote(scope["path"])
    query = _query(connection)
    return RequestInfo(
        method=scope.get("method", ""),  # WebSockets have none
        target=path.partition("?")[0] + (f"?{query}" if query else ""),
        accept=connection.headers.get("accept", ""),
        origin=connection.headers.get("origin"),
        is_for_a_socket=_is_socket(connection),
        scopes=tuple(scopes),
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


def _exception(reply: Refusal | Redirect, connection: HTTPConnection) -> Exception:
    if isinstance(connection, WebSocket):
        if WebSocketState.DISCONNECTED in {connection.client_state, connection.application_state}:
            return WebSocketDisconnect(close_code(reply), reply_text(reply))  # a second close would be an error
        return WebSocketException(close_code(reply), reply_text(reply))
    # FastAPI's exceptions carry each header once; a refusal has at most one cookie, the session's.
    cookies = {"Set-Cookie": reply.set_cookies[0]} if reply.set_cookies else {}
    return HTTPException(reply.status, reply_text(reply), {**reply.headers, **cookies})
