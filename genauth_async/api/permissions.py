"""Permissions of the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import models
from .._arguments.text import require_str, require_str_list
from .._wire.converter import argument
from .._wire.request import Idempotency, get, post
from ..settings import Timeout
from ..stream import Stream
from ._base import Api
from ._paging import Pages


class Permissions(Api):
    """Check and list the signed-in user's permissions.

    Common parameters:
        access_token: the user's; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived.
    """

    async def check_permission_by_string_resource(
        self,
        resources: Sequence[str],
        action: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CheckResourcePermissionsRespDto:
        """Check an action of the user on string resources (POST /api/v3/check-permission-string-resource).

        Args:
            resources: the codes of resources.
            action: what is to be done with them.
        """
        sent = models.CheckPermissionStringResourceDto(
            resources=require_str_list("resources", resources), action=action
        )
        request = post("api", "v3", "check-permission-string-resource", body=sent, idempotency=Idempotency.SAFE)
        return await self._call_as_user(request, models.CheckResourcePermissionsRespDto, access_token, timeout)

    async def check_permission_by_array_resource(
        self,
        resources: Sequence[str],
        action: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CheckResourcePermissionsRespDto:
        """Check an action of the user on array resources (POST /api/v3/check-permission-array-resource).

        Args:
            resources: the codes of resources; an array is authorized as a whole.
            action: what is to be done with them.
        """
        sent = models.CheckPermissionArrayResourceDto(resources=require_str_list("resources", resources), action=action)
        request = post("api", "v3", "check-permission-array-resource", body=sent, idempotency=Idempotency.SAFE)
        return await self._call_as_user(request, models.CheckResourcePermissionsRespDto, access_token, timeout)

    async def check_permission_by_tree_resource(
        self,
        resources: Sequence[str],
        action: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CheckResourcePermissionsRespDto:
        """Check an action of the user on nodes of tree resources (POST /api/v3/check-permission-tree-resource).

        Args:
            resources: such as resource/node/node.
            action: what is to be done with them.
        """
        sent = models.CheckPermissionTreeResourceDto(resources=require_str_list("resources", resources), action=action)
        request = post("api", "v3", "check-permission-tree-resource", body=sent, idempotency=Idempotency.SAFE)
        return await self._call_as_user(request, models.CheckResourcePermissionsRespDto, access_token, timeout)

    async def get_user_authorized_resources_list(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetUserAuthResourceListRespDto:
        """List the resources that the user may use (GET /api/v3/get-user-auth-resource-list)."""
        request = get("api", "v3", "get-user-auth-resource-list")
        return await self._call_as_user(request, models.GetUserAuthResourceListRespDto, access_token, timeout)

    async def get_user_auth_resource_permission_list(
        self,
        resources: Sequence[str],
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetUserAuthResourcePermissionListRespDto:
        """List the actions that the user may do on resources (POST /api/v3/get-user-auth-resource-permission-list).

        Args:
            resources: codes of resources; for tree resources with a path, such as resource/node.
        """
        sent = models.GetUserAuthResourcePermissionListDto(resources=require_str_list("resources", resources))
        request = post("api", "v3", "get-user-auth-resource-permission-list", body=sent, idempotency=Idempotency.SAFE)
        return await self._call_as_user(request, models.GetUserAuthResourcePermissionListRespDto, access_token, timeout)

    async def get_user_auth_resource_struct(
        self,
        resource: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetUserAuthResourceStructRespDto:
        """Read the user's permissions on one resource, in the resource's own form
        (POST /api/v3/get-user-auth-resource-struct).

        Args:
            resource: the code of the resource.
        """
        sent = models.GetUserAuthResourceStructDto(resource=resource)
        request = post("api", "v3", "get-user-auth-resource-struct", body=sent, idempotency=Idempotency.SAFE)
        return await self._call_as_user(request, models.GetUserAuthResourceStructRespDto, access_token, timeout)

    async def get_enable_permission_apply_application_list(
        self,
        *,
        app_name: str | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.EnablePermissionApplyApplicationListRes:
        """List the applications for which permissions can be applied for
        (GET /api/v3/applications-permission-applicable).

        Args:
            app_name: only those with this name.
            access_token: the user's, if this is done on a user's behalf; the client's when None.
        """
        request = get("api", "v3", "applications-permission-applicable", appName=app_name)
        return await self._call_with_optional_user(
            request, models.EnablePermissionApplyApplicationListRes, access_token, timeout
        )

    async def get_enable_permission_apply_role_list(
        self,
        app_id: str,
        *,
        page: int | None = None,
        limit: int | None = None,
        keyword: str | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.EnablePermissionApplyRoleListRes:
        """List the roles that can be applied for (GET /api/v3/roles-permission-applicable).

        Args:
            app_id: the application's id.
            page: which page, from 1.
            limit: how many on a page.
            keyword: only those with this in their name or code.
            access_token: the user's, if this is done on a user's behalf; the client's when None.
        """
        request = get(
            "api",
            "v3",
            "roles-permission-applicable",
            page=page,
            limit=limit,
            keyword=keyword,
            appId=require_str("app_id", app_id),
        )
        return await self._call_with_optional_user(
            request, models.EnablePermissionApplyRoleListRes, access_token, timeout
        )

    async def list_subject_auth(
        self,
        *,
        body: Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """List the authorizations of subjects (POST /api/v2/applications/subject/person/list).

        The documents say neither what the call takes nor what it gives.

        Args:
            body: members of the request body, by wire names. The documents do not say which there are.
            access_token: the user's, if this is done on a user's behalf; the client's when None.
        """
        sent = argument(body, models.Dto, "body") or models.Dto()
        request = post(
            "api", "v2", "applications", "subject", "person", "list", body=sent, idempotency=Idempotency.SAFE
        )
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    def iter_enable_permission_apply_roles(
        self,
        app_id: str,
        *,
        keyword: str | None = None,
        limit: int = 50,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> Stream[models.EnablePermissionApplyRole]:
        """Read the roles that can be applied for, page by page as they are asked for.

        Args:
            app_id: the application's id.
            keyword: only those with this in their name or code.
            limit: how many on a page.
            access_token: the user's, if this is done on a user's behalf; the client's when None.
            timeout: seconds for each page, or an httpx.Timeout; the client's when None.

        Raises:
            ConfigurationError: an argument is not valid. Errors of get_enable_permission_apply_role_list are raised
                while iterating.
        """

        async def fetch(page: int) -> tuple[Sequence[models.EnablePermissionApplyRole], int | None]:
            answer = await self.get_enable_permission_apply_role_list(
                app_id, page=page, limit=limit, keyword=keyword, access_token=access_token, timeout=timeout
            )
            return answer.data.list, answer.data.total_count

        return Pages(fetch, limit=limit)
