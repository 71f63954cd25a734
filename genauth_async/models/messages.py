"""Verification codes by SMS and email."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field

SmsChannel = Literal[
    "CHANNEL_LOGIN",
    "CHANNEL_REGISTER",
    "CHANNEL_RESET_PASSWORD",
    "CHANNEL_BIND_PHONE",
    "CHANNEL_UNBIND_PHONE",
    "CHANNEL_BIND_MFA",
    "CHANNEL_VERIFY_MFA",
    "CHANNEL_UNBIND_MFA",
    "CHANNEL_COMPLETE_PHONE",
    "CHANNEL_IDENTITY_VERIFICATION",
    "CHANNEL_DELETE_ACCOUNT",
]
EmailChannel = Literal[
    "CHANNEL_LOGIN",
    "CHANNEL_REGISTER",
    "CHANNEL_RESET_PASSWORD",
    "CHANNEL_VERIFY_EMAIL_LINK",
    "CHANNEL_UPDATE_EMAIL",
    "CHANNEL_BIND_EMAIL",
    "CHANNEL_UNBIND_EMAIL",
    "CHANNEL_VERIFY_MFA",
    "CHANNEL_UNLOCK_ACCOUNT",
    "CHANNEL_COMPLETE_EMAIL",
    "CHANNEL_DELETE_ACCOUNT",
]
CodeType = Literal["SMS", "EMAIL"]


@dto
class SendSMSDto(Dto):
    """The body of POST /api/v3/send-sms."""

    channel: SmsChannel | str
    phone_number: str
    phone_country_code: str | None = None


@dto
class SendSMSRespDto(Envelope):
    """The answer to send_sms."""


@dto
class SendEmailDto(Dto):
    """The body of POST /api/v3/send-email."""

    channel: EmailChannel | str
    email: str


@dto
class SendEmailRespDto(Envelope):
    """The answer to send_email."""


@dto
class PreCheckSmsCodeDto(Dto):
    """A code that was sent by SMS."""

    phone: str
    pass_code: str = wire_field(secret=True)
    channel: SmsChannel | str
    phone_country_code: str | None = None


@dto
class PreCheckEmailCodeDto(Dto):
    """A code that was sent by email."""

    email: str
    pass_code: str = wire_field(secret=True)
    channel: EmailChannel | str


@dto
class PreCheckCodeDto(Dto):
    """The body of POST /api/v3/pre-check-code."""

    code_type: CodeType | str
    sms_code_payload: PreCheckSmsCodeDto | None = None
    email_code_payload: PreCheckEmailCodeDto | None = None


@dto
class PreCheckCodeDataDto(Dto):
    """Result of checking a verification code."""

    is_valid: bool
    message: str | None = None


@dto
class PreCheckCodeRespDto(Envelope):
    """The answer to pre_check_code."""

    data: PreCheckCodeDataDto
