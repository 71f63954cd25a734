"""The token endpoint and its neighbours."""

from __future__ import annotations

from .._envelope import read_oauth, read_oauth_nothing, read_tokens
from .._request import ClientAuth, Repeat, Request
from ..api._base import Api, checked_token
from ..errors import ConfigurationError
from ..models.tokens import IntrospectionResponse, OIDCTokenResponse, UserInfo
from ..settings import Timeout


class Tokens(Api):
    """Refreshes, revokes and looks into tokens. A TokenSession does the first two by itself."""

    async def get_new_access_token_by_refresh_token(
        self, refresh_token: str, *, timeout: Timeout | None = None
    ) -> OIDCTokenResponse:
        """Trades a refresh token for new tokens (POST /oidc/token, RFC 6749 section 6).

        The server rotates refresh tokens: use the new one from now on. It takes the second use of an old one for theft
        and revokes the whole grant, so this call is never repeated by itself once it may have been sent.

        Args:
            refresh_token: the newest of the grant.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            InvalidGrantError: the token is wrong, expired, used before or revoked.
            OAuthError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = self._form("token", auth="token", grant_type="refresh_token", refresh_token=refresh_token)
        return read_tokens(await self._shared.transport.send(request, self._settings, timeout))

    async def revoke_token(self, token: str, *, timeout: Timeout | None = None) -> bool:
        """Revokes a token (POST /oidc/token/revocation, RFC 7009). A refresh token takes its whole grant along.

        Args:
            token: an access token or a refresh token; an unknown one is no error.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Returns:
            True.

        Raises:
            OAuthError: the server refused.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = self._form("token", "revocation", auth="revocation", repeat=Repeat.SAFE, token=token)
        read_oauth_nothing(await self._shared.transport.send(request, self._settings, timeout))
        return True

    async def introspect_token(self, token: str, *, timeout: Timeout | None = None) -> IntrospectionResponse:
        """Asks the server whether a token is still good (POST /oidc/token/introspection, RFC 7662).

        Args:
            token: an access token or a refresh token.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            OAuthError: the server refused.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = self._form("token", "introspection", auth="introspection", repeat=Repeat.SAFE, token=token)
        return read_oauth(await self._shared.transport.send(request, self._settings, timeout), IntrospectionResponse)

    async def get_user_info_by_access_token(self, access_token: str, *, timeout: Timeout | None = None) -> UserInfo:
        """Reads claims about the user (POST /oidc/me, OpenID Connect Core section 5.3).

        Args:
            access_token: the user's.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            OAuthError: the token is expired or revoked (`invalid_token`).
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = Request(
            method="POST",
            path=self._settings.oauth_path("me"),
            user_token=checked_token(access_token),
            repeat=Repeat.SAFE,
        )
        return read_oauth(await self._shared.transport.send(request, self._settings, timeout), UserInfo)

    def _form(self, *path: str, auth: ClientAuth, repeat: Repeat = Repeat.HARMFUL, **form: str) -> Request:
        for argument, value in form.items():
            if not isinstance(value, str) or not value:
                raise ConfigurationError(argument, f"is text, not {'empty' if value == '' else type(value).__name__}")
        return Request(method="POST", path=self._settings.oauth_path(*path), form=form, client_auth=auth, repeat=repeat)
