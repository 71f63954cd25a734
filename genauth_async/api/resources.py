"""Resources of the user: sign-ins, applications, tenants, roles, groups, authorized resources."""

from __future__ import annotations

from collections.abc import Sequence

from .. import models
from .._wire.request import get
from ..settings import Timeout
from ..stream import Stream
from ._base import Api
from ._paging import Pages


class Resources(Api):
    """Read the signed-in user's sign-ins, applications, tenants, roles, groups and resources.

    Common parameters:
        access_token: the user's; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived.
    """

    async def get_login_history(
        self,
        app_id: str | None = None,
        client_ip: str | None = None,
        success: bool | None = None,
        start: int | None = None,
        end: int | None = None,
        page: int | None = None,
        limit: int | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetLoginHistoryRespDto:
        """Read a page of the user's sign-ins, newest first (GET /api/v3/get-my-login-history).

        `iter_login_history` reads all pages.

        Args:
            app_id: only those to this application.
            client_ip: only those from this address.
            success: only those that succeeded, or failed.
            start: only those from then on, in milliseconds since the epoch.
            end: only those until then, in milliseconds since the epoch.
            page: which page, from 1.
            limit: how many on a page.
        """
        request = get(
            "api",
            "v3",
            "get-my-login-history",
            appId=app_id,
            clientIp=client_ip,
            success=success,
            start=start,
            end=end,
            page=page,
            limit=limit,
        )
        return await self._call_as_user(request, models.GetLoginHistoryRespDto, access_token, timeout)

    async def get_logged_in_apps(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetLoggedInAppsRespDto:
        """List the applications that the user is signed in to (GET /api/v3/get-my-logged-in-apps)."""
        request = get("api", "v3", "get-my-logged-in-apps")
        return await self._call_as_user(request, models.GetLoggedInAppsRespDto, access_token, timeout)

    async def get_accessible_apps(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetAccessibleAppsRespDto:
        """List the applications that the user may use (GET /api/v3/get-my-accessible-apps)."""
        request = get("api", "v3", "get-my-accessible-apps")
        return await self._call_as_user(request, models.GetAccessibleAppsRespDto, access_token, timeout)

    async def get_tenant_list(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetTenantListRespDto:
        """List the tenants that the user belongs to (GET /api/v3/get-my-tenant-list)."""
        request = get("api", "v3", "get-my-tenant-list")
        return await self._call_as_user(request, models.GetTenantListRespDto, access_token, timeout)

    async def get_role_list(
        self,
        namespace: str | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.RoleListRespDto:
        """List the user's roles (GET /api/v3/get-my-role-list).

        Args:
            namespace: the code of a namespace; all of them when None.
        """
        request = get("api", "v3", "get-my-role-list", namespace=namespace)
        return await self._call_as_user(request, models.RoleListRespDto, access_token, timeout)

    async def get_group_list(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GroupListRespDto:
        """List the user's groups (GET /api/v3/get-my-group-list)."""
        request = get("api", "v3", "get-my-group-list")
        return await self._call_as_user(request, models.GroupListRespDto, access_token, timeout)

    async def get_authorized_resources(
        self,
        namespace: str | None = None,
        resource_type: models.AuthorizedResourceType | str | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.AuthorizedResourcePaginatedRespDto:
        """List the resources that policies let the user use (GET /api/v3/get-my-authorized-resources).

        Args:
            namespace: the code of a namespace; all of them when None.
            resource_type: only those of this type.
        """
        request = get("api", "v3", "get-my-authorized-resources", namespace=namespace, resourceType=resource_type)
        return await self._call_as_user(request, models.AuthorizedResourcePaginatedRespDto, access_token, timeout)

    def iter_login_history(
        self,
        app_id: str | None = None,
        client_ip: str | None = None,
        success: bool | None = None,
        start: int | None = None,
        end: int | None = None,
        *,
        limit: int = 50,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> Stream[models.LoginHistoryDto]:
        """Read the user's sign-ins, newest first, page by page as they are asked for.

        Args:
            app_id: only those to this application.
            client_ip: only those from this address.
            success: only those that succeeded, or failed.
            start: only those from then on, in milliseconds since the epoch.
            end: only those until then, in milliseconds since the epoch.
            limit: how many on a page.
            timeout: seconds for each page, or an httpx.Timeout; the client's when None.

        Raises:
            ConfigurationError: an argument is not valid. Errors of get_login_history are raised while iterating.
        """

        async def fetch(page: int) -> tuple[Sequence[models.LoginHistoryDto], int | None]:
            answer = await self.get_login_history(
                app_id, client_ip, success, start, end, page, limit, access_token=access_token, timeout=timeout
            )
            return answer.data.list, answer.data.total_count

        return Pages(fetch, limit=limit)
