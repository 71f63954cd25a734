"""The signed-in user's profile."""

from __future__ import annotations

from .. import models
from .._wire.request import get, post
from ..settings import Timeout
from ._base import Api


class Profile(Api):
    """Reads and changes the signed-in user's profile."""

    async def get_profile(
        self,
        with_custom_data: bool | None = None,
        with_identities: bool | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UserSingleRespDto:
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
        """Changes the user's profile (POST /api/v3/update-profile).

        What is None stays as it is.

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
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            ConflictError: another account has it.
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived. It may have been done.
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
        """Reads how well the user's account is protected (GET /api/v3/get-security-info).

        Args:
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = get("api", "v3", "get-security-info")
        return await self._call_as_user(request, models.GetSecurityInfoRespDto, access_token, timeout)
