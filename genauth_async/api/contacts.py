"""Email address and phone number of an account."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._wire.converter import argument
from .._wire.request import post
from ..settings import Timeout
from ._base import Api


class Contacts(Api):
    """Bind, change and unbind the signed-in user's email address and phone number.

    Common parameters:
        access_token: the user's; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def bind_email(
        self,
        pass_code: str,
        email: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Bind an email address to the account (POST /api/v3/bind-email).

        Args:
            pass_code: sent to the address with CHANNEL_BIND_EMAIL.
            email: the address.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
            ConflictError: another account has it.
        """
        sent = models.BindEmailDto(pass_code=pass_code, email=email)
        request = post("api", "v3", "bind-email", body=sent)
        return await self._call_as_user(request, models.CommonResponseDto, access_token, timeout)

    async def unbind_email(
        self,
        pass_code: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Unbind the account's email address (POST /api/v3/unbind-email).

        Args:
            pass_code: sent to the address with CHANNEL_UNBIND_EMAIL.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
        """
        sent = models.UnbindEmailDto(pass_code=pass_code)
        request = post("api", "v3", "unbind-email", body=sent)
        return await self._call_as_user(request, models.CommonResponseDto, access_token, timeout)

    async def bind_phone(
        self,
        pass_code: str,
        phone_number: str,
        phone_country_code: str | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Bind a phone number to the account (POST /api/v3/bind-phone).

        Args:
            pass_code: sent to the number with CHANNEL_BIND_PHONE.
            phone_number: the number, without the country code.
            phone_country_code: such as +86; needed outside mainland China.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
            ConflictError: another account has it.
        """
        sent = models.BindPhoneDto(
            pass_code=pass_code, phone_number=phone_number, phone_country_code=phone_country_code
        )
        request = post("api", "v3", "bind-phone", body=sent)
        return await self._call_as_user(request, models.CommonResponseDto, access_token, timeout)

    async def unbind_phone(
        self,
        pass_code: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Unbind the account's phone number (POST /api/v3/unbind-phone).

        Args:
            pass_code: sent to the number with CHANNEL_UNBIND_PHONE.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
        """
        sent = models.UnbindPhoneDto(pass_code=pass_code)
        request = post("api", "v3", "unbind-phone", body=sent)
        return await self._call_as_user(request, models.CommonResponseDto, access_token, timeout)

    async def verify_update_email_request(
        self,
        email_pass_code_payload: models.UpdateEmailByEmailPassCodeDto | Mapping[str, object],
        verify_method: models.UpdateEmailVerifyMethod | str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.VerifyUpdateEmailRequestRespDto:
        """Verify the codes of the new email address, and of the old one if there is one
        (POST /api/v3/verify-update-email-request).

        The answer's token is for update_email.

        Args:
            email_pass_code_payload: the codes, sent with CHANNEL_UPDATE_EMAIL.
            verify_method: EMAIL_PASSCODE.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
        """
        sent = models.VerifyUpdateEmailRequestDto(
            email_pass_code_payload=argument(
                email_pass_code_payload, models.UpdateEmailByEmailPassCodeDto, "email_pass_code_payload"
            ),
            verify_method=verify_method,
        )
        request = post("api", "v3", "verify-update-email-request", body=sent)
        return await self._call_as_user(request, models.VerifyUpdateEmailRequestRespDto, access_token, timeout)

    async def update_email(
        self,
        update_email_token: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Change the account's email address (POST /api/v3/update-email).

        Args:
            update_email_token: from verify_update_email_request.

        Raises:
            ConflictError: another account has it.
        """
        sent = models.UpdateEmailDto(update_email_token=update_email_token)
        request = post("api", "v3", "update-email", body=sent)
        return await self._call_as_user(request, models.IsSuccessRespDto, access_token, timeout)

    async def verify_update_phone_request(
        self,
        phone_pass_code_payload: models.UpdatePhoneByPhonePassCodeDto | Mapping[str, object],
        verify_method: models.UpdatePhoneVerifyMethod | str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.VerifyUpdatePhoneRequestRespDto:
        """Verify the codes of the new phone number, and of the old one if there is one
        (POST /api/v3/verify-update-phone-request).

        The answer's token is for update_phone.

        Args:
            phone_pass_code_payload: the codes.
            verify_method: PHONE_PASSCODE.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
        """
        sent = models.VerifyUpdatePhoneRequestDto(
            phone_pass_code_payload=argument(
                phone_pass_code_payload, models.UpdatePhoneByPhonePassCodeDto, "phone_pass_code_payload"
            ),
            verify_method=verify_method,
        )
        request = post("api", "v3", "verify-update-phone-request", body=sent)
        return await self._call_as_user(request, models.VerifyUpdatePhoneRequestRespDto, access_token, timeout)

    async def update_phone(
        self,
        update_phone_token: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Change the account's phone number (POST /api/v3/update-phone).

        Args:
            update_phone_token: from verify_update_phone_request.

        Raises:
            ConflictError: another account has it.
        """
        sent = models.UpdatePhoneDto(update_phone_token=update_phone_token)
        request = post("api", "v3", "update-phone", body=sent)
        return await self._call_as_user(request, models.IsSuccessRespDto, access_token, timeout)
