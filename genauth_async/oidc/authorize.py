"""URLs of the hosted sign-in and sign-out pages."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal
from urllib.parse import urlencode

from .._arguments.numbers import require_bool
from .._arguments.text import one_of, require_str
from .._arguments.urls import require_redirect_uri
from .._core.scopes import split_scope
from .._wire.request import Request
from ..api._base import Api
from ..errors import ConfigurationError

CodeChallengeMethod = Literal["S256", "plain"]

DEFAULT_SCOPE: Final = "openid profile email phone address"
_SHORTEST, _LONGEST = 43, 128
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Authorize(Api):
    """Build URLs of the hosted pages. `begin_login` makes one with all that a safe sign-in needs."""

    def build_authorize_url(
        self,
        redirect_uri: str | None = None,
        response_type: str | None = None,
        response_mode: str | None = None,
        state: str | None = None,
        nonce: str | None = None,
        scope: str | None = None,
        code_challenge_method: CodeChallengeMethod | None = None,
        code_challenge: str | None = None,
        service: str | None = None,
        *,
        prompt: str | None = None,
        login_hint: str | None = None,
        tenant_id: str | None = None,
        forced: bool = False,
        extra: Mapping[str, str] | None = None,
    ) -> str:
        """Build the URL of the hosted sign-in page, of the client's protocol.

        oidc: /oidc/auth (OpenID Connect Core section 3.1.2.1). oauth: /oauth/auth (RFC 6749 section 4.1.1). saml:
        /api/v2/saml-idp/{app_id}. cas: /cas-idp/{app_id}.

        Args:
            redirect_uri: where the user comes back to; the client's when None.
            response_type: `code` when None.
            response_mode: query, fragment or form_post; the server decides when None.
            state: comes back with the user; a random one when None, which you then have to read from the URL.
            nonce: comes back in the ID token; a random one when None (oidc only).
            scope: separated by spaces; for oidc `openid profile email phone address` when None, for oauth `user`.
            code_challenge_method: how the challenge was made from the code_verifier; S256 when there is a challenge
                and this is None.
            code_challenge: from `generate_code_challenge_digest` (RFC 7636 section 4.2).
            service: where the user comes back to, for cas.
            prompt: login, consent, none or select_account (oidc only). `consent` when None and scope has
                offline_access, as OpenID Connect Core section 11 asks for.
            login_hint: the account that the page is filled with (oidc only).
            tenant_id: the tenant to sign in to (oidc only).
            forced: the user has to sign in although they have a session: the same as prompt="login".
            extra: other parameters.

        Raises:
            ConfigurationError: redirect_uri is missing, or an argument is not valid.
        """
        protocol, app_id = self._settings.protocol, self._settings.app_id
        if scope is not None:
            require_str("scope", scope)
        require_bool("forced", forced)
        others = dict(extra or {})
        if protocol == "saml":
            return self._url(("api", "v2", "saml-idp", app_id), others)
        if protocol == "cas":
            return self._url(("cas-idp", app_id), {"service": service, **others})
        query: dict[str, str | None] = {
            "client_id": app_id,
            "redirect_uri": self._redirect_uri(redirect_uri),
            "response_type": response_type or "code",
            "response_mode": response_mode,
            "scope": scope or (DEFAULT_SCOPE if protocol == "oidc" else "user"),
            "state": secrets.token_urlsafe(32) if state is None else require_str("state", state),
        }
        if code_challenge is not None:
            method = one_of("code_challenge_method", code_challenge_method or "S256", ("S256", "plain"))
            query |= {"code_challenge": require_str("code_challenge", code_challenge), "code_challenge_method": method}
        elif code_challenge_method is not None:
            raise ConfigurationError("code_challenge", "is needed with code_challenge_method")
        if protocol == "oidc":
            if prompt is None and forced:
                prompt = "login"
            elif prompt is None and "offline_access" in split_scope(scope):
                prompt = "consent"
            query |= {
                "nonce": secrets.token_urlsafe(32) if nonce is None else require_str("nonce", nonce),
                "prompt": prompt,
                "login_hint": login_hint,
                "tenantId": tenant_id,
            }
        if reserved := sorted(others.keys() & {name for name, value in query.items() if value is not None}):
            raise ConfigurationError("extra", f"cannot have {', '.join(reserved)}, which is set already")
        return self._url(self._settings.oauth_path("auth"), {**query, **others})

    def generate_code_challenge(self, length: int = 43) -> str:
        """Generate a random code_verifier (RFC 7636 section 4.1); the vendor's name for it is code_challenge.

        Args:
            length: in characters, from 43 to 128.

        Raises:
            ConfigurationError: the length is out of range.
        """
        if not isinstance(length, int) or not _SHORTEST <= length <= _LONGEST:
            raise ConfigurationError("length", f"is from {_SHORTEST} to {_LONGEST}, not {length!r}")
        return secrets.token_urlsafe(length)[:length]

    def generate_code_challenge_digest(self, code_challenge: str, method: CodeChallengeMethod | None = None) -> str:
        """Compute the code_challenge of a code_verifier (RFC 7636 section 4.2).

        Args:
            code_challenge: the code_verifier, from `generate_code_challenge`.
            method: S256 (when None), or plain, which shows the verifier to every reader of the URL.

        Returns:
            base64url without padding; for plain, the verifier itself.

        Raises:
            ConfigurationError: it is no code_verifier, or the method is unknown.
        """
        verifier = require_str("code_challenge", code_challenge)
        if not (_SHORTEST <= len(verifier) <= _LONGEST and _UNRESERVED.issuperset(verifier)):
            raise ConfigurationError(
                "code_challenge", f"is a code_verifier: {_SHORTEST} to {_LONGEST} letters, digits, or any of - . _ ~"
            )
        if one_of("method", method or "S256", ("S256", "plain")) == "plain":
            return verifier
        return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()

    def build_logout_url(
        self, redirect_uri: str | None = None, id_token: str | None = None, state: str | None = None
    ) -> str:
        """Build the URL of the hosted sign-out page, of the client's protocol.

        oidc: /oidc/session/end (OpenID Connect RP-Initiated Logout 1.0). cas: /cas-idp/logout. oauth and saml:
        /login/profile/logout.

        Args:
            redirect_uri: where the user comes back to; for oidc, the client's post_logout_redirect_uri when None.
            id_token: who is to be signed out (oidc only). Without it the server may ask the user first.
            state: comes back with the user (oidc only, with a redirect_uri).

        Raises:
            ConfigurationError: an argument is empty, or no text; or state has no redirect_uri to come back to.
        """
        for argument, value in (("redirect_uri", redirect_uri), ("id_token", id_token), ("state", state)):
            if value is not None:
                require_str(argument, value)
        if self._settings.protocol == "cas":
            return self._url(("cas-idp", "logout"), {"url": redirect_uri})
        if self._settings.protocol != "oidc":
            return self._url(("login", "profile", "logout"), {"redirect_uri": redirect_uri})
        back = redirect_uri or self._settings.post_logout_redirect_uri
        if state is not None and back is None:
            raise ConfigurationError("redirect_uri", "is needed with state, here or as post_logout_redirect_uri")
        query = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": back,
            "state": state,
            # With a hint the server knows the application; without one it has to be told (section 2 of the same).
            "client_id": self._settings.app_id if id_token is None and back is not None else None,
        }
        return self._url(("oidc", "session", "end"), query)

    def _redirect_uri(self, redirect_uri: str | None) -> str:
        uri = redirect_uri or self._settings.redirect_uri
        if uri is None:
            raise ConfigurationError("redirect_uri", "is needed: pass it here, or to the client")
        return require_redirect_uri("redirect_uri", require_str("redirect_uri", uri))

    def _url(self, path: tuple[str, ...], query: Mapping[str, str | None]) -> str:
        given = {name: value for name, value in query.items() if value is not None}
        for name, value in given.items():
            if not isinstance(value, str):
                raise ConfigurationError(name, f"is text, not {type(value).__name__}")
        try:
            encoded = urlencode(given)
        except UnicodeError:
            encoded = None
        if encoded is None:
            raise ConfigurationError("an argument", "has half a character (a lone surrogate)")
        target = Request(method="GET", path=path).target
        return f"{self._settings.app_host}{target}" + (f"?{encoded}" if encoded else "")
