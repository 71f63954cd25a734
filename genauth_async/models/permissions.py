"""Permissions of the user."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import ListOf, dto, wire_field

AppType = Literal["web", "spa", "native", "api", "mfa", "mini-program", "gateway-app", "gateway-agent"]
PermissionResourceType = Literal["TREE", "STRING", "ARRAY"]


@dto
class CheckPermissionStringResourceDto(Dto):
    """The body of POST /api/v3/check-permission-string-resource."""

    resources: list[str]
    action: str


@dto
class CheckResourcePermissionRespDto(Dto):
    """Result of checking an action on a resource."""

    namespace_code: str | None = None
    action: str
    resource: str
    enabled: bool


@dto
class CheckResourcePermissionDataDto(Dto):
    """One result for each resource asked for."""

    check_result_list: list[CheckResourcePermissionRespDto]


@dto
class CheckResourcePermissionsRespDto(Envelope):
    """The answer to check_permission_by_string_resource and its siblings for array and tree resources."""

    data: CheckResourcePermissionDataDto


@dto
class CheckPermissionArrayResourceDto(Dto):
    """The body of POST /api/v3/check-permission-array-resource."""

    resources: list[str]
    action: str


@dto
class CheckPermissionTreeResourceDto(Dto):
    """The body of POST /api/v3/check-permission-tree-resource."""

    resources: list[str]
    action: str


@dto
class StrAuthorize(Dto):
    """The value of a string resource, and the actions."""

    value: str | None = None
    actions: list[str] | None = None


@dto
class ArrayAuthorize(Dto):
    """The values of an array resource that the user may use, and the actions.

    Attributes:
        values_: the wire's `values`, which is a method of every mapping.
    """

    values_: list[str] | None = wire_field(default=None, wire="values")
    actions: list[str] | None = None


@dto
class TreeAuthBo(Dto):
    """A node of a tree resource, and the actions."""

    node_path: str
    node_name: str | None = None
    node_actions: list[str] | None = None
    node_value: str | None = None
    node_extend_field_value: object = None


@dto
class TreeAuthorize(Dto):
    """The nodes of a tree resource that the user may use."""

    auth_list: list[TreeAuthBo]


@dto
class OpenResource(Dto):
    """A resource and what the user may do with it; which of the three members is there depends on its type."""

    resource_code: str
    resource_type: PermissionResourceType | str
    str_authorize: StrAuthorize | None = None
    arr_authorize: ArrayAuthorize | None = None
    tree_authorize: TreeAuthorize | None = None


@dto
class UserAuthResourceListDto(Dto):
    """Resources that the user may use in one namespace."""

    user_id: str | None = None
    namespace_code: str
    resource_list: list[OpenResource] | None = None


@dto
class GetUserAuthResourceListDataDto(Dto):
    """Resources that the user may use, one entry for each namespace."""

    user_permission_list: list[UserAuthResourceListDto]


@dto
class GetUserAuthResourceListRespDto(Envelope):
    """The answer to get_user_authorized_resources_list."""

    data: GetUserAuthResourceListDataDto


@dto
class GetUserAuthResourcePermissionListDto(Dto):
    """The body of POST /api/v3/get-user-auth-resource-permission-list."""

    resources: list[str]


@dto
class GetUserAuthResourcePermissionList(Dto):
    """The actions that the user may do on a resource."""

    namespace_code: str | None = None
    resource: str
    actions: list[str] | None = None


@dto
class GetUserAuthResourcePermissionListDataDto(Dto):
    """One entry for each resource asked for."""

    permission_list: list[GetUserAuthResourcePermissionList]


@dto
class GetUserAuthResourcePermissionListRespDto(Envelope):
    """The answer to get_user_auth_resource_permission_list."""

    data: GetUserAuthResourcePermissionListDataDto


@dto
class GetUserAuthResourceStructDto(Dto):
    """The body of POST /api/v3/get-user-auth-resource-struct."""

    resource: str


@dto
class StrResourceAuthAction(Dto):
    """The value of a string resource, and the actions."""

    value: str | None = None
    actions: list[str] | None = None


@dto
class ArrResourceAuthAction(Dto):
    """The values of an array resource that the user may use, and the actions.

    Attributes:
        values_: the wire's `values`, which is a method of every mapping.
    """

    values_: list[str] | None = wire_field(default=None, wire="values")
    actions: list[str] | None = None


@dto
class TreeStructs(Dto):
    """A node of a tree resource, with the nodes below it."""

    code: str | None = None
    name: str | None = None
    value: str | None = None
    actions: list[str] | None = None
    children: list[TreeStructs] | None = None


@dto
class TreeResourceAuthAction(Dto):
    """The nodes of a tree resource that the user may use, as a tree."""

    node_auth_action_list: list[TreeStructs] | None = None


@dto
class GetUserAuthResourceStructDataDto(Dto):
    """Permissions on one resource; its type determines which of the three members is there."""

    namespace_code: str
    resource_code: str
    resource_type: PermissionResourceType | str
    str_resource_auth_action: StrResourceAuthAction | None = None
    arr_resource_auth_action: ArrResourceAuthAction | None = None
    tree_resource_auth_action: TreeResourceAuthAction | None = None


@dto
class GetUserAuthResourceStructRespDto(Envelope):
    """The answer to get_user_auth_resource_struct."""

    data: GetUserAuthResourceStructDataDto


@dto
class EnablePermissionApplyApplication(Dto):
    """An application for which permissions can be applied for."""

    app_id: str
    app_name: str | None = None
    logo: str | None = None
    app_type: AppType | str | None = None
    template: str | None = None


@dto
class EnablePermissionApplyApplicationList(Dto):
    """Applications."""

    list: ListOf[EnablePermissionApplyApplication]


@dto
class EnablePermissionApplyApplicationListRes(Envelope):
    """The answer to get_enable_permission_apply_application_list."""

    data: EnablePermissionApplyApplicationList


@dto
class EnablePermissionApplyRole(Dto):
    """A role that can be applied for."""

    role_id: str | None = None
    code: str | None = None
    name: str | None = None
    description: str | None = None


@dto
class EnablePermissionApplyRolePageList(Dto):
    """Roles, and how many there are in all."""

    list: ListOf[EnablePermissionApplyRole]
    total_count: int | None = None


@dto
class EnablePermissionApplyRoleListRes(Envelope):
    """The answer to get_enable_permission_apply_role_list."""

    data: EnablePermissionApplyRolePageList
