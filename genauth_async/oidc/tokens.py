"""Token endpoint, revocation, introspection and userinfo."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from attrs import evolve, frozen

from .._arguments.text import require_str, require_token
from .._arguments.timeouts import Deadline
from .._http.attempt import BeforeSend
from .._wire.request import ClientAuth, Idempotency, Request
from .._wire.responses import read_oauth, read_oauth_empty, read_user_info
from ..api._base import Api
from ..errors import ConfigurationError
from ..models.tokens import IntrospectionResponse, OIDCTokenResponse, UserInfo
from ..settings import Timeout


class Tokens(Api):
    """Obtain, refresh, revoke and introspect tokens. A TokenSession refreshes and revokes by itself.

    Common parameters:
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        OAuthError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived.
    """

    async def get_access_token_by_code(
        self,
        code: str,
        code_verifier: str | None = None,
        *,
        redirect_uri: str | None = None,
        timeout: Timeout | None = None,
    ) -> OIDCTokenResponse:
        """Exchange an authorization code for tokens (POST /oidc/token, RFC 6749 section 4.1.3).

        `finish_login` does this, and checks what has to be checked before and after. A code is good once, so this call
        is never repeated by itself once it may have been sent.

        Args:
            code: from the callback URL.
            code_verifier: whose challenge was in the authorization URL (RFC 7636).
            redirect_uri: the one in the authorization URL; the client's when None.

        Raises:
            ConfigurationError: redirect_uri is missing, or the client's protocol has no codes.
            InvalidGrantError: the code is wrong, expired or used before, or the verifier is not its own.
        """
        self._check_protocol()
        uri = redirect_uri or self._settings.redirect_uri
        if uri is None:
            raise ConfigurationError("redirect_uri", "is needed, the same as in the authorization URL")
        proof = {} if code_verifier is None else {"code_verifier": code_verifier}
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": uri, **proof}
        request = evolve(self._form("token", auth="token", form=form), single_use=True)
        return await self._ask(request, partial(read_oauth, answer=OIDCTokenResponse), timeout)

    async def get_access_token_by_client_credentials(
        self,
        scope: str,
        access_key: str | None = None,
        access_secret: str | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> OIDCTokenResponse:
        """Obtain a token for a program that acts for itself, without a user (POST /oidc/token, RFC 6749 section 4.4).

        The token has no `sub`, and its audience is the access account's id: verify it with
        `audience=` that id. There is no refresh token.

        Args:
            scope: what for, separated by spaces. What is not granted comes back in `rejected_scope`.
            access_key: of a programmatic access account; the application's id when None, which GenAuth is said to
                refuse, and other servers take.
            access_secret: of the same; the application's secret when None.

        Raises:
            ConfigurationError: an argument is missing, or the client's protocol has no such tokens.
            InvalidClientError: the key or the secret is wrong.
        """
        self._check_protocol()
        if (access_key is None) != (access_secret is None):
            raise ConfigurationError("access_secret" if access_key else "access_key", "is needed: they belong together")
        if access_key is None:
            access_key, access_secret = self._settings.app_id, self._settings.app_secret
        require_str("access_secret", access_secret)
        request = self._form(
            "token",
            auth=None,
            idempotency=Idempotency.SAFE,
            form={
                "grant_type": "client_credentials",
                "scope": scope,
                "client_id": access_key,
                "client_secret": access_secret,
            },
        )
        return await self._ask(request, partial(read_oauth, answer=OIDCTokenResponse), timeout)

    async def get_new_access_token_by_refresh_token(
        self, refresh_token: str, *, timeout: Timeout | None = None
    ) -> OIDCTokenResponse:
        """Exchange a refresh token for new tokens (POST /oidc/token, RFC 6749 section 6).

        The server may rotate refresh tokens: use the new one from now on, if the answer has one. A server may take the
        second use of an old one for theft and revoke the whole grant, so this call is never repeated by itself once it
        may have been sent. A TokenSession does more.

        Args:
            refresh_token: the newest of the grant.

        Raises:
            InvalidGrantError: the token is wrong, expired, used before or revoked.
        """
        return await self._refresh(refresh_token, timeout, None)

    async def _refresh(
        self, refresh_token: str, timeout: Timeout | Deadline | None, before_send: BeforeSend | None
    ) -> OIDCTokenResponse:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        request = evolve(self._form("token", auth="token", form=form), single_use=True)
        return await self._ask(request, partial(read_oauth, answer=OIDCTokenResponse), timeout, before_send)

    async def revoke_token(self, token: str, *, timeout: Timeout | None = None) -> bool:
        """Revoke a token (POST /oidc/token/revocation, RFC 7009). A refresh token takes its whole grant along.

        Args:
            token: an access token or a refresh token; an unknown one is no error.

        Returns:
            True.
        """
        request = self._form(
            "token", "revocation", auth="revocation", idempotency=Idempotency.SAFE, form={"token": token}
        )
        await self._ask(request, read_oauth_empty, timeout)
        return True

    async def introspect_token(self, token: str, *, timeout: Timeout | None = None) -> IntrospectionResponse:
        """Introspect a token at the server (POST /oidc/token/introspection, RFC 7662).

        Args:
            token: an access token or a refresh token.
        """
        request = self._form(
            "token", "introspection", auth="introspection", idempotency=Idempotency.SAFE, form={"token": token}
        )
        return await self._ask(request, partial(read_oauth, answer=IntrospectionResponse), timeout)

    async def get_user_info_by_access_token(self, access_token: str, *, timeout: Timeout | None = None) -> UserInfo:
        """Read claims about the user (POST /oidc/me, OpenID Connect Core section 5.3).

        Args:
            access_token: the user's.

        Raises:
            OAuthError: the token is expired or revoked (`invalid_token`).
        """
        request = Request(
            method="POST",
            path=self._settings.oauth_path("me"),
            form={},  # empty, but a form: without a type aiohttp names one, which OpenID providers refuse
            user_token=require_token(access_token),
            idempotency=Idempotency.SAFE,
        )
        return await self._ask(request, read_user_info, timeout)

    def _check_protocol(self) -> None:
        if self._settings.protocol not in {"oidc", "oauth"}:
            raise ConfigurationError("protocol", f"is oidc or oauth for this, not {self._settings.protocol}")

    def _form(
        self,
        *path: str,
        auth: ClientAuth | None,
        form: Mapping[str, str | None],
        idempotency: Idempotency = Idempotency.UNSAFE,
    ) -> Request:
        given = {argument: require_str(argument, value) for argument, value in form.items()}
        return Request(
            method="POST", path=self._settings.oauth_path(*path), form=given, client_auth=auth, idempotency=idempotency
        )


@frozen
class SessionEndpoint:
    """The token endpoint as sessions use it.

    Attributes:
        client: sends the requests.
    """

    client: Tokens

    async def refresh(self, refresh_token: str, timeout: Deadline, before_send: BeforeSend) -> OIDCTokenResponse:
        """Send a refresh token once.

        Args:
            refresh_token: the refresh token.
            timeout: for the call.
            before_send: awaited once the connection is up, before anything is sent; what it raises ends the call.
        """
        client = self.client
        return await client._without_retries()._refresh(refresh_token, timeout, before_send)  # noqa: SLF001

    async def revoke(self, token: str, timeout: float) -> bool:
        """Revoke a token."""
        return await self.client.revoke_token(token, timeout=timeout)
