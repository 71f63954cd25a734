"""Sign-in, sign-out and sessions of a web application, independent of its framework."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from attrs import field, frozen

from .._arguments.numbers import require_seconds
from .._arguments.text import require_str
from .._crypto.sealing import Seal
from ..errors import ConfigurationError, GenAuthError, OAuthError
from ..models.tokens import UserInfo
from ..oidc._login_states import cookie_secrets
from ..oidc.authorize import DEFAULT_SCOPE
from ..session import TokenSession
from ..stores import MemoryStore, TokenStore
from ..stores._protocol import require_index
from ._browser_sessions import BrowserSessions
from ._cookies import CookieNames
from ._login_flow import LoginFlow
from ._redirect_uri import checked_redirect_uri
from ._replies import Page, Redirect, Refusal, RefusedError, unavailable
from ._resolved_session import RequestSession, ResolvedSession
from ._safe_next import safe_next

if TYPE_CHECKING:
    from ..client import AuthenticationClient

_log: Final = logging.getLogger(__name__)
_UNREADABLE: Final = "The user's data cannot be read now"
_T = TypeVar("_T")


@frozen(kw_only=True)
class LoginOptions:
    """Options of a web application's sign-in, as documented for GenAuth's parameters."""

    store: TokenStore | None = None
    cookie_secret: str | Sequence[str] | None = field(default=None, repr=False)
    cookie_prefix: str = "genauth_web"
    scope: str | None = None
    login_path: str = "/login"
    logout_path: str = "/logout"
    me_path: str = "/me"
    after_login: str = "/"
    mount: str = ""
    session_lifetime: float = 7 * 86400.0
    session_idle_timeout: float | None = None
    login_lifetime: float = 600.0

    def __attrs_post_init__(self) -> None:
        for argument in ("login_path", "logout_path", "me_path", "after_login"):
            if not getattr(self, argument).startswith("/"):
                raise ConfigurationError(argument, "must be a path that begins with /")
        for argument in ("session_lifetime", "login_lifetime"):
            require_seconds(argument, getattr(self, argument), least=1)
        if self.session_idle_timeout is not None:
            require_seconds("session_idle_timeout", self.session_idle_timeout, least=1)
            require_index("store", MemoryStore() if self.store is None else self.store)
        if self.mount and (not self.mount.startswith("/") or self.mount.endswith("/")):
            raise ConfigurationError("mount", "must be a path that begins with / and does not end with it")


@frozen(kw_only=True)
class RequestInfo:
    """The parts of a request that decide how it is answered.

    Attributes:
        method: the HTTP method.
        target: the path and the query as sent.
        accept: the Accept header.
        origin: the Origin header.
        is_for_a_socket: True if the request opens a WebSocket.
        scopes: the scopes that its session must have been granted.
    """

    method: str
    target: str = field(repr=False)
    accept: str
    origin: str | None = None
    is_for_a_socket: bool = False
    scopes: tuple[str, ...] = ()

    @property
    def is_for_a_page(self) -> bool:
        """Return True if a browser requests a page, rather than a script data."""
        return not self.is_for_a_socket and self.method in {"GET", "HEAD"} and "text/html" in self.accept.lower()


class WebLogin:
    """Signs the users of a web application in and out, by redirects and cookies.

    Args:
        client: the application's; it needs a redirect_uri.
        options: the sign-in's options.

    Raises:
        ConfigurationError: redirect_uri is missing or unusable, or there is no secret for cookies.
    """

    def __init__(self, client: AuthenticationClient, options: LoginOptions) -> None:
        settings = client.settings
        # Never from a request: behind a proxy it would be wrong, and a forged Host header would steal the code.
        redirect_uri = checked_redirect_uri(settings.redirect_uri)
        mount = options.mount
        if mount and not redirect_uri.path.startswith(f"{mount}/"):
            raise ConfigurationError("mount", f"must be a prefix of redirect_uri's path, {redirect_uri.path}")
        if safe_next(options.after_login, "") != options.after_login:
            raise ConfigurationError("after_login", "must be a path of this site")
        client.begin_login(scope=options.scope, lifetime=options.login_lifetime)  # raises now rather than for a user
        self._client = client
        self._options = options
        self._origin = redirect_uri.origin
        self.callback_path = redirect_uri.path.removeprefix(mount)
        paths = (self.callback_path, options.login_path, options.logout_path, options.me_path)
        if len(set(paths)) < len(paths):
            raise ConfigurationError("redirect_uri", f"must differ in path from the other routes: {', '.join(paths)}")
        secrets = cookie_secrets(options.cookie_secret, settings.app_secret)
        names = CookieNames(options.cookie_prefix, secure=redirect_uri.secure)
        self.session_cookie = names.session
        self._sessions = BrowserSessions(
            client,
            MemoryStore() if options.store is None else options.store,
            Seal(secrets, f"web session {settings.app_id}"),
            names,
            lifetime=options.session_lifetime,
            idle=options.session_idle_timeout,
        )
        self._flow = LoginFlow(
            client,
            self._sessions,
            Seal(secrets, f"web login state {settings.app_id}"),
            names.login_prefix,
            scope=options.scope,
            login_url=mount + options.login_path,
            default_next=mount + options.after_login,
            lifetime=options.login_lifetime,
        )

    def login(self, next_url: str | None, cookies: Mapping[str, str]) -> Redirect:
        """Begin a sign-in.

        Args:
            next_url: the address to go to afterwards, from the request.
            cookies: the request's.
        """
        return self._flow.begin(next_url, cookies)

    async def callback(self, query: str, cookies: Mapping[str, str]) -> Redirect | Page:
        """Complete a sign-in: begin a session, or return an error page.

        Args:
            query: the request's.
            cookies: the request's.
        """
        return await self._flow.finish(query, cookies)

    async def logout(self, cookies: Mapping[str, str], *, origin: str | None, fetch_site: str | None) -> Redirect:
        """End the browser's session and redirect to the hosted sign-out page.

        Args:
            cookies: the request's.
            origin: its Origin header.
            fetch_site: its Sec-Fetch-Site header.

        Raises:
            RefusedError: another site's page sent the request (403). SameSite stops only those of other domains.
        """
        # Current browsers send Sec-Fetch-Site, which is right behind proxies and on pages without a referrer, too.
        is_ours = fetch_site in {"same-origin", "none"} if fetch_site else origin in {None, self._origin}
        if not is_ours:
            raise RefusedError(Refusal(status=403, detail="Only a page of this site can sign the user out"))
        id_token, cleared = await self._sessions.end(cookies)
        return Redirect(url=self._client.build_logout_url(id_token=id_token), set_cookies=cleared)

    async def sign_out_everywhere(self, user: str) -> int:
        """End all sessions of a user, and revoke their tokens.

        Args:
            user: the user's `sub`.
        """
        return await self._sessions.end_all(require_str("user", user))

    async def session(self, cookies: Mapping[str, str], info: RequestInfo) -> ResolvedSession[RequestSession]:
        """Return the browser's session, with a valid access token.

        Args:
            cookies: the request's.
            info: the request.

        Raises:
            RefusedError: there is no session (401), or its token cannot be refreshed now (503).
        """
        return ResolvedSession(await self._found(cookies, info), self._sessions.refusal)

    async def optional_session(
        self, cookies: Mapping[str, str], info: RequestInfo
    ) -> ResolvedSession[RequestSession | None]:
        """Return the browser's session, or None.

        Args:
            cookies: the request's.
            info: the request.

        Raises:
            RefusedError: its token cannot be refreshed now (503).
        """
        found = None
        try:
            found = await self._found(cookies, info)
        except RefusedError as error:
            if error.reply.status != HTTPStatus.UNAUTHORIZED:
                raise
        return ResolvedSession(found, lambda error: self.optional_refusal(self._sessions.refusal(error), info))

    async def page_session(self, cookies: Mapping[str, str], info: RequestInfo) -> ResolvedSession[RequestSession]:
        """Return the browser's session, for a page.

        Args:
            cookies: the request's.
            info: the request.

        Raises:
            RefusedError: there is no session. A browser that requests a page is redirected to sign in (303); other
                clients get a 401.
        """
        found = await self._for_a_page(self._found(cookies, info), info)
        return ResolvedSession(found, lambda error: self.page_refusal(self._sessions.refusal(error), info))

    def page_refusal(self, refusal: Refusal, info: RequestInfo) -> Refusal | Redirect:
        """Return the refusal, or a redirect to sign in for a browser that requests a page.

        Args:
            refusal: the answer for a script.
            info: the request.
        """
        if refusal.status != HTTPStatus.UNAUTHORIZED or not info.is_for_a_page:
            return refusal
        return Redirect(url=self._flow.address(self._address(info)), set_cookies=refusal.set_cookies)

    def optional_refusal(self, refusal: Refusal, info: RequestInfo) -> Refusal | Redirect:
        """Return the refusal of an optional session, or a redirect to the same page without it.

        Args:
            refusal: the answer for a script.
            info: the request.
        """
        if info.is_for_a_page and refusal.set_cookies:  # clearing the cookie prevents a redirect loop
            default = self._options.mount + self._options.after_login
            return Redirect(url=safe_next(self._address(info), default), set_cookies=refusal.set_cookies)
        return self.page_refusal(refusal, info)

    async def user(self, cookies: Mapping[str, str], info: RequestInfo) -> UserInfo:
        """Return the user's claims from the userinfo endpoint.

        Args:
            cookies: the request's.
            info: the request.

        Raises:
            RefusedError: no user is signed in (401); or GenAuth is unavailable, or answers with another user (503).
        """
        user = await self._user_info(await self._found(cookies, info))
        if self._sessions.subject(cookies) in {None, user.sub}:
            return user
        # OpenID Connect Core section 5.3.2
        _log.warning("The userinfo endpoint names another user than the ID token of the sign-in")
        raise RefusedError(unavailable(_UNREADABLE, None))

    async def page_user(self, cookies: Mapping[str, str], info: RequestInfo) -> UserInfo:
        """Return the user's claims from the userinfo endpoint, for a page.

        Args:
            cookies: the request's.
            info: the request.

        Raises:
            RefusedError: as by `page_session` and `user`.
        """
        return await self._for_a_page(self.user(cookies, info), info)

    async def _found(self, cookies: Mapping[str, str], info: RequestInfo) -> RequestSession:
        # Requests from pages of neighbouring hosts carry the cookies; only this check keeps them from opening and
        # reading a WebSocket.
        if info.is_for_a_socket and info.origin not in {None, self._origin}:
            detail = "A page of another site has no session here"
            raise RefusedError(Refusal(status=401, detail=detail, www_authenticate="Cookie"))
        session = await self._sessions.find(cookies)
        # An answer without a scope grants the requested one (RFC 6749 section 5.1).
        granted = session.tokens.scope or self._options.scope or DEFAULT_SCOPE
        if not set(info.scopes) <= set(granted.split(" ")):
            raise RefusedError(Refusal(status=403, detail="The session lacks a required scope"))
        return session

    async def _for_a_page(self, found: Awaitable[_T], info: RequestInfo) -> _T:
        try:
            return await found
        except RefusedError as error:
            refusal = error.reply
        raise RefusedError(self.page_refusal(refusal, info) if isinstance(refusal, Refusal) else refusal)

    def _address(self, info: RequestInfo) -> str:
        """Return the request's address as browsers see it."""
        mount, target = self._options.mount, info.target
        is_whole = target.partition("?")[0] == mount or target.startswith(f"{mount}/")
        return target if is_whole else mount + target

    async def _user_info(self, session: TokenSession) -> UserInfo:
        token = await self._sessions.access_token(session)
        try:
            try:
                return await self._client.get_user_info_by_access_token(token)
            except OAuthError as error:
                if error.error != "invalid_token":
                    raise
                # The token was revoked early: a refresh brings a new one, or the session has ended.
                await session.invalidate(token)
                token = await self._sessions.access_token(session)
                return await self._client.get_user_info_by_access_token(token)
        except GenAuthError as error:
            refusal = unavailable(_UNREADABLE, getattr(error, "retry_after", None))
        raise RefusedError(refusal)


def reply_text(reply: Refusal | Redirect) -> str:
    """Return a reply's text, for an answer without room for more."""
    return reply.detail if isinstance(reply, Refusal) else "The user has to sign in"


def close_code(reply: Refusal | Redirect) -> int:
    """Return the WebSocket close code for a reply (RFC 6455 section 7.4.1, and its registry)."""
    return 1013 if reply.status == HTTPStatus.SERVICE_UNAVAILABLE else 1008
