"""The common base of the frameworks' modules."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

from .._arguments.numbers import require_bool
from ..api._base import parts_of
from ..errors import ConfigurationError, GenAuthError
from ..stores import TokenStore
from ..stores._protocol import require_store
from ._bearer_tokens import Bearer
from ._web_login import LoginOptions, WebLogin

if TYPE_CHECKING:
    from ..client import AuthenticationClient

_log: Final = logging.getLogger(__name__)
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")  # RFC 6749 section 3.3


class WebAuth:
    """GenAuth in a web application: bearer tokens of API calls, and sessions of users who sign in with browsers.

    Args:
        client: the application's. To sign users in it needs a redirect_uri, whose path is the callback's; the address
            is never taken from a request.
        store: the store of the users' tokens, which are never in cookies; this process's memory when None.
        cookie_secret: seals the cookies; derived from the app secret when None. Of several, the first seals and all
            open, so that a change of secrets signs no user out.
        cookie_prefix: the prefix of the cookies' names; applications on one host need different ones.
        scope: the requested scope, separated by spaces. With offline_access a session outlives its access token.
        audience: the accepted audience of bearer tokens, or several; the client's application when None.
        api_scopes: the scopes of your own APIs, for the Authorize dialog of FastAPI's documentation page.
        login_path: the route that begins a sign-in; `?next=` is the address to go to afterwards.
        logout_path: the route whose POST ends the session.
        me_path: the route that returns the user's claims.
        after_login: the address after a sign-in without `?next=`.
        mount: the prefix of all these paths in browsers' addresses (and in redirect_uri) that a proxy or an outer
            application removes.
        session_lifetime: seconds after which the user must sign in again, regardless of activity.
        session_idle_timeout: seconds without a request after which the user must sign in again, or a tenth sooner. The
            store must be a SessionIndex.
        login_lifetime: seconds within which the user must return from the hosted page.
        warm: fetch the keys that verify tokens when the application starts, so that no request waits for them. If that
            fails, a warning is logged, and the first request retries.

    Raises:
        ConfigurationError: an argument is invalid.
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
        session_idle_timeout: float | None = None,
        login_lifetime: float = 600.0,
        warm: bool = False,
    ) -> None:
        _, self._shared = parts_of(client)
        if store is not None:
            require_store("store", store)
        if isinstance(api_scopes, str) or not all(_SCOPE.fullmatch(name) for name in api_scopes):
            raise ConfigurationError(
                "api_scopes", 'must be a sequence of names, such as ("orders:read", "orders:write")'
            )
        self._client = client
        self._applications = 0
        self._warm = require_bool("warm", warm)
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
            session_idle_timeout=session_idle_timeout,
            login_lifetime=login_lifetime,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        """Close the client's connections after the last application that uses them; another one may start later."""
        self._applications += 1
        try:
            if self._warm:
                await self._fetch_keys()
            yield
        finally:
            self._applications -= 1
            if not self._applications:
                await self._shared.aclose(for_good=False)

    async def sign_out_everywhere(self, user: str) -> int:
        """End all browser sessions of a user in the store, and revoke their tokens.

        Sessions that another process has in memory end there with their next request.

        Args:
            user: the user's `sub`.

        Returns:
            The number of sessions that were ended.

        Raises:
            ConfigurationError: the store is no SessionIndex, and the error names the missing methods; or the client's
                protocol is not oidc.
            StoreError: the store failed, so sessions may be left; call again.
        """
        return await self._web.sign_out_everywhere(user)

    def _require_mount(self, outer: str) -> None:
        """Check that `mount` has the prefix that an outer application removes.

        Args:
            outer: the prefix; empty without an outer application.

        Raises:
            ConfigurationError: it has not, so that browsers would be sent to routes that do not exist.
        """
        if not self._options.mount.endswith(outer):
            raise ConfigurationError(
                "mount",
                f"must end with {outer!r}, not be {self._options.mount!r}: an outer application mounts this one there. "
                f"Create GenAuth(mount={outer!r}), and register a redirect_uri whose path begins with it",
            )

    async def _fetch_keys(self) -> None:
        try:
            await self._client.fetch_keys()
        except GenAuthError as error:
            _log.warning("The keys could not be fetched at startup: %s", error)

    @cached_property
    def _web(self) -> WebLogin:
        # Created lazily: an API that only takes bearer tokens needs neither redirect_uri nor cookies.
        return WebLogin(self._client, self._options)
