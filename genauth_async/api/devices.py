"""The devices on which the user is signed in."""

from __future__ import annotations

from collections.abc import Sequence

from .. import models
from .._wire.request import get, post
from ..settings import Timeout
from ..stream import Stream
from ._base import Api
from ._paging import Pages


class Devices(Api):
    """Lists and signs out the signed-in user's devices."""

    async def list_devices(
        self,
        page: int | None = None,
        limit: int | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.TerminalSessionRespDto:
        """Reads a page of the devices on which the user is signed in (GET /api/v3/mydevices/list).

        `iter_devices` reads all pages.

        Args:
            page: which page, from 1.
            limit: how many on a page.
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived.
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
        """The same as list_devices, under the vendor's name.

        Args:
            page: which page, from 1.
            limit: how many on a page.
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.
        """
        return await self.list_devices(page, limit, access_token=access_token, timeout=timeout)

    async def unbind_device(
        self,
        device_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Forgets one of the user's devices, and signs it out (POST /api/v3/mydevices/unbind).

        Args:
            device_id: names the device.
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token, or an argument cannot be right.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived. It may have been done.
        """
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
        """The same as unbind_device, under the vendor's name.

        Args:
            device_id: names the device.
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.
        """
        return await self.unbind_device(device_id, access_token=access_token, timeout=timeout)

    async def revoke_device_session(
        self,
        device_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Signs one of the user's devices out (POST /api/v3/mydevices/revoke-session).

        Args:
            device_id: names the device.
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            NotSignedInError: the token has expired or was revoked.
            ConfigurationError: there is no access token, or an argument cannot be right.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived. It may have been done.
        """
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
        """The same as revoke_device_session, under the vendor's name. `revoke_token` revokes tokens.

        Args:
            device_id: names the device.
            access_token: the user's; the client's when None.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.
        """
        return await self.revoke_device_session(device_id, access_token=access_token, timeout=timeout)

    def iter_devices(
        self, *, limit: int = 50, access_token: str | None = None, timeout: Timeout | None = None
    ) -> Stream[models.TerminalSessionDto]:
        """Reads the devices on which the user is signed in, page by page as they are asked for.

        Args:
            limit: how many on a page.
            access_token: the user's; the client's when None.
            timeout: seconds for each page, or an httpx.Timeout; the client's when None.

        Raises:
            ConfigurationError: an argument cannot be right. What list_devices raises is raised while iterating.
        """

        async def fetch(page: int) -> tuple[Sequence[models.TerminalSessionDto], int | None]:
            return (await self.list_devices(page, limit, access_token=access_token, timeout=timeout)).data, None

        return Pages(fetch, limit=limit)
