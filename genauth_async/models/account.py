"""Account passwords and account deletion."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field
from .signin import PasswordEncryptType

DeleteAccountVerifyMethod = Literal["PHONE_PASSCODE", "EMAIL_PASSCODE", "PASSWORD"]
ResetPasswordVerifyMethod = Literal["EMAIL_PASSCODE", "PHONE_PASSCODE"]


@dto
class UpdatePasswordDto(Dto):
    """The body of POST /api/v3/update-password."""

    new_password: str = wire_field(secret=True)
    old_password: str | None = wire_field(default=None, secret=True)
    password_encrypt_type: PasswordEncryptType | None = None
    password_reset_token: str | None = wire_field(default=None, secret=True)


@dto
class ResetPasswordByPhonePassCodeDto(Dto):
    """Proof by a code sent by SMS with CHANNEL_RESET_PASSWORD."""

    phone_number: str
    pass_code: str = wire_field(secret=True)
    phone_country_code: str | None = None


@dto
class ResetPasswordByEmailPassCodeDto(Dto):
    """Proof by a code sent by email with CHANNEL_RESET_PASSWORD."""

    pass_code: str = wire_field(secret=True)
    email: str | None = None


@dto
class VerifyResetPasswordRequestDto(Dto):
    """The body of POST /api/v3/verify-reset-password-request."""

    verify_method: ResetPasswordVerifyMethod | str
    phone_pass_code_payload: ResetPasswordByPhonePassCodeDto | None = None
    email_pass_code_payload: ResetPasswordByEmailPassCodeDto | None = None


@dto
class ResetPasswordVerify(Dto):
    """The token for reset_password.

    Attributes:
        password_reset_token: proves that the user may set a new password.
        token_expires_in: its life in seconds.
    """

    password_reset_token: str = wire_field(secret=True)
    token_expires_in: int | None = None


@dto
class PasswordResetVerifyResp(Envelope):
    """The answer to verify_reset_password_request."""

    data: ResetPasswordVerify


@dto
class ResetPasswordDto(Dto):
    """The body of POST /api/v3/reset-password."""

    password: str = wire_field(secret=True)
    password_reset_token: str = wire_field(secret=True)
    password_encrypt_type: PasswordEncryptType | None = None


@dto
class DeleteAccountByPhonePassCodeDto(Dto):
    """Proof by a code sent by SMS with CHANNEL_DELETE_ACCOUNT."""

    phone_number: str
    pass_code: str = wire_field(secret=True)
    phone_country_code: str | None = None


@dto
class DeleteAccountByEmailPassCodeDto(Dto):
    """Proof by a code sent by email with CHANNEL_DELETE_ACCOUNT."""

    pass_code: str = wire_field(secret=True)
    email: str | None = None


@dto
class DeleteAccountByPasswordDto(Dto):
    """Proof by the account's password.

    Attributes:
        password: as the user typed it; encrypted here as password_encrypt_type says.
        password_encrypt_type: `sm2`, `rsa` or `none`.
    """

    password: str = wire_field(secret=True)
    password_encrypt_type: PasswordEncryptType | None = None


@dto
class VerifyDeleteAccountRequestDto(Dto):
    """The body of POST /api/v3/verify-delete-account-request."""

    verify_method: DeleteAccountVerifyMethod | str
    phone_pass_code_payload: DeleteAccountByPhonePassCodeDto | None = None
    email_pass_code_payload: DeleteAccountByEmailPassCodeDto | None = None
    password_payload: DeleteAccountByPasswordDto | None = None


@dto
class VerifyDeleteAccountRequestDataDto(Dto):
    """The token for delete_account.

    Attributes:
        delete_account_token: proves that the user may delete the account.
        token_expires_in: its life in seconds.
    """

    delete_account_token: str = wire_field(secret=True)
    token_expires_in: int | None = None


@dto
class VerifyDeleteAccountRequestRespDto(Envelope):
    """The answer to verify_delete_account_request."""

    data: VerifyDeleteAccountRequestDataDto


@dto
class DeleteAccounDto(Dto):
    """The body of POST /api/v3/delete-account."""

    delete_account_token: str = wire_field(secret=True)


@dto
class ValidatePasswordDto(Dto):
    """The body of POST /api/v3/validate-password."""

    phone: str | None = None
    email: str | None = None
    username: str | None = None
    phone_country_code: str | None = None
    password: str | None = wire_field(default=None, secret=True)
    password_encrypt_type: PasswordEncryptType | None = None


@dto
class ValidatePasswordResultDto(Dto):
    """Result of a password check."""

    valid: bool


@dto
class ValidatePasswordRespDto(Envelope):
    """The answer to validate_password."""

    data: ValidatePasswordResultDto
