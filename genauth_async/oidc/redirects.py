"""Redirects for any web framework: responses as data."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from .._arguments.numbers import require_bool
from .._arguments.urls import is_loopback
from .._core.redaction import redact
from ..errors import CallbackError, ConfigurationError, StateMismatchError
from ..models.tokens import OIDCTokenResponse
from ..settings import Timeout
from ._attempt_cookies import AttemptCookies
from .attempt import LoginAttempt, sealing
from .login import Login, callback_parameters

_APP_CHARS: Final = 8
_NOT_THIS: Final = (
    "The browser has cookies of other login attempts, not of this one: it was begun in another browser, or too long ago"
)
_NONE: Final = (
    "The browser sent no cookie of a login attempt: it blocks cookies, the attempt was begun under another host name "
    "than that of redirect_uri, or it was begun too long ago"
)


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
        cookies: Mapping[str, str] | None = None,
        cookie_secret: str | None = None,
    ) -> Redirect:
        """Begin a sign-in: the answer sends the browser to the hosted page, with a cookie for the way back.

        The cookie holds the sealed LoginAttempt: HttpOnly, SameSite=Lax, and, unless redirect_uri is http to this
        machine, Secure and named `__Host-...`. Each attempt has one, so that several tabs can sign in at once.

        Args:
            scope: separated by spaces; `openid profile email phone address` when None.
            redirect_uri: where the user comes back to; the client's when None.
            forced: the user has to sign in although they have a session.
            cookies: the request's cookies, by name. Those of attempts that are over are cleared, and all but four of
                the others; without them each abandoned attempt leaves a cookie for ten minutes.
            cookie_secret: seals the cookie; the application's secret when None.

        Raises:
            ConfigurationError: an argument is missing or cannot be right.
        """
        prompt = "login" if require_bool("forced", forced) else None
        attempt = self.begin_login(scope=scope, redirect_uri=redirect_uri, prompt=prompt)
        set_cookies = self._attempts(secure=_is_secure(attempt.redirect_uri)).begin(
            attempt,
            cookies or {},
            sealing(self._cookie_secret(cookie_secret)),
            now=self._settings.clock.wall(),
        )
        return Redirect(url=attempt.url, set_cookies=set_cookies)

    async def handle_redirect_callback(
        self,
        callback_url: str,
        cookies: Mapping[str, str],
        *,
        cookie_secret: str | None = None,
        timeout: Timeout | None = None,
    ) -> OIDCTokenResponse:
        """Complete the sign-in that `login_with_redirect` began.

        Add `clear_login_cookies` to the answer, also after an error: the attempt's cookie has no more use.

        Args:
            callback_url: the URL with which the browser came back, or its query alone.
            cookies: the request's cookies, by name.
            cookie_secret: the same as in `login_with_redirect`.
            timeout: seconds for each request, or an httpx.Timeout; the client's when None.

        Raises:
            StateMismatchError: the browser has no cookie of this attempt, or the callback was made up.
            CallbackError, OAuthError, TokenVerificationError, TransportError, InvalidResponseError: as `finish_login`.
        """
        state = callback_parameters(callback_url).get("state", "")
        attempt = self._kept_attempt(state, cookies, self._cookie_secret(cookie_secret))
        return await self.finish_login(callback_url, attempt, timeout=timeout)

    def clear_login_cookies(self, callback_url: str, cookies: Mapping[str, str]) -> tuple[str, ...]:
        """Build the Set-Cookie values that end a login attempt: send them with the answer to the callback.

        Args:
            callback_url: as for `handle_redirect_callback`.
            cookies: the request's cookies, by name.
        """
        try:
            state = callback_parameters(callback_url).get("state", "")
        except CallbackError:
            return ()
        return tuple(header for secure in (True, False) for header in self._attempts(secure=secure).end(state, cookies))

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

    def _attempts(self, *, secure: bool) -> AttemptCookies:
        # The ports of a host share its cookies: another application's must be left alone.
        app = sha256(self._settings.app_id.encode()).hexdigest()[:_APP_CHARS]
        return AttemptCookies(f"genauth-login-{app}-", secure=secure)

    def _kept_attempt(self, state: str, cookies: Mapping[str, str], secret: str) -> LoginAttempt:
        is_there = False
        for secure in (True, False):
            attempts = self._attempts(secure=secure)
            is_there = is_there or attempts.are_in(cookies)
            sealed = attempts.sealed(state, cookies)
            if sealed is None:
                continue
            attempt = LoginAttempt.unsealed(sealed, secret, now=self._settings.clock.wall())
            # A neighbouring host can plant cookies without `__Host-`, with another user's login attempt.
            if _is_secure(attempt.redirect_uri) is secure:
                return attempt
        raise StateMismatchError(_NOT_THIS if is_there else _NONE)

    def _cookie_secret(self, cookie_secret: str | None) -> str:
        secret = self._settings.app_secret if cookie_secret is None else cookie_secret
        if not secret:
            raise ConfigurationError("cookie_secret", "is needed, since the application has no secret to seal it with")
        return secret


def _is_secure(redirect_uri: str) -> bool:
    parts = urlsplit(redirect_uri)
    return parts.scheme != "http" or not is_loopback(parts.hostname or "")
