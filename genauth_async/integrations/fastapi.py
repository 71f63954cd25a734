"""GenAuth in FastAPI: routes that sign users in and out, and dependencies for bearer tokens and sessions.

    auth = GenAuth(client, scope="openid profile offline_access")
    app = FastAPI(lifespan=auth.lifespan)
    app.include_router(auth.router)

    @app.get("/orders")
    async def orders(claims: Annotated[AccessToken, Depends(auth.required)]) -> list[str]: ...

It needs the extra `fastapi`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any, TypeAlias, TypeVar, cast

try:
    from fastapi import APIRouter, HTTPException, Request, Response, Security
    from fastapi.openapi.models import OAuth2
    from fastapi.security import APIKeyCookie, OAuth2AuthorizationCodeBearer, SecurityScopes
except ModuleNotFoundError as missing:
    if (missing.name or "").partition(".")[0] != "fastapi":
        raise
    raise ImportError("this needs FastAPI: pip install 'genauth-async[fastapi]'") from missing

from ..errors import SessionError
from ..models.verification import AccessToken
from ..oidc.authorize import DEFAULT_SCOPE
from ..session import TokenSession
from ._auth import WebAuth
from ._replies import Page, Redirect, Refusal, RefusedError
from ._web import Asked

__all__ = ["GenAuth"]

_T = TypeVar("_T")
Dependency: TypeAlias = Callable[..., Coroutine[Any, Any, _T]]
"""What `Depends` takes, and gives a `_T`."""
SessionDependency: TypeAlias = Callable[..., AsyncIterator[_T]]
"""What `Depends` takes, gives a `_T`, and answers what goes wrong with it later."""


class GenAuth(WebAuth):
    __doc__ = WebAuth.__doc__

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """Closes the client when the application ends: `FastAPI(lifespan=auth.lifespan)`."""
        try:
            yield
        finally:
            await self._client.aclose()

    @cached_property
    def swagger_ui_init_oauth(self) -> dict[str, object]:
        """For `FastAPI(swagger_ui_init_oauth=...)`, so that the documentation page's Authorize button works.

        The page's own address, /docs/oauth2-redirect, has to be a registered callback of the application.
        """
        scopes = self._options.scope or DEFAULT_SCOPE
        return {
            "clientId": self._client.settings.app_id,
            "usePkceWithAuthorizationCodeGrant": True,
            "scopes": scopes,
        }

    @cached_property
    def required(self) -> Dependency[AccessToken]:
        """The claims of the request's bearer token, or 401; or 403, as `Security(auth.required, scopes=...)` asks."""
        bearer, scheme = self._bearer, self._scheme

        async def required(
            request: Request,
            scopes: SecurityScopes,
            _documented: str | None = Security(scheme),
        ) -> AccessToken:
            with _refusals():
                return await bearer.claims(request.headers.getlist("authorization"), scopes.scopes)

        return required

    @cached_property
    def optional(self) -> Dependency[AccessToken | None]:
        """The claims of the request's bearer token; None without one, and 401 with a bad one."""
        bearer, scheme = self._bearer, self._scheme

        async def optional(request: Request, _documented: str | None = Security(scheme)) -> AccessToken | None:
            with _refusals():
                return await bearer.optional_claims(request.headers.getlist("authorization"))

        return optional

    def scopes(self, *names: str) -> Dependency[AccessToken]:
        """The claims of the request's bearer token, which has to have all these scopes; or 401, or 403.

        Args:
            names: of the scopes.
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
        """The browser's session, or 401."""
        web = self._web

        async def session(
            request: Request, _documented: str | None = Security(self._cookie_scheme)
        ) -> AsyncIterator[TokenSession]:
            with _refusals():
                found = await web.session(request.cookies)
            try:
                yield found
            except SessionError as error:
                raise _exception(web.refusal(error)) from None

        return session

    @cached_property
    def optional_session(self) -> SessionDependency[TokenSession | None]:
        """The browser's session, or None."""
        web = self._web

        async def optional_session(
            request: Request, _documented: str | None = Security(self._cookie_scheme)
        ) -> AsyncIterator[TokenSession | None]:
            with _refusals():
                found = await web.optional_session(request.cookies)
            try:
                yield found
            except SessionError as error:
                raise _exception(web.refusal(error)) from None

        return optional_session

    @cached_property
    def page_session(self) -> SessionDependency[TokenSession]:
        """The browser's session; without one, a browser that asks for a page is sent to sign in and comes back."""
        web = self._web

        async def page_session(
            request: Request, _documented: str | None = Security(self._cookie_scheme)
        ) -> AsyncIterator[TokenSession]:
            asked = _asked(request)
            with _refusals():
                found = await web.page_session(request.cookies, asked)
            try:
                yield found
            except SessionError as error:
                raise _exception(web.page_refusal(web.refusal(error), asked)) from None

        return page_session

    @cached_property
    def router(self) -> APIRouter:
        """The routes: login, callback, logout and the user's claims. Include it without a prefix.

        Raises:
            ConfigurationError: the client has no redirect_uri, or there is no secret for cookies.
        """
        web, options = self._web, self._options
        router = APIRouter(tags=["sign-in"])

        @router.get(options.login_path, include_in_schema=False)
        async def login(request: Request) -> Response:
            return _sent(web.login(request.query_params.get("next"), request.cookies))

        @router.get(web.callback_path, include_in_schema=False)
        async def callback(request: Request) -> Response:
            return _sent(await web.callback(request.url.query, request.cookies))

        @router.post(options.logout_path, include_in_schema=False)
        async def logout(request: Request) -> Response:
            with _refusals():
                done = await web.logout(
                    request.cookies,
                    origin=request.headers.get("origin"),
                    fetch_site=request.headers.get("sec-fetch-site"),
                )
            return _sent(done)

        @router.get(options.me_path, response_model=None)
        async def me(
            request: Request,
            response: Response,
            _documented: str | None = Security(self._cookie_scheme),  # noqa: FAST002 - annotations know no locals
        ) -> dict[str, object]:
            """What GenAuth knows of the signed-in user."""
            response.headers["Cache-Control"] = "no-store"
            with _refusals():
                return (await web.me(request.cookies)).to_dict()

        return router

    @cached_property
    def _scheme(self) -> OAuth2AuthorizationCodeBearer:
        settings = self._client.settings
        endpoints = [settings.app_host + "/" + "/".join(settings.oauth_path(end)) for end in ("auth", "token")]
        return OAuth2AuthorizationCodeBearer(
            authorizationUrl=endpoints[0],
            tokenUrl=endpoints[1],
            refreshUrl=endpoints[1],
            scheme_name="GenAuth",
            scopes=dict.fromkeys((self._options.scope or DEFAULT_SCOPE).split(), ""),
            auto_error=False,
        )

    @cached_property
    def _cookie_scheme(self) -> APIKeyCookie:
        return APIKeyCookie(name=self._web.session_cookie, scheme_name="GenAuthSession", auto_error=False)


def _asked(request: Request) -> Asked:
    raw_path = request.scope.get("raw_path")
    path = raw_path.decode("latin-1") if isinstance(raw_path, bytes) else request.url.path
    query = f"?{request.url.query}" if request.url.query else ""
    return Asked(method=request.method, target=path.partition("?")[0] + query, accept=request.headers.get("accept", ""))


def _sent(reply: Redirect | Page) -> Response:
    content = reply.html if isinstance(reply, Page) else None
    response = Response(content, reply.status, dict(reply.headers))
    for cookie in reply.set_cookies:
        response.headers.append("Set-Cookie", cookie)
    return response


@contextmanager
def _refusals() -> Iterator[None]:
    """Lets FastAPI answer what is refused."""
    try:
        yield
    except RefusedError as error:
        reply = error.reply
    else:
        return
    # Out here, the exception does not lead error reporters to frames that hold the token.
    raise _exception(reply)


def _exception(reply: Refusal | Redirect) -> HTTPException:
    # FastAPI's exceptions carry each header once; a refusal has one cookie at most, the session's.
    cookies = {"Set-Cookie": reply.set_cookies[0]} if reply.set_cookies else {}
    detail = reply.detail if isinstance(reply, Refusal) else "The user has to sign in"
    return HTTPException(reply.status, detail, {**reply.headers, **cookies})
