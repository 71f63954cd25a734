"""The user's profile."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field
from .common import IdentityProvider

UserStatus = Literal["Suspended", "Resigned", "Activated", "Archived", "Deactivated"]
WorkStatus = Literal["Closed", "Active"]
Gender = Literal["M", "F", "U"]
UserSourceType = Literal["excel", "register", "adminCreated", "sync"]


@dto
class IdentityDto(Dto):
    """An identity at another provider that is bound to the user."""

    identity_id: str | None = None
    ext_idp_id: str | None = None
    provider: IdentityProvider | str | None = None
    type: str | None = None
    user_id_in_idp: str | None = None
    user_info_in_idp: object = None
    access_token: str | None = wire_field(default=None, secret=True)
    refresh_token: str | None = wire_field(default=None, secret=True)
    origin_conn_ids: list[str] | None = None


@dto
class UserDto(Dto):
    """A user. Only `user_id` is always there: the others depend on the scopes of the access token."""

    user_id: str
    created_at: str | None = None
    updated_at: str | None = None
    status: UserStatus | str | None = None
    work_status: WorkStatus | str | None = None
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_country_code: str | None = None
    username: str | None = None
    name: str | None = None
    nickname: str | None = None
    photo: str | None = None
    logins_count: int | None = None
    last_login: str | None = None
    last_ip: str | None = None
    gender: Gender | str | None = None
    email_verified: bool | None = None
    phone_verified: bool | None = None
    password_last_set_at: str | None = None
    birthdate: str | None = None
    country: str | None = None
    province: str | None = None
    city: str | None = None
    address: str | None = None
    street_address: str | None = None
    postal_code: str | None = None
    company: str | None = None
    browser: str | None = None
    device: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    middle_name: str | None = None
    profile: str | None = None
    preferred_username: str | None = None
    website: str | None = None
    zoneinfo: str | None = None
    locale: str | None = None
    formatted: str | None = None
    region: str | None = None
    user_source_type: UserSourceType | str | None = None
    user_source_id: str | None = None
    last_login_app: str | None = None
    main_department_id: str | None = None
    last_mfa_time: str | None = None
    password_security_level: int | None = None
    reset_password_on_next_login: bool | None = None
    register_source: list[str] | None = None
    department_ids: list[str] | None = None
    identities: list[IdentityDto] | None = None
    identity_number: str | None = None
    custom_data: object = None
    metadata_source: object = None
    post_id_list: list[str] | None = None
    status_changed_at: str | None = None
    tenant_id: str | None = None
    signed_up: str | None = None


@dto
class UserSingleRespDto(Envelope):
    """The answer to get_profile."""

    data: UserDto


@dto
class UpdateUserProfileDto(Dto):
    """The body of POST /api/v3/update-profile."""

    name: str | None = None
    nickname: str | None = None
    photo: str | None = None
    external_id: str | None = None
    birthdate: str | None = None
    country: str | None = None
    province: str | None = None
    city: str | None = None
    address: str | None = None
    street_address: str | None = None
    postal_code: str | None = None
    gender: Gender | str | None = None
    username: str | None = None
    company: str | None = None
    custom_data: object = None
    identity_number: str | None = None


@dto
class GetSecurityInfoDto(Dto):
    """Security level of the account."""

    password_security_level: int | None = None
    mfa_enrolled: bool | None = None
    password_set: bool | None = None
    email_binded: bool | None = None
    phone_binded: bool | None = None
    security_score: int | None = None


@dto
class GetSecurityInfoRespDto(Envelope):
    """The answer to get_security_level."""

    data: GetSecurityInfoDto
