"""Server information."""

from __future__ import annotations

from .. import models
from .._wire.request import get
from ..settings import Timeout
from ._base import Api


class System(Api):
    """Read the server's public information.

    Common parameters:
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        GenAuthAPIError: the server refused the request.
        TransportError, InvalidResponseError: no GenAuth response arrived.
    """

    async def get_system_info(self, *, timeout: Timeout | None = None) -> models.SystemInfoResp:
        """Read the server's public keys and version (GET /api/v3/system)."""
        return await self._system_info(timeout)

    async def get_application_enabled_ext_idps(
        self,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetExtIdpsRespDto:
        """List the identity providers that the application lets users sign in with
        (GET /api/v3/get-application-enabled-extidps).
        """
        request = get("api", "v3", "get-application-enabled-extidps")
        return await self._call(request, models.GetExtIdpsRespDto, timeout)

    async def get_country_list(
        self,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetCountryListRespDto:
        """List countries with their phone country codes (GET /api/v3/get-country-list)."""
        request = get("api", "v3", "get-country-list")
        return await self._call(request, models.GetCountryListRespDto, timeout)
