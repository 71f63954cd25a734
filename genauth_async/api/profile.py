"""The signed-in user's profile."""

from __future__ import annotations

from .. import models
from .._wire.request import get, post
from ..settings import Timeout
from ._base import Api


class Profile(Api):
    """Read and change the signed-in user's profile.

    Common parameters:
        access_token: the user's; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def get_profile(
        self,
        with_custom_data: bool | None = None,
        with_identities: bool | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UserSingleRespDto:
        """Read the signed-in user's profile (GET /api/v3/get-profile). Its content depends on the token's scopes.

        Args:
            with_custom_data: add the user's customData.
            with_identities: add the identities at other providers.
        """
        request = get("api", "v3", "get-profile", withCustomData=with_custom_data, withIdentities=with_identities)
        return await self._call_as_user(request, models.UserSingleRespDto, access_token, timeout)

    async def update_profile(
        self,
        name: str | None = None,
        nickname: str | None = None,
        photo: str | None = None,
        external_id: str | None = None,
        birthdate: str | None = None,
        country: str | None = None,
        province: str | None = None,
        city: str | None = None,
        address: str | None = None,
        street_address: str | None = None,
        postal_code: str | None = None,
        gender: models.Gender | str | None = None,
        username: str | None = None,
        company: str | None = None,
        custom_data: object = None,
        identity_number: str | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UserSingleRespDto:
        """Change the user's profile (POST /api/v3/update-profile).

        Arguments that are None change nothing.

        Args:
            name: the full name.
            nickname: the casual name.
            photo: the picture's URL.
            external_id: the id in a system of yours.
            birthdate: such as 1990-12-31.
            country: the country.
            province: the province.
            city: the city.
            address: the address.
            street_address: the street and number.
            postal_code: the postal code.
            gender: M, F or U.
            username: the name to sign in with.
            company: the company.
            custom_data: values of custom fields, by their keys.
            identity_number: the number of an identity document.

        Raises:
            ConflictError: another account has it.
        """
        sent = models.UpdateUserProfileDto(
            name=name,
            nickname=nickname,
            photo=photo,
            external_id=external_id,
            birthdate=birthdate,
            country=country,
            province=province,
            city=city,
            address=address,
            street_address=street_address,
            postal_code=postal_code,
            gender=gender,
            username=username,
            company=company,
            custom_data=custom_data,
            identity_number=identity_number,
        )
        request = post("api", "v3", "update-profile", body=sent)
        return await self._call_as_user(request, models.UserSingleRespDto, access_token, timeout)

    async def get_security_level(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetSecurityInfoRespDto:
        """Read the security level of the user's account (GET /api/v3/get-security-info)."""
        request = get("api", "v3", "get-security-info")
        return await self._call_as_user(request, models.GetSecurityInfoRespDto, access_token, timeout)
