"""Resources of the user: sign-ins, applications, tenants, roles, groups, authorized resources."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import ListOf, dto
from .profile import UserDto

AuthorizedResourceType = Literal["DATA", "API", "MENU", "BUTTON", "UI"]
PolicyEffect = Literal["ALLOW", "DENY"]
PolicyConditionParam = Literal[
    "UserPoolId",
    "AppId",
    "RequestFrom",
    "UserId",
    "UserArn",
    "CurrentTime",
    "EpochTime",
    "SourceIp",
    "User",
    "MultiFactorAuthPresent",
    "MultiFactorAuthAge",
    "UserAgent",
    "Referer",
    "Device",
    "OS",
    "Country",
    "Province",
    "City",
    "DeviceChanged",
    "DeviceUntrusted",
    "ProxyUntrusted",
    "LoggedInApps",
    "Namespace",
]
PolicyConditionOperator = Literal[
    "Bool",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "IpAddress",
    "NotIpAddress",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "ListContains",
]


@dto
class ParsedUserAgent(Dto):
    """A browser and its system, as told by the User-Agent header."""

    device: str | None = None
    name: str | None = None
    os: str | None = None


@dto
class GeoIpLocation(Dto):
    """Degrees of longitude and latitude."""

    lon: float | None = None
    lat: float | None = None


@dto
class GeoIp(Dto):
    """Location of an IP address."""

    wire_case = "snake"

    location: GeoIpLocation | None = None
    country_name: str | None = None
    country_code2: str | None = None
    country_code3: str | None = None
    region_name: str | None = None
    region_code: str | None = None
    city_name: str | None = None
    continent_code: str | None = None
    timezone: str | None = None


@dto
class LoginHistoryDto(Dto):
    """A sign-in, or an attempt.

    Attributes:
        login_at: when, in ISO 8601.
        login_method: how.
        success: whether the user was signed in.
    """

    user_id: str | None = None
    app_id: str | None = None
    success: bool | None = None
    app_name: str | None = None
    app_login_url: str | None = None
    app_logo: str | None = None
    login_at: str | None = None
    client_ip: str | None = None
    error_message: str | None = None
    user_agent: str | None = None
    parsed_user_agent: ParsedUserAgent | None = None
    login_method: str | None = None
    geoip: GeoIp | None = None
    tenant_id: str | None = None


@dto
class LoginHistoryPaginatedRespDto(Dto):
    """Sign-ins, and how many there are in all."""

    list: ListOf[LoginHistoryDto]
    total_count: int | None = None


@dto
class GetLoginHistoryRespDto(Envelope):
    """The answer to get_login_history."""

    data: LoginHistoryPaginatedRespDto


@dto
class LoggedInAppsDto(Dto):
    """An application that the user is signed in to."""

    app_id: str
    active: bool | None = None
    app_name: str | None = None
    app_login_url: str | None = None
    app_logo: str | None = None


@dto
class GetLoggedInAppsRespDto(Envelope):
    """The answer to get_logged_in_apps."""

    data: list[LoggedInAppsDto]


@dto
class AccessibleAppsDto(Dto):
    """An application that the user may use."""

    app_id: str
    active: bool | None = None
    app_name: str | None = None
    app_login_url: str | None = None
    app_logo: str | None = None


@dto
class GetAccessibleAppsRespDto(Envelope):
    """The answer to get_accessible_apps."""

    data: list[AccessibleAppsDto]


@dto
class UserTenantListDto(Dto):
    """A tenant that the user belongs to."""

    tenant_id: str
    tenant_name: str | None = None
    join_at: str | None = None


@dto
class GetTenantListRespDto(Envelope):
    """The answer to get_tenant_list."""

    data: list[UserTenantListDto]


@dto
class RoleDto(Dto):
    """A role of the user.

    Attributes:
        disable_time: when it ends, in milliseconds since the epoch.
    """

    id: str
    code: str | None = None
    name: str | None = None
    description: str | None = None
    namespace: str | None = None
    namespace_name: str | None = None
    status: str | None = None
    disable_time: int | None = None
    enable_permission_apply: bool | None = None


@dto
class RoleListRespDto(Envelope):
    """The answer to get_role_list."""

    data: list[RoleDto]


@dto
class GroupDto(Dto):
    """A group of users."""

    id: str
    type: str | None = None
    code: str | None = None
    name: str | None = None
    description: str | None = None
    metadata_source: list[str] | None = None
    members: list[UserDto] | None = None


@dto
class GroupListRespDto(Envelope):
    """The answer to get_group_list."""

    data: list[GroupDto]


@dto
class PolicyCondition(Dto):
    """A condition under which a policy applies."""

    param: PolicyConditionParam | str | None = None
    operator: PolicyConditionOperator | str | None = None
    value: str | None = None


@dto
class AuthorizedResourceDto(Dto):
    """A resource that a policy lets the user use, or forbids."""

    resource_code: str
    resource_type: AuthorizedResourceType | str | None = None
    description: str | None = None
    condition: list[PolicyCondition] | None = None
    api_identifier: str | None = None
    actions: list[str] | None = None
    effect: PolicyEffect | str | None = None


@dto
class AuthorizedResourcePagingDto(Dto):
    """Resources, and how many there are in all."""

    list: ListOf[AuthorizedResourceDto]
    total_count: int | None = None


@dto
class AuthorizedResourcePaginatedRespDto(Envelope):
    """The answer to get_authorized_resources."""

    data: AuthorizedResourcePagingDto
