"""Email address and phone number of an account."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field

UpdateEmailVerifyMethod = Literal["EMAIL_PASSCODE"]
UpdatePhoneVerifyMethod = Literal["PHONE_PASSCODE"]


@dto
class BindEmailDto(Dto):
    """The body of POST /api/v3/bind-email."""

    pass_code: str = wire_field(secret=True)
    email: str


@dto
class UnbindEmailDto(Dto):
    """The body of POST /api/v3/unbind-email."""

    pass_code: str = wire_field(secret=True)


@dto
class BindPhoneDto(Dto):
    """The body of POST /api/v3/bind-phone."""

    pass_code: str = wire_field(secret=True)
    phone_number: str
    phone_country_code: str | None = None


@dto
class UnbindPhoneDto(Dto):
    """The body of POST /api/v3/unbind-phone."""

    pass_code: str = wire_field(secret=True)


@dto
class UpdateEmailByEmailPassCodeDto(Dto):
    """Codes sent to the new and the old address with CHANNEL_UPDATE_EMAIL."""

    new_email: str
    new_email_pass_code: str = wire_field(secret=True)
    old_email: str | None = None
    old_email_pass_code: str | None = wire_field(default=None, secret=True)


@dto
class VerifyUpdateEmailRequestDto(Dto):
    """The body of POST /api/v3/verify-update-email-request."""

    email_pass_code_payload: UpdateEmailByEmailPassCodeDto
    verify_method: UpdateEmailVerifyMethod | str


@dto
class VerifyUpdateEmailRequestData(Dto):
    """The token for update_email.

    Attributes:
        update_email_token: proves that both addresses are the user's.
        token_expires_in: its life in seconds.
    """

    update_email_token: str = wire_field(secret=True)
    token_expires_in: int | None = None


@dto
class VerifyUpdateEmailRequestRespDto(Envelope):
    """The answer to verify_update_email_request."""

    data: VerifyUpdateEmailRequestData


@dto
class UpdateEmailDto(Dto):
    """The body of POST /api/v3/update-email."""

    update_email_token: str = wire_field(secret=True)


@dto
class UpdatePhoneByPhonePassCodeDto(Dto):
    """Codes sent to the new and the old number, the new one's with CHANNEL_BIND_PHONE."""

    new_phone_number: str
    new_phone_pass_code: str = wire_field(secret=True)
    new_phone_country_code: str | None = None
    old_phone_number: str | None = None
    old_phone_pass_code: str | None = wire_field(default=None, secret=True)
    old_phone_country_code: str | None = None


@dto
class VerifyUpdatePhoneRequestDto(Dto):
    """The body of POST /api/v3/verify-update-phone-request."""

    phone_pass_code_payload: UpdatePhoneByPhonePassCodeDto
    verify_method: UpdatePhoneVerifyMethod | str


@dto
class VerifyUpdatePhoneRequestData(Dto):
    """The token for update_phone.

    Attributes:
        update_phone_token: proves that both numbers are the user's.
        token_expires_in: its life in seconds.
    """

    update_phone_token: str = wire_field(secret=True)
    token_expires_in: int | None = None


@dto
class VerifyUpdatePhoneRequestRespDto(Envelope):
    """The answer to verify_update_phone_request."""

    data: VerifyUpdatePhoneRequestData


@dto
class UpdatePhoneDto(Dto):
    """The body of POST /api/v3/update-phone."""

    update_phone_token: str = wire_field(secret=True)
