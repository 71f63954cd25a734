"""Invitations to a user pool."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field
from .common import LangObject, LangUnit
from .profile import Gender

ValidateRuleType = Literal["None", "regExp", "phone", "email", "isNumber"]
ExtendsFieldType = Literal["user", "internal"]
ExtendsFieldInputType = Literal[
    "image",
    "number",
    "date",
    "dateTime",
    "datetime",
    "select",
    "dropdown",
    "boolean",
    "string",
    "text",
    "gender",
    "country",
    "username",
    "phone",
    "email",
]
ExtendsFieldSource = Literal["preset", "manual_add"]
SendVerifyCodeMethod = Literal["prioritySMS", "priorityEmail"]
ReceiverType = Literal["smsCode", "emailCode"]
JoinStatus = Literal["PENDING", "PASSED"]


@dto
class UserPoolPublicConfigDto(Dto):
    """Public data of a user pool."""

    name: str | None = None
    logo: str | None = None
    description: str | None = None


@dto
class InviterDetailDto(Dto):
    """User who invites."""

    display_name: str | None = None


@dto
class UniversalInvitationPublicConfigDto(Dto):
    """Public part of an invitation."""

    user_pool: UserPoolPublicConfigDto | None = None
    inviter: InviterDetailDto | None = None


@dto
class GetUniversalInvitationPublicConfigRespDto(Envelope):
    """The answer to get_universal_invitation_public_config."""

    data: UniversalInvitationPublicConfigDto


@dto
class UniversalInviteeProfileDto(Dto):
    """User who joins."""

    name: str
    email: str


@dto
class UniversalInvitationUserJoinDto(Dto):
    """The body of POST /api/v3/signup-by-invitation."""

    email_code: str = wire_field(secret=True)
    identifier: str
    profile: UniversalInviteeProfileDto | None = None


@dto
class UniversalInvitationJoinRespDto(Dto):
    """Result of joining: joined, or waiting for approval."""

    status: JoinStatus | str


@dto
class GetUniversalInvitationJoinRespDto(Envelope):
    """The answer to signup_by_universal."""

    data: UniversalInvitationJoinRespDto


@dto
class InvitationLinkDto(Dto):
    """The body of POST /api/v3/generate-policy-invitation-token."""

    signature: str = wire_field(secret=True)
    identifier: str
    with_invitee_info: bool | None = None
    with_invitation_settings: bool | None = None


@dto
class ErrMsgI18nDto(Dto):
    """An error message in several languages."""

    error_message: LangUnit | None = None


@dto
class AppValidateRuleDto(Dto):
    """Validation rule of a field of the sign-up form."""

    type: ValidateRuleType | str | None = None
    content: ValidateRuleType | str | None = None
    error_message: str | None = None
    i18n: ErrMsgI18nDto | None = None


@dto
class CustomFieldI18n(Dto):
    """A field's label in several languages."""

    label: LangObject | None = None


@dto
class ExtendsFieldDto(Dto):
    """A field of the form that an invited user fills in."""

    type: ExtendsFieldType | str | None = None
    id: str | None = None
    name: str | None = None
    label: str | None = None
    show: bool | None = None
    allow_rewrite: bool | None = None
    input_type: ExtendsFieldInputType | str | None = None
    required: bool | None = None
    validate_rules: AppValidateRuleDto | None = None
    source: ExtendsFieldSource | str | None = None
    i18n: CustomFieldI18n | None = None


@dto
class InviteeContextDto(Dto):
    """Sign-up form of an invitation."""

    enabled_identifier_verify: bool | None = None
    send_verify_code_method: SendVerifyCodeMethod | str | None = None
    enabled_info_fill: bool | None = None
    register_info_fill_msg: str | None = None
    extends_fields: list[ExtendsFieldDto] | None = None
    extends_fields_i18n: object = None
    extends_fields_options: list[object] | None = None
    email: str | None = None
    phone: str | None = None
    phone_country_code: str | None = None
    invitee_name: str | None = None
    verify_code_max_err_count: int | None = None


@dto
class GenerateInviteeTokenDto(Dto):
    """The token of an invitation, and what it says."""

    token: str | None = wire_field(default=None, secret=True)
    invitation_context: InviteeContextDto | None = None


@dto
class GenerateInviteeTokenRespDto(Envelope):
    """The answer to generate_invite_token."""

    data: GenerateInviteeTokenDto


@dto
class GetInviteeContextRespDto(Envelope):
    """The answer to get_invite_code_context."""

    data: InviteeContextDto


@dto
class VerifyInviteCodeDto(Dto):
    """The body of POST /api/v3/verify-invite-code."""

    receiver_type: ReceiverType | str
    code: str = wire_field(secret=True)
    token: str = wire_field(secret=True)


@dto
class InviteeProfileDto(Dto):
    """Profile that an invited user filled in."""

    username: str | None = None
    nickname: str | None = None
    company: str | None = None
    photo: str | None = None
    device: str | None = None
    browser: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    middle_name: str | None = None
    profile: str | None = None
    preferred_username: str | None = None
    website: str | None = None
    gender: Gender | str | None = None
    birthdate: str | None = None
    zoneinfo: str | None = None
    locale: str | None = None
    address: str | None = None
    formatted: str | None = None
    street_address: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_country_code: str | None = None
    custom_data: object = None


@dto
class PolicyInviteJoinedOptionsDto(Dto):
    """Codes for the address and number that complete the profile."""

    phone_pass_code_for_information_completion: str | None = wire_field(default=None, secret=True)
    email_pass_code_for_information_completion: str | None = wire_field(default=None, secret=True)


@dto
class PolicyInviteeJoinedDto(Dto):
    """The body of POST /api/v3/join-by-invitation."""

    token: str = wire_field(secret=True)
    code: str | None = wire_field(default=None, secret=True)
    receiver_type: ReceiverType | str | None = None
    profile: InviteeProfileDto | None = None
    options: PolicyInviteJoinedOptionsDto | None = None


@dto
class GenerateInvitationLinkDto(Dto):
    """Invitation link."""

    link: str = wire_field(secret=True)


@dto
class GenerateInvitationLinkRespDto(Envelope):
    """The answer to generate_universal_invitation_by_member."""

    data: GenerateInvitationLinkDto
