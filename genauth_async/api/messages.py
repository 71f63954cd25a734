"""Verification codes by SMS and email."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._wire.converter import argument
from .._wire.request import Idempotency, post
from ..settings import Timeout
from ._base import Api


class Messages(Api):
    """Send verification codes. The server limits them to one a minute for each channel and receiver.

    Common parameters:
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A message may have been sent.
    """

    async def send_sms(
        self,
        channel: models.SmsChannel | str,
        phone_number: str,
        phone_country_code: str | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.SendSMSRespDto:
        """Send a verification code by SMS (POST /api/v3/send-sms).

        Args:
            channel: what the code is for, such as CHANNEL_LOGIN.
            phone_number: the receiver, without the country code.
            phone_country_code: such as +86; needed outside mainland China.

        Raises:
            RateLimitedError: one was sent less than a minute ago.
        """
        body = models.SendSMSDto(channel=channel, phone_number=phone_number, phone_country_code=phone_country_code)
        return await self._call(post("api", "v3", "send-sms", body=body), models.SendSMSRespDto, timeout)

    async def send_email(
        self, channel: models.EmailChannel | str, email: str, *, timeout: Timeout | None = None
    ) -> models.SendEmailRespDto:
        """Send a verification code, or a link, by email (POST /api/v3/send-email).

        Args:
            channel: what the code is for, such as CHANNEL_LOGIN.
            email: the receiver.

        Raises:
            RateLimitedError: one was sent less than a minute ago.
        """
        body = models.SendEmailDto(channel=channel, email=email)
        return await self._call(post("api", "v3", "send-email", body=body), models.SendEmailRespDto, timeout)

    async def pre_check_code(
        self,
        code_type: models.CodeType | str,
        sms_code_payload: models.PreCheckSmsCodeDto | Mapping[str, object] | None = None,
        email_code_payload: models.PreCheckEmailCodeDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.PreCheckCodeRespDto:
        """Check a verification code without using it up (POST /api/v3/pre-check-code).

        Args:
            code_type: SMS or EMAIL.
            sms_code_payload: for SMS.
            email_code_payload: for EMAIL.

        Raises:
            ConfigurationError: an argument is not valid.
        """
        sent = models.PreCheckCodeDto(
            code_type=code_type,
            sms_code_payload=argument(sms_code_payload, models.PreCheckSmsCodeDto, "sms_code_payload"),
            email_code_payload=argument(email_code_payload, models.PreCheckEmailCodeDto, "email_code_payload"),
        )
        request = post("api", "v3", "pre-check-code", body=sent, idempotency=Idempotency.SAFE)
        return await self._call(request, models.PreCheckCodeRespDto, timeout)
