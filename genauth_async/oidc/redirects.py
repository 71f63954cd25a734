"""Redirects for any web framework: responses as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from attrs import field, frozen

from .._arguments.numbers import require_bool
from .._core.redaction import redact
from .._crypto.sealing import Seal
from ..models.tokens import OIDCTokenResponse
from ..settings import Timeout
from ._cookie_header import read_cookies
from ._login_states import LoginStates, cookie_secrets
from .login import Login, callback_parameters

_APP_CHARS: Final = 8


@frozen(kw_only=True)
class Redirect:
    """Redirect response for a browser, as data.

    Attributes:
        url: where to: the Location header.
        set_cookies: the values of the Set-Cookie headers.
        status: the HTTP status code.
    """

    url: str = field(repr=lambda url: repr(url.partition("?")[0]))
    set_cookies: tuple[str, ...] = field(default=(), repr=redact)
    status: int = 302

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return all headers of the answer, for frameworks that take pairs."""
        cookies = (("set-cookie", value) for value in self.set_cookies)
        return ("location", self.url), ("cache-control", "no-store"), *cookies


class Redirects(Login):
    """Offer the vendor's redirect helpers, without a framework's request and response objects."""

    def login_with_redirect(
        self,
        *,
        scope: str | None = None,
        redirect_uri: str | None = None,
        forced: bool = False,
        cookies: str | Mapping[str, str] | None = None,
        cookie_secret: str | Sequence[str] | None = None,
    ) -> Redirect:
        """Begin a sign-in: the answer sends the browser to the hosted page, with a cookie for the way back.

        The state parameter holds the sealed LoginAttempt. The cookie holds a random value that binds it to the browser;
        it is HttpOnly, SameSite=Lax, and, unless redirect_uri is http to this machine, Secure and named `__Host-...`.
        Several tabs can sign in at once.

        Args:
            scope: separated by spaces; `openid profile email phone address` when None.
            redirect_uri: where the user comes back to; the client's when None.
            forced: the user has to sign in although they have a session.
            cookies: the request's Cookie header, or its cookies by name; a cookie of an earlier attempt is used again.
            cookie_secret: a random text of at least 32 characters that seals the state, or several, of which the first
                seals and all open; the application's secret when None.

        Raises:
            ConfigurationError: an argument is missing or cannot be right.
        """
        states = self._states(cookie_secret)
        prompt = "login" if require_bool("forced", forced) else None
        attempt = self.begin_login(scope=scope, redirect_uri=redirect_uri, prompt=prompt)
        url, set_cookies = states.begin(attempt, _by_name(cookies or {}), now=self._settings.clock.wall())
        return Redirect(url=url, set_cookies=set_cookies)

    async def handle_redirect_callback(
        self,
        callback_url: str,
        cookies: str | Mapping[str, str],
        *,
        cookie_secret: str | Sequence[str] | None = None,
        timeout: Timeout | None = None,
    ) -> OIDCTokenResponse:
        """Complete the sign-in that `login_with_redirect` began.

        Args:
            callback_url: the URL with which the browser came back, or its query alone.
            cookies: the request's Cookie header. A mapping of its cookies is accepted, too, but frameworks' parsers let
                neighbouring hosts set cookies named `__Host-`.
            cookie_secret: the same as in `login_with_redirect`.
            timeout: seconds for each request, or an httpx.Timeout; the client's when None.

        Raises:
            StateMismatchError: the browser has no cookie of this attempt, or the callback was made up.
            CallbackError, OAuthError, TokenVerificationError, TransportError, InvalidResponseError: as `finish_login`.
        """
        states = self._states(cookie_secret)
        content = states.opened(callback_parameters(callback_url).get("state", ""))
        attempt = states.attempt(content, _by_name(cookies), now=self._settings.clock.wall())
        return await self.finish_login(callback_url, attempt, timeout=timeout)

    def logout_with_redirect(
        self, redirect_uri: str | None = None, id_token: str | None = None, state: str | None = None
    ) -> Redirect:
        """Build the answer that sends the browser to the hosted sign-out page; parameters as in `build_logout_url`.

        Args:
            redirect_uri: where the user comes back to.
            id_token: who is to be signed out.
            state: comes back with the user.

        Raises:
            ConfigurationError: an argument is not valid.
        """
        return Redirect(url=self.build_logout_url(redirect_uri, id_token, state))

    def _states(self, cookie_secret: str | Sequence[str] | None) -> LoginStates:
        app_id = self._settings.app_id
        # The ports of a host share its cookies: another application's must be left alone.
        prefix = f"genauth-login-{sha256(app_id.encode()).hexdigest()[:_APP_CHARS]}-"
        return LoginStates(
            Seal(cookie_secrets(cookie_secret, self._settings.app_secret), f"login state {app_id}"), prefix
        )


def _by_name(cookies: str | Mapping[str, str]) -> Mapping[str, str]:
    return read_cookies(cookies) if isinstance(cookies, str) else cookies
