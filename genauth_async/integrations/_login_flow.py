"""Sign-in through the hosted page (authorization code flow, RFC 6749 section 4.1)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from .._crypto.sealing import Seal
from ..errors import (
    CallbackError,
    ClientClosedError,
    ConfigurationError,
    GenAuthAPIError,
    GenAuthError,
    InvalidClientError,
    InvalidResponseError,
    IssuerMismatchError,
    KeysUnavailableError,
    LoginExpiredError,
    OAuthError,
    SessionError,
    StateMismatchError,
    TokenVerificationError,
    TransportError,
)
from ..oidc._login_states import LoginStates
from ..oidc.login import callback_parameters
from ._browser_sessions import BrowserSessions
from ._replies import Page, Redirect, RefusedError, page
from ._safe_next import safe_next

if TYPE_CHECKING:
    from ..client import AuthenticationClient

_log: Final = logging.getLogger(__name__)

_UNREACHABLE: Final = (TransportError, InvalidResponseError, KeysUnavailableError, GenAuthAPIError)
_PASSING: Final = frozenset({"server_error", "temporarily_unavailable"})
# Longer addresses would make a state that servers refuse.
_LONGEST_NEXT: Final = 1500
_OURS: Final = (InvalidClientError, ConfigurationError, ClientClosedError)


class LoginFlow:
    """Begins and completes sign-ins.

    Args:
        client: the application's.
        sessions: the sessions that sign-ins begin.
        seal: the seal of the states.
        prefix: the prefix of the names of the cookies that bind states to browsers.
        scope: the requested scope.
        login_url: the path of the login route, as browsers see it.
        default_next: the address after a sign-in without a `next`.
        lifetime: seconds within which the user must return.
    """

    def __init__(
        self,
        client: AuthenticationClient,
        sessions: BrowserSessions,
        seal: Seal,
        prefix: str,
        *,
        scope: str | None,
        login_url: str,
        default_next: str,
        lifetime: float,
    ) -> None:
        self._client = client
        self._sessions = sessions
        self._states = LoginStates(seal, prefix)
        self._scope = scope
        self._login_url = login_url
        self._default_next = default_next
        self._lifetime = lifetime

    def address(self, next_url: str | None) -> str:
        """Return the login route's address for a sign-in that leads to `next_url`."""
        target = safe_next(next_url, self._default_next)
        return self._login_url if target == self._default_next else f"{self._login_url}?{urlencode({'next': target})}"

    def begin(self, next_url: str | None, cookies: Mapping[str, str]) -> Redirect:
        """Begin an attempt and redirect to the hosted page.

        Args:
            next_url: the address to go to afterwards, from the request.
            cookies: the request's.
        """
        target = safe_next(next_url, self._default_next)
        url, set_cookies = self._states.begin(
            self._client.begin_login(scope=self._scope, lifetime=self._lifetime),
            cookies,
            now=self._client.settings.clock.wall(),
            more={
                "next": target if len(target) <= _LONGEST_NEXT else self._default_next,
                # Chosen now, so that a callback that comes twice begins one session. The browser cannot read it.
                "session": secrets.token_urlsafe(32),
            },
        )
        return Redirect(url=url, set_cookies=set_cookies)

    async def finish(self, query: str, cookies: Mapping[str, str]) -> Redirect | Page:
        """Handle the callback from the hosted page: begin a session, or return an error page.

        Args:
            query: the callback URL's.
            cookies: the request's.
        """
        callback, next_url = f"?{query}", self._default_next
        try:
            content = self._states.opened(callback_parameters(callback).get("state", ""))
            next_url = safe_next(str(content.get("next")), self._default_next)
            attempt = self._states.attempt(content, cookies, now=self._client.settings.clock.wall())
            exchange = partial(self._client.finish_login, callback, attempt)
            cookie = await self._sessions.begin(str(content["session"]), exchange, cookies)
        except (SessionError, RefusedError) as error:
            _log.warning("A session could not be begun: %s", error)
            return self._page(503, "The session could not be started", "Please try again in a moment.", next_url)
        except GenAuthError as error:
            is_users_own = isinstance(error, OAuthError) and error.error == "access_denied"
            # The repr, since the callback's text could contain line breaks.
            _log.log(logging.INFO if is_users_own else logging.WARNING, "A sign-in failed: %r", error)
            status = 503 if _is_unreachable(error) else 500 if isinstance(error, _OURS) else 400
            # An old page, the back button, or a second tab: this user needs no error page.
            if status == HTTPStatus.BAD_REQUEST and await self._sessions.is_live(cookies):
                return Redirect(url=next_url)
            return self._page(status, *_explain(error), next_url)
        return Redirect(url=next_url, set_cookies=(cookie,))

    def _page(self, status: int, title: str, explanation: str, next_url: str) -> Page:
        return page(status, title, explanation, link=self.address(next_url), text="Sign in again")


def _is_unreachable(error: GenAuthError) -> bool:
    """Return True for a temporary failure of the sign-in server or the network."""
    if isinstance(error, OAuthError):
        too_many = error.http_status == HTTPStatus.TOO_MANY_REQUESTS
        return error.error in _PASSING or too_many or error.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, _UNREACHABLE)


def _explain(error: GenAuthError) -> tuple[str, str]:  # noqa: PLR0911 - a table, with tests
    """Return the title and the explanation of an error page."""
    if isinstance(error, StateMismatchError):
        return "This sign-in is not known to this site", error.message
    if isinstance(error, LoginExpiredError):
        return "The sign-in took too long", "It has expired. Please start again."
    if isinstance(error, IssuerMismatchError):
        return (
            "The answer comes from another server",
            "This site does not sign users in with the server that sent it.",
        )
    if _is_unreachable(error):
        return "The sign-in server cannot be reached", "It did not answer as expected. Please try again in a moment."
    if isinstance(error, _OURS):
        return "This site cannot sign users in", "The site is misconfigured; see its log."
    if isinstance(error, OAuthError):
        said = f"{error.error}: {error.error_description}" if error.error_description else error.error
        return "The sign-in was refused", f"The server says: {said}"
    if isinstance(error, TokenVerificationError):
        return "The sign-in could not be verified", "Your ID token is invalid."
    if isinstance(error, CallbackError):
        return "The sign-in cannot be completed", error.message
    return "The sign-in server cannot be reached", "It did not answer as expected. Please try again in a moment."
