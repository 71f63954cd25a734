"""Public accounts, to which several users may switch."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._wire.converter import argument
from .._wire.request import get, post
from ..settings import Timeout
from ._base import Api


class PublicAccounts(Api):
    """Switch between a user's own account and public ones.

    Common parameters:
        access_token: the user's; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def switch_login_by_user(
        self,
        target_user_id: str,
        options: models.SignInBySwitchOptionsDto | Mapping[str, object] | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign the user in to a public account (POST /api/v3/switch-login-by-user).

        Args:
            target_user_id: the public account's user id.
            options: a SignInBySwitchOptionsDto, or a mapping with its wire names.

        Raises:
            SignInError: the user cannot be signed in by this; its subclasses say why.
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
        """List the public accounts that the user may switch to (GET /api/v3/get-user-select-login-public-accounts).

        Args:
            with_origin_user: add the user before switching.
        """
        request = get("api", "v3", "get-user-select-login-public-accounts", withOriginUser=with_origin_user)
        return await self._call_as_user(request, models.GetPublicAccountDataRespDto, access_token, timeout)
