"""Multi-factor authentication: factors, and the token of a sign-in that needs a second one."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field

FactorType = Literal["OTP", "SMS", "EMAIL", "FACE"]


@dto
class MfaTokenIntrospectEndpointParams(Dto):
    """The body of POST /mfa/token/introspection."""

    token: str = wire_field(secret=True)


@dto
class MfaTokenIntrospectResponse(Dto):
    """The answer to verify_mfa_token."""

    active: bool
    user_pool_id: str | None = None
    user_id: str | None = None
    exp: int | None = None
    iat: int | None = None


@dto
class FactorProfile(Dto):
    """Destination of a factor's codes: a phone number for SMS, an address for EMAIL, nothing for OTP."""

    phone_number: str | None = None
    phone_country_code: str | None = None
    email: str | None = None


@dto
class SendEnrollFactorRequestDto(Dto):
    """The body of POST /api/v3/send-enroll-factor-request."""

    profile: FactorProfile
    factor_type: FactorType | str


@dto
class SendEnrollFactorRequestOtpDataDto(Dto):
    """Secret and URI for an authenticator app.

    Attributes:
        qr_code_uri: the otpauth:// URI; genauth_async.qr draws it.
        qr_code_data_url: its QR code, as a data URL.
        recovery_code: to be kept by the user, in case the app is lost.
    """

    qr_code_uri: str | None = wire_field(default=None, secret=True)
    qr_code_data_url: str | None = wire_field(default=None, secret=True)
    recovery_code: str | None = wire_field(default=None, secret=True)


@dto
class SendEnrollFactorRequestDataDto(Dto):
    """An enrollment that was begun.

    Attributes:
        enrollment_token: for enroll_factor.
        otp_data: for OTP, what the authenticator app has to be told.
    """

    enrollment_token: str = wire_field(secret=True)
    otp_data: SendEnrollFactorRequestOtpDataDto | None = None


@dto
class SendEnrollFactorRequestRespDto(Envelope):
    """The answer to send_enroll_factor_request."""

    data: SendEnrollFactorRequestDataDto


@dto
class EnrollFactorEnrollmentDataDto(Dto):
    """Proof that the factor works.

    Attributes:
        pass_code: the one-time password (OTP), or the code that was sent (SMS, EMAIL).
        photo: for FACE.
        is_external_photo: whether the photo comes from outside GenAuth.
    """

    pass_code: str | None = wire_field(default=None, secret=True)
    photo: str | None = None
    is_external_photo: bool | None = None


@dto
class EnrollFactorDto(Dto):
    """The body of POST /api/v3/enroll-factor."""

    enrollment_data: EnrollFactorEnrollmentDataDto
    enrollment_token: str = wire_field(secret=True)
    factor_type: FactorType | str


@dto
class EnrollFactorRespDto(Envelope):
    """The answer to enroll_factor."""


@dto
class ResetFactorDto(Dto):
    """The body of POST /api/v3/reset-factor."""

    factor_id: str


@dto
class ResetFactorRespDto(Envelope):
    """The answer to reset_factor."""


@dto
class FactorDto(Dto):
    """A factor that the user has enrolled.

    Attributes:
        profile: where its codes go, partly hidden; its form depends on the factor.
    """

    factor_id: str
    factor_type: FactorType | str
    profile: object = None


@dto
class ListEnrolledFactorsRespDto(Envelope):
    """The answer to list_enrolled_factors."""

    data: list[FactorDto]


@dto
class GetFactorRespDto(Envelope):
    """The answer to get_factor."""

    data: FactorDto


@dto
class FactorToEnrollDto(Dto):
    """A factor that the user could enroll."""

    factor_type: FactorType | str


@dto
class ListFactorsToEnrollRespDto(Envelope):
    """The answer to list_factors_to_enroll."""

    data: list[FactorToEnrollDto]


@dto
class MfaOtpVerityDto(Dto):
    """The body of POST /api/v3/mfa-totp-verify."""

    totp: str = wire_field(secret=True)


@dto
class OtpVerityRespDto(Dto):
    """Result of checking a one-time password."""

    verified: bool


@dto
class MfaOtpVerityRespDto(Envelope):
    """The answer to mfa_otp_verify."""

    data: OtpVerityRespDto
