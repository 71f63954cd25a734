"""Multi-factor authentication."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._arguments.text import require_str, require_token
from .._wire.converter import argument
from .._wire.request import Idempotency, Request, get, post
from ..errors import ConfigurationError, MFARequiredError
from ..settings import Timeout
from ._base import Api


class MFA(Api):
    """Enroll second factors, and verify them.

    A sign-in that needs a second factor raises MFARequiredError; one of the complete_mfa methods ends it. They call the
    older API: the present one's documents know no operation for that. Its published answer has a token of fifteen days,
    here `data.id_token`; nothing tells whether an access token comes along, without which there is no TokenSession.

    Common parameters:
        access_token: the user's; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def verify_mfa_token(
        self,
        token: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.MfaTokenIntrospectResponse:
        """Introspect the token of a sign-in that needs a second factor (POST /mfa/token/introspection).

        Args:
            token: the mfa_token.
        """
        request = Request(
            method="POST",
            path=("mfa", "token", "introspection"),
            form={"token": require_str("token", token)},
            idempotency=Idempotency.SAFE,
        )
        return await self._call(request, models.MfaTokenIntrospectResponse, timeout)

    async def send_enroll_factor_request(
        self,
        profile: models.FactorProfile | Mapping[str, object],
        factor_type: models.FactorType | str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.SendEnrollFactorRequestRespDto:
        """Begin the enrollment of a factor (POST /api/v3/send-enroll-factor-request).

        For OTP, show `data.otp_data.qr_code_uri` as a QR code (genauth_async.qr); for SMS and EMAIL a code is sent.

        Args:
            profile: where its codes go: phone_number and phone_country_code for SMS, email for EMAIL, empty for OTP.
            factor_type: OTP, SMS or EMAIL (FACE where the deployment has it).
            access_token: the user's, or the mfa_token of a sign-in; the client's when None.
        """
        sent = models.SendEnrollFactorRequestDto(
            profile=argument(profile, models.FactorProfile, "profile"), factor_type=factor_type
        )
        request = post("api", "v3", "send-enroll-factor-request", body=sent)
        return await self._call_as_user(request, models.SendEnrollFactorRequestRespDto, access_token, timeout)

    async def enroll_factor(
        self,
        enrollment_data: models.EnrollFactorEnrollmentDataDto | Mapping[str, object],
        enrollment_token: str,
        factor_type: models.FactorType | str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.EnrollFactorRespDto:
        """Complete the enrollment of a factor (POST /api/v3/enroll-factor).

        Args:
            enrollment_data: pass_code: what the authenticator app shows, or the code that was sent.
            enrollment_token: from send_enroll_factor_request.
            factor_type: OTP, SMS or EMAIL (FACE where the deployment has it).
            access_token: the user's, or the mfa_token of a sign-in; the client's when None.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
        """
        sent = models.EnrollFactorDto(
            enrollment_data=argument(enrollment_data, models.EnrollFactorEnrollmentDataDto, "enrollment_data"),
            enrollment_token=enrollment_token,
            factor_type=factor_type,
        )
        request = post("api", "v3", "enroll-factor", body=sent)
        return await self._call_as_user(request, models.EnrollFactorRespDto, access_token, timeout)

    async def reset_factor(
        self,
        factor_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.ResetFactorRespDto:
        """Remove one of the user's factors (POST /api/v3/reset-factor).

        Args:
            factor_id: names the factor.
        """
        sent = models.ResetFactorDto(factor_id=factor_id)
        request = post("api", "v3", "reset-factor", body=sent)
        return await self._call_as_user(request, models.ResetFactorRespDto, access_token, timeout)

    async def list_enrolled_factors(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.ListEnrolledFactorsRespDto:
        """List the user's factors (GET /api/v3/list-enrolled-factors)."""
        request = get("api", "v3", "list-enrolled-factors")
        return await self._call_as_user(request, models.ListEnrolledFactorsRespDto, access_token, timeout)

    async def get_factor(
        self,
        factor_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetFactorRespDto:
        """Read one of the user's factors (GET /api/v3/get-factor).

        Args:
            factor_id: names the factor.
        """
        request = get("api", "v3", "get-factor", factorId=require_str("factor_id", factor_id))
        return await self._call_as_user(request, models.GetFactorRespDto, access_token, timeout)

    async def list_factors_to_enroll(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.ListFactorsToEnrollRespDto:
        """List the kinds of factors that the user could enroll (GET /api/v3/list-factors-to-enroll)."""
        request = get("api", "v3", "list-factors-to-enroll")
        return await self._call_as_user(request, models.ListFactorsToEnrollRespDto, access_token, timeout)

    async def mfa_otp_verify(
        self,
        totp: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.MfaOtpVerityRespDto:
        """Check a one-time password of the signed-in user (POST /api/v3/mfa-totp-verify).

        To end a sign-in that needs a second factor, use complete_mfa_with_totp.

        Args:
            totp: what the authenticator app shows.

        Raises:
            TOTPError: no such factor is enrolled.
        """
        sent = models.MfaOtpVerityDto(totp=totp)
        request = post("api", "v3", "mfa-totp-verify", body=sent)
        return await self._call_as_user(request, models.MfaOtpVerityRespDto, access_token, timeout)

    async def complete_mfa_with_totp(
        self,
        challenge: MFARequiredError | str,
        totp: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Complete a sign-in that needs a second factor, by a one-time password (POST /api/v2/mfa/totp/verify).

        Args:
            challenge: the MFARequiredError that the sign-in raised, or its mfa_token.
            totp: what the authenticator app shows.

        Raises:
            TOTPError: it is wrong, or no such factor is enrolled.
            NotSignedInError: the mfa_token has expired or was used.
        """
        return await self._complete_mfa(
            challenge, ("api", "v2", "mfa", "totp", "verify"), {"totp": require_str("totp", totp)}, timeout
        )

    async def complete_mfa_with_recovery_code(
        self,
        challenge: MFARequiredError | str,
        recovery_code: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Complete a sign-in that needs a second factor, by the recovery code (POST /api/v2/mfa/totp/recovery).

        A recovery code is good once; the next one is in the answer: `answer["recoveryCode"]`.

        Args:
            challenge: the MFARequiredError that the sign-in raised, or its mfa_token.
            recovery_code: what the user kept when the authenticator app was enrolled.

        Raises:
            TOTPError: it is wrong, or was used before.
            NotSignedInError: the mfa_token has expired or was used.
        """
        return await self._complete_mfa(
            challenge,
            ("api", "v2", "mfa", "totp", "recovery"),
            {"recoveryCode": require_str("recovery_code", recovery_code)},
            timeout,
        )

    async def complete_mfa_with_email_code(
        self,
        challenge: MFARequiredError | str,
        email: str,
        pass_code: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Complete a sign-in that needs a second factor, by a code sent by email
        (POST /api/v2/applications/mfa/email/verify).

        Args:
            challenge: the MFARequiredError that the sign-in raised, or its mfa_token.
            email: the user's address.
            pass_code: the code that send_email sent with CHANNEL_VERIFY_MFA.

        Raises:
            InvalidPassCodeError: the code is wrong or has expired.
            NotSignedInError: the mfa_token has expired or was used.
        """
        return await self._complete_mfa(
            challenge,
            ("api", "v2", "applications", "mfa", "email", "verify"),
            {"email": require_str("email", email), "code": require_str("pass_code", pass_code)},
            timeout,
        )

    async def complete_mfa_with_phone_code(
        self,
        challenge: MFARequiredError | str,
        phone: str,
        pass_code: str,
        phone_country_code: str | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Complete a sign-in that needs a second factor, by a code sent by SMS
        (POST /api/v2/applications/mfa/sms/verify).

        Args:
            challenge: the MFARequiredError that the sign-in raised, or its mfa_token.
            phone: the user's number, without the country code.
            pass_code: the code that send_sms sent with CHANNEL_VERIFY_MFA.
            phone_country_code: such as +86; needed outside mainland China.

        Raises:
            InvalidPassCodeError: the code is wrong or has expired.
            NotSignedInError: the mfa_token has expired or was used.
        """
        return await self._complete_mfa(
            challenge,
            ("api", "v2", "applications", "mfa", "sms", "verify"),
            {
                "phone": require_str("phone", phone),
                "code": require_str("pass_code", pass_code),
                "phoneCountryCode": phone_country_code,
            },
            timeout,
        )

    async def _complete_mfa(
        self,
        challenge: MFARequiredError | str,
        path: tuple[str, ...],
        proof: Mapping[str, object],
        timeout: Timeout | None,
    ) -> models.LoginTokenRespDto:
        token = challenge.mfa_token if isinstance(challenge, MFARequiredError) else challenge
        if not isinstance(token, str) or not token:
            raise ConfigurationError(
                "challenge", "is an MFARequiredError or its mfa_token, which pickled ones have lost"
            )
        request = post(
            *path, body=models.Dto(extra={name: value for name, value in proof.items() if value is not None})
        )
        return await self._call_as_user(request, models.LoginTokenRespDto, require_token(token, "challenge"), timeout)
