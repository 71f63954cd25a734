"""What the frameworks' modules have in common."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from ..errors import ConfigurationError, GenAuthError
from ..stores import TokenStore
from ._bearer import Bearer
from ._web import LoginOptions, WebLogin

if TYPE_CHECKING:
    from ..client import AuthenticationClient

_log: Final = logging.getLogger(__name__)
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")  # RFC 6749 section 3.3


class WebAuth:
    """GenAuth in a web application: bearer tokens of API calls, and users who sign in with their browsers.

    Args:
        client: the application's. Signing users in needs its redirect_uri, whose path is the callback's; it is never
            taken from a request.
        store: keeps the signed-in users' tokens, which are never in cookies; this process's memory when None.
        cookie_secret: seals the cookies; derived from the app secret when None. With several, the first seals and all
            open, so that it can be changed without signing everybody out.
        cookie_prefix: begins the cookies' names; applications on one host need different ones.
        scope: what sign-ins ask for, separated by spaces. With offline_access a session outlives its access token.
        audience: whom bearer tokens may be for; one of several is enough. The client's application when None.
        api_scopes: those of your own APIs, which FastAPI's documentation page is to show in its Authorize dialog.
        login_path: where a sign-in begins; `?next=` says where it leads.
        logout_path: where a POST ends the session.
        me_path: gives the user's claims.
        after_login: where users go who came from nowhere.
        mount: what stands before all these paths in browsers' addresses (and in redirect_uri), when a proxy or an
            outer application takes it away.
        session_lifetime: seconds after which the user has to sign in again, however busy they were.
        login_lifetime: seconds in which the user has to be back from the hosted page.
        warm: fetch the keys that verify tokens when the application starts, so that no request waits for them. If they
            cannot be fetched then, the log says so, and the first request tries again.

    Raises:
        ConfigurationError: an argument cannot be right.
    """

    def __init__(
        self,
        client: AuthenticationClient,
        *,
        store: TokenStore | None = None,
        cookie_secret: str | Sequence[str] | None = None,
        cookie_prefix: str = "genauth_web",
        scope: str | None = None,
        audience: str | Sequence[str] | None = None,
        api_scopes: Sequence[str] = (),
        login_path: str = "/login",
        logout_path: str = "/logout",
        me_path: str = "/me",
        after_login: str = "/",
        mount: str = "",
        session_lifetime: float = 7 * 86400.0,
        login_lifetime: float = 600.0,
        warm: bool = False,
    ) -> None:
        if isinstance(api_scopes, str) or not all(_SCOPE.fullmatch(name) for name in api_scopes):
            raise ConfigurationError(
                "api_scopes", 'takes the names one by one, such as ("orders:read", "orders:write")'
            )
        self._client = client
        self._warm = warm
        self._api_scopes = tuple(api_scopes)
        self._bearer = Bearer(client, audience)
        self._options = LoginOptions(
            store=store,
            cookie_secret=cookie_secret,
            cookie_prefix=cookie_prefix,
            scope=scope,
            login_path=login_path,
            logout_path=logout_path,
            me_path=me_path,
            after_login=after_login,
            mount=mount,
            session_lifetime=session_lifetime,
            login_lifetime=login_lifetime,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"

    async def _fetch_keys(self) -> None:
        try:
            await self._client.fetch_keys()
        except GenAuthError as error:
            _log.warning("The keys could not be fetched at the start: %s", error)

    @cached_property
    def _web(self) -> WebLogin:
        # Made when it is asked for: an API that only takes bearer tokens needs neither redirect_uri nor cookies.
        return WebLogin(self._client, self._options)
