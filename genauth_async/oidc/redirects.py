"""Redirects for any web framework: what to answer a browser with, as data."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from .._masking import masked
from ..errors import ConfigurationError, StateMismatchError
from ..models.tokens import OIDCTokenResponse
from ..settings import Timeout, is_loopback
from .attempt import LoginAttempt
from .login import Login, callback_parameters

_PREFIX: Final = "genauth-login-"
_NOT_THIS: Final = (
    "The browser has cookies of other login attempts, not of this one: it was begun in another browser, or too long ago"
)
_NONE: Final = (
    "The browser sent no cookie of a login attempt: it blocks cookies, the attempt was begun under another host name "
    "than that of redirect_uri, or it was begun too long ago"
)


@frozen(kw_only=True)
class Redirect:
    """An answer that sends the browser elsewhere.

    Attributes:
        url: where to: the Location header.
        set_cookie: the Set-Cookie header, if there is one.
        status: the HTTP status code.
    """

    url: str = field(repr=lambda url: repr(url.partition("?")[0]))
    set_cookie: str | None = field(default=None, repr=masked)
    status: int = 302

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """All headers of the answer, for frameworks that take pairs."""
        pairs = [("location", self.url), ("cache-control", "no-store")]
        return (*pairs, ("set-cookie", self.set_cookie)) if self.set_cookie is not None else tuple(pairs)


class Redirects(Login):
    """The vendor's redirect helpers, without a framework's request and response objects."""

    def login_with_redirect(
        self,
        *,
        scope: str | None = None,
        redirect_uri: str | None = None,
        forced: bool = False,
        cookie_secret: str | None = None,
    ) -> Redirect:
        """Begins a sign-in: the answer sends the browser to the hosted page and has it keep a cookie until it is back.

        The cookie holds the sealed LoginAttempt: HttpOnly, SameSite=Lax, Secure unless redirect_uri is http to this
        machine, and one for each attempt, so that several tabs can sign in at once.

        Args:
            scope: separated by spaces; `openid profile email phone address` when None.
            redirect_uri: where the user comes back to; the client's when None.
            forced: the user has to sign in although they have a session.
            cookie_secret: seals the cookie; the application's secret when None.

        Raises:
            ConfigurationError: an argument is missing or cannot be right.
        """
        attempt = self.begin_login(scope=scope, redirect_uri=redirect_uri, prompt="login" if forced else None)
        left = round(attempt.expires_at - self._settings.clock.wall())
        sealed = attempt.sealed(self._cookie_secret(cookie_secret))
        return Redirect(
            url=attempt.url, set_cookie=_cookie(attempt.state, sealed, redirect_uri=attempt.redirect_uri, max_age=left)
        )

    async def handle_redirect_callback(
        self,
        callback_url: str,
        cookies: Mapping[str, str],
        *,
        cookie_secret: str | None = None,
        timeout: Timeout | None = None,
    ) -> OIDCTokenResponse:
        """Ends the sign-in that `login_with_redirect` began.

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
        sealed = cookies.get(_cookie_name(state))
        if sealed is None:
            raise StateMismatchError(_NOT_THIS if any(name.startswith(_PREFIX) for name in cookies) else _NONE)
        attempt = LoginAttempt.unsealed(sealed, self._cookie_secret(cookie_secret), now=self._settings.clock.wall())
        return await self.finish_login(callback_url, attempt, timeout=timeout)

    def logout_with_redirect(
        self, redirect_uri: str | None = None, id_token: str | None = None, state: str | None = None
    ) -> Redirect:
        """The answer that sends the browser to the hosted sign-out page; the parameters are `build_logout_url`'s.

        Args:
            redirect_uri: where the user comes back to.
            id_token: who is to be signed out.
            state: comes back with the user.

        Raises:
            ConfigurationError: an argument cannot be right.
        """
        return Redirect(url=self.build_logout_url(redirect_uri, id_token, state))

    def _cookie_secret(self, cookie_secret: str | None) -> str:
        secret = self._settings.app_secret if cookie_secret is None else cookie_secret
        if not secret:
            raise ConfigurationError("cookie_secret", "is needed, since the application has no secret to seal it with")
        return secret


def _cookie_name(state: str) -> str:
    return _PREFIX + sha256(state.encode("utf-8", "replace")).hexdigest()[:16]


def _cookie(state: str, value: str, *, redirect_uri: str, max_age: int) -> str:
    parts = urlsplit(redirect_uri)
    secure = "" if parts.scheme == "http" and is_loopback(parts.hostname or "") else "; Secure"
    return f"{_cookie_name(state)}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}"
