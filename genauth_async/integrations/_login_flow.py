"""Sign-in through the hosted page (authorization code flow, RFC 6749 section 4.1)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from attrs import field, frozen

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
    StateMismatchError,
    TokenVerificationError,
    TransportError,
)
from ..models.tokens import OIDCTokenResponse
from ..oidc.attempt import LoginAttempt
from ._cookies import CookieNames
from ._replies import Page, Redirect, page
from ._safe_next import safe_next

if TYPE_CHECKING:
    from ..client import AuthenticationClient

_log: Final = logging.getLogger(__name__)

_UNREACHABLE: Final = (TransportError, InvalidResponseError, KeysUnavailableError, GenAuthAPIError)
_PASSING: Final = frozenset({"server_error", "temporarily_unavailable"})
_OURS: Final = (InvalidClientError, ConfigurationError, ClientClosedError)


@frozen(kw_only=True)
class CompletedLogin:
    """A completed sign-in.

    Attributes:
        tokens: the token response.
        next_url: the address to go to.
        set_cookies: the values of the Set-Cookie headers that end the attempt.
    """

    tokens: OIDCTokenResponse = field(repr=False)
    next_url: str
    set_cookies: tuple[str, ...]


class LoginFlow:
    """Begins and completes sign-ins.

    Args:
        client: the application's.
        seal: the seal of the attempts' cookies.
        names: the names of the cookies.
        scope: the requested scope.
        login_url: the path of the login route, as browsers see it.
        default_next: the address after a sign-in without a `next`.
        lifetime: seconds within which the user must return.
    """

    def __init__(
        self,
        client: AuthenticationClient,
        seal: Seal,
        names: CookieNames,
        *,
        scope: str | None,
        login_url: str,
        default_next: str,
        lifetime: float,
    ) -> None:
        self._client = client
        self._seal = seal
        self._attempts = names.attempts
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
        attempt = self._client.begin_login(scope=self._scope, lifetime=self._lifetime)
        set_cookies = self._attempts.begin(
            attempt,
            cookies,
            self._seal,
            now=self._client.settings.clock.wall(),
            more={"next": safe_next(next_url, self._default_next)},
        )
        return Redirect(url=attempt.url, set_cookies=set_cookies)

    async def finish(self, query: str, cookies: Mapping[str, str]) -> CompletedLogin | Page:
        """Handle the callback from the hosted page.

        Args:
            query: the callback URL's.
            cookies: the request's.
        """
        state = _state(query)
        sealed = self._attempts.sealed(state, cookies)
        content = self._seal.opened(sealed) if sealed is not None else None
        ended = self._attempts.end(state, cookies)
        kept = content.pop("next", None) if content is not None else None
        next_url = safe_next(kept if isinstance(kept, str) else None, self._default_next)
        try:
            if content is None:
                raise StateMismatchError(self._why_unknown(sealed, cookies))
            attempt = LoginAttempt.from_dict(content)
            tokens = await self._client.finish_login(f"?{query}", attempt)
        except GenAuthError as error:
            is_users_own = isinstance(error, OAuthError) and error.error == "access_denied"
            # The repr, since the callback's text could contain line breaks.
            _log.log(logging.INFO if is_users_own else logging.WARNING, "A sign-in failed: %r", error)
            return self._failed(error, next_url, ended)
        return CompletedLogin(tokens=tokens, next_url=next_url, set_cookies=ended)

    def _failed(self, error: GenAuthError, next_url: str, ended: tuple[str, ...]) -> Page:
        title, explanation = _explain(error)
        status = 503 if _is_unreachable(error) else 500 if isinstance(error, _OURS) else 400
        return page(status, title, explanation, link=self.address(next_url), text="Sign in again", set_cookies=ended)

    def _why_unknown(self, sealed: str | None, cookies: Mapping[str, str]) -> str:
        host = urlsplit(self._client.settings.redirect_uri or "").netloc
        if sealed is not None:
            return "The cookie of this sign-in was changed, or the site has changed its cookie secret."
        if self._attempts.are_in(cookies):
            return (
                "This answer belongs to none of the sign-ins that your browser has started here. It may be an old "
                "page, a sign-in that is already complete, or a link from another person."
            )
        return (
            "Your browser sent no cookie of a sign-in. Either it blocks cookies; or you started at another address "
            f"than {host}, which the server sent you back to; or more than {self._lifetime / 60:.0f} minutes have "
            "passed; or this sign-in is already complete."
        )


def _state(query: str) -> str:
    try:
        return parse_qs(query, max_num_fields=100).get("state", [""])[0]
    except ValueError:
        return ""


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
        return "The answer is incomplete", error.message
    return "The sign-in server cannot be reached", "It did not answer as expected. Please try again in a moment."
