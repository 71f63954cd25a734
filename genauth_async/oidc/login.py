"""Sign-in through the hosted page (authorization code flow)."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from .._arguments.numbers import is_number, shown
from .._arguments.text import require_str
from .._core.scopes import split_scope
from .._jwt.claims import check_authentication
from .._wire.error_codes import oauth_error_class
from ..errors import CallbackError, ConfigurationError, IssuerMismatchError, StateMismatchError
from ..models.tokens import OIDCTokenResponse
from ..settings import Timeout
from .attempt import LoginAttempt
from .authorize import Authorize
from .tokens import Tokens
from .verification import Verification

# A query may have question marks in its values.
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*:|/|[^=&]*\?", re.IGNORECASE)
_ONCE: Final = frozenset({"code", "state", "iss", "error", "error_description", "error_uri"})


class Login(Authorize, Tokens, Verification):
    """Run the authorization code flow with PKCE, state and nonce (RFC 6749, 7636 and 9700, OpenID Connect Core)."""

    def begin_login(
        self,
        *,
        scope: str | None = None,
        redirect_uri: str | None = None,
        prompt: str | None = None,
        login_hint: str | None = None,
        tenant_id: str | None = None,
        max_age: int | None = None,
        acr_values: str | None = None,
        extra: Mapping[str, str] | None = None,
        lifetime: float = 600.0,
    ) -> LoginAttempt:
        """Begin a sign-in: send the browser to its `url`, and keep the rest for `finish_login`.

        Args:
            scope: separated by spaces; `openid profile email phone address` when None. Add offline_access for a
                refresh token.
            redirect_uri: where the user comes back to, exactly as registered; the client's when None.
            prompt: login, consent, none or select_account. With login, the user has to sign in now, as with max_age=0.
            login_hint: the account that the page is filled with.
            tenant_id: the tenant to sign in to.
            max_age: seconds since which the user must have signed in; `finish_login` checks the ID token's auth_time,
                where there is one.
            acr_values: accepted classes of authentication, separated by spaces; `finish_login` checks the ID token's
                acr, where there is one.
            extra: other parameters of the authorization request.
            lifetime: seconds in which the user has to be back.

        Raises:
            ConfigurationError: an argument is not valid, or the client's protocol is neither oidc nor oauth.
        """
        protocol = self._settings.protocol
        if protocol not in {"oidc", "oauth"}:
            raise ConfigurationError("protocol", f"is oidc or oauth for a login with a code, not {protocol}")
        if protocol == "oidc" and scope is not None and "openid" not in split_scope(require_str("scope", scope)):
            raise ConfigurationError("scope", "has to contain openid, or no ID token tells who signed in")
        if not is_number(lifetime) or not 0 < lifetime < math.inf:
            raise ConfigurationError("lifetime", f"is in seconds, above 0, not {shown(lifetime)}")
        if acr_values is not None:
            require_str("acr_values", acr_values)
        others = dict(extra or {})
        for name, value in (("max_age", max_age), ("acr_values", acr_values)):
            if value is not None and others.setdefault(name, str(value)) != str(value):
                raise ConfigurationError("extra", f"must not have another {name} than the parameter")
        earliest = None
        if protocol == "oidc":
            # The same in `extra` counts as the parameter.
            prompt = others.pop("prompt", None) if prompt is None else prompt
            earliest = self._earliest_auth_time(prompt, others.get("max_age"))
        elif others.keys() & {"max_age", "acr_values"}:
            raise ConfigurationError("protocol", "must be oidc for max_age and acr_values, which an ID token answers")
        state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        verifier = self.generate_code_challenge()
        url = self.build_authorize_url(
            redirect_uri,
            state=state,
            nonce=nonce,
            scope=scope,
            code_challenge=self.generate_code_challenge_digest(verifier),
            code_challenge_method="S256",
            prompt=prompt,
            login_hint=login_hint,
            tenant_id=tenant_id,
            extra=others,
        )
        return LoginAttempt(
            url=url,
            state=state,
            nonce=nonce,
            code_verifier=verifier,
            redirect_uri=self._redirect_uri(redirect_uri),
            expires_at=self._settings.clock.wall() + lifetime,
            app_id=self._settings.app_id,
            issuer=self._settings.issuer,
            earliest_auth_time=earliest,
            acr_values=others.get("acr_values"),
        )

    async def finish_login(
        self, callback_url: str, login: LoginAttempt, *, timeout: Timeout | None = None
    ) -> OIDCTokenResponse:
        """Complete a sign-in: check the callback, exchange the code, and verify the ID token.

        `verify_id_token` gives the claims about the user once more, and need not look at the keys again; the user's
        session is `client.session(tokens)`.

        Args:
            callback_url: the URL with which the browser came back, or its query alone.
            login: from `begin_login`, of this browser.
            timeout: seconds for each request, or an httpx.Timeout; the client's when None.

        Raises:
            LoginExpiredError: the user took too long.
            StateMismatchError: the callback belongs to another attempt, or was made up; or the attempt is of another
                application or issuer.
            IssuerMismatchError: it comes from another server (RFC 9207), or does not say from which although the client
                requires it.
            OAuthError: the server refused: access_denied when the user did; InvalidGrantError when the code is expired
                or was used before.
            CallbackError: the callback has no code, a parameter twice, or a code that was sent before; or no ID token
                came with the tokens.
            InsufficientAuthenticationError: the user signed in too long ago, or too weakly.
            TokenVerificationError: the ID token is not good.
            TransportError, InvalidResponseError: no GenAuth response arrived.
        """
        login.check_life(self._settings.clock.wall())
        ours = self._settings.app_id, self._settings.issuer
        if (login.app_id, login.issuer) != ours:
            raise StateMismatchError(
                f"The login attempt must be of the application {ours[0]!r} at {ours[1]!r}, not of {login.app_id!r} at "
                f"{login.issuer!r}; finish it with the client that began it"
            )
        answer = callback_parameters(callback_url)
        if not secrets.compare_digest(answer.get("state", "").encode("utf-8", "replace"), login.state.encode()):
            raise StateMismatchError("The callback's state is not the login attempt's: it belongs to another one")
        issuer = answer.get("iss")
        if issuer is None and self._settings.require_callback_iss:
            raise IssuerMismatchError("The callback must name its issuer (iss), since require_callback_iss is set")
        if issuer is not None and issuer != self._settings.issuer:
            raise IssuerMismatchError(f"The callback comes from {issuer!r}, not from {self._settings.issuer!r}")
        if "error" in answer:
            error = answer["error"]
            raise oauth_error_class(error)(
                error, answer.get("error_description"), error_uri=answer.get("error_uri"), http_status=302
            )
        if not answer.get("code"):
            raise CallbackError("The callback has neither a code nor an error")
        tokens = await self._shared.codes.send(
            answer["code"],
            login.state,
            lambda: self.get_access_token_by_code(
                answer["code"], login.code_verifier, redirect_uri=login.redirect_uri, timeout=timeout
            ),
        )
        if self._settings.protocol == "oidc":
            if tokens.id_token is None:
                raise CallbackError("The server gave no ID token, so nothing tells who signed in")
            claims = await self.verify_id_token(
                tokens.id_token, nonce=login.nonce, access_token=tokens.access_token, timeout=timeout
            )
            check_authentication(claims.auth_time, claims.acr, login.earliest_auth_time, login.acr_values)
        return tokens

    def _earliest_auth_time(self, prompt: str | None, max_age: str | None) -> float | None:
        """Return the time since which the user must have signed in, or None."""
        if max_age is not None and not (isinstance(max_age, str) and re.fullmatch(r"[0-9]{1,9}", max_age)):
            raise ConfigurationError("max_age", f"must be a whole number of seconds, not {shown(max_age)}")
        if prompt is not None and "login" in require_str("prompt", prompt).split():
            max_age = "0"
        return None if max_age is None else self._settings.clock.wall() - float(max_age)


def callback_parameters(callback_url: str) -> dict[str, str]:
    """Read the parameters of a callback URL; none where a browser came without any.

    Raises:
        CallbackError: one that may stand once stands there twice, or there are too many.
        ConfigurationError: it is no text.
    """
    if callback_url == "":
        return {}  # a query, of a browser that came without any
    url = require_str("callback_url", callback_url)
    query = url.partition("#")[0].partition("?")[2] if _URL.match(url) else url
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise CallbackError("The callback has too many parameters") from None
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if name in _ONCE and names.count(name) > 1}):
        raise CallbackError(f"The callback has {', '.join(twice)} more than once")
    return dict(pairs)
