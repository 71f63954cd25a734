"""Public accounts, to which several users may switch."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._wire.converter import argument
from .._wire.request import get, post
from ..settings import Timeout
from ._base import Api


class PublicAccounts(Api):
    """Switches between a user's own account and public ones."""

    async def switch_login_by_user(
        self,
        target_user_id: str,
        options: models.SignInBySwitchOptionsDto | Mapping[str, object] | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Signs the user in to a public account (POST /api/v3/switch-login-by-user).

        Args:
            target_user_id: the public account's user id.
            options: a SignInBySwitchOptionsDto, or a mapping with its wire names.
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            SignInError: the user cannot be signed in by this; its subclasses say why.
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token, or an argument cannot be right.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived. It may have been done.
        """
        sent = models.PublicAccountSwitchLoginDto(
            target_user_id=target_user_id, options=argument(options, models.SignInBySwitchOptionsDto, "options")
        )
        request = post("api", "v3", "switch-login-by-user", body=sent)
        return await self._call_as_user(request, models.LoginTokenRespDto, access_token, timeout)

    async def list_public_accounts_for_switch_logged_in(
        self,
        with_origin_user: bool | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetPublicAccountDataRespDto:
        """Lists the public accounts that the user may switch to (GET /api/v3/get-user-select-login-public-accounts).

        Args:
            with_origin_user: add the user before switching.
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = get("api", "v3", "get-user-select-login-public-accounts", withOriginUser=with_origin_user)
        return await self._call_as_user(request, models.GetPublicAccountDataRespDto, access_token, timeout)
