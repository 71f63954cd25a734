"""Devices on which the user is signed in."""

from __future__ import annotations

from collections.abc import Sequence

from .. import models
from .._wire.request import get, post
from ..settings import Timeout
from ..stream import Stream
from ._base import Api
from ._paging import Pages


class Devices(Api):
    """List and sign out the signed-in user's devices.

    Common parameters:
        access_token: the user's; the client's when None.
        device_id: names the device.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def list_devices(
        self,
        page: int | None = None,
        limit: int | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.TerminalSessionRespDto:
        """Read a page of the devices on which the user is signed in (GET /api/v3/mydevices/list).

        `iter_devices` reads all pages.

        Args:
            page: which page, from 1.
            limit: how many on a page.
        """
        request = get("api", "v3", "mydevices", "list", page=page, limit=limit)
        return await self._call_as_user(request, models.TerminalSessionRespDto, access_token, timeout)

    async def list(
        self,
        page: int | None = None,
        limit: int | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.TerminalSessionRespDto:
        """Call list_devices, under the vendor's name.

        Args:
            page: which page, from 1.
            limit: how many on a page.
        """
        return await self.list_devices(page, limit, access_token=access_token, timeout=timeout)

    async def unbind_device(
        self,
        device_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Remove one of the user's devices, and sign it out (POST /api/v3/mydevices/unbind)."""
        sent = models.UnbindDeviceDto(device_id=device_id)
        request = post("api", "v3", "mydevices", "unbind", body=sent)
        return await self._call_as_user(request, models.CommonResponseDto, access_token, timeout)

    async def unbind(
        self,
        device_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Call unbind_device, under the vendor's name."""
        return await self.unbind_device(device_id, access_token=access_token, timeout=timeout)

    async def revoke_device_session(
        self,
        device_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Sign one of the user's devices out (POST /api/v3/mydevices/revoke-session)."""
        sent = models.RevokeDeviceSessionDto(device_id=device_id)
        request = post("api", "v3", "mydevices", "revoke-session", body=sent)
        return await self._call_as_user(request, models.CommonResponseDto, access_token, timeout)

    async def revoke(
        self,
        device_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Call revoke_device_session, under the vendor's name. `revoke_token` revokes tokens."""
        return await self.revoke_device_session(device_id, access_token=access_token, timeout=timeout)

    def iter_devices(
        self, *, limit: int = 50, access_token: str | None = None, timeout: Timeout | None = None
    ) -> Stream[models.TerminalSessionDto]:
        """Read the devices on which the user is signed in, page by page as they are asked for.

        Args:
            limit: how many on a page.
            timeout: seconds for each page, or an httpx.Timeout; the client's when None.

        Raises:
            ConfigurationError: an argument is not valid. Errors of list_devices are raised while iterating.
        """

        async def fetch(page: int) -> tuple[Sequence[models.TerminalSessionDto], int | None]:
            return (await self.list_devices(page, limit, access_token=access_token, timeout=timeout)).data, None

        return Pages(fetch, limit=limit)
