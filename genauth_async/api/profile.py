"""The signed-in user's profile."""

from __future__ import annotations

from ..models.profile import UserSingleRespDto
from ..settings import Timeout
from ._base import Api, get


class Profile(Api):
    """Reads the signed-in user's profile."""

    async def get_profile(
        self,
        with_custom_data: bool | None = None,
        with_identities: bool | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> UserSingleRespDto:
        """Reads the signed-in user's profile (GET /api/v3/get-profile). What it has depends on the token's scopes.

        Args:
            with_custom_data: add the user's customData.
            with_identities: add the identities at other providers.
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = get("api", "v3", "get-profile", withCustomData=with_custom_data, withIdentities=with_identities)
        return await self._call_as_user(request, UserSingleRespDto, access_token, timeout)
