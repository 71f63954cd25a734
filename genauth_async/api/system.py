"""What the server says of itself."""

from __future__ import annotations

from .. import models
from .._wire.request import get
from ..settings import Timeout
from ._base import Api


class System(Api):
    """Reads the server's public information."""

    async def get_system_info(self, *, timeout: Timeout | None = None) -> models.SystemInfoResp:
        """Reads the server's public keys and version (GET /api/v3/system).

        Args:
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            GenAuthAPIError: the server refused.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        return await self._system_info(timeout)

    async def get_application_enabled_ext_idps(
        self,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetExtIdpsRespDto:
        """Lists the identity providers that the application lets users sign in with
        (GET /api/v3/get-application-enabled-extidps).

        Args:
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            GenAuthAPIError: the server refused.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = get("api", "v3", "get-application-enabled-extidps")
        return await self._call(request, models.GetExtIdpsRespDto, timeout)

    async def get_country_list(
        self,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetCountryListRespDto:
        """Lists countries with their phone country codes (GET /api/v3/get-country-list).

        Args:
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            GenAuthAPIError: the server refused.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
        """
        request = get("api", "v3", "get-country-list")
        return await self._call(request, models.GetCountryListRespDto, timeout)
