"""Verification codes by SMS and email."""

from __future__ import annotations

from ..models.messages import EmailChannel, SendEmailDto, SendEmailRespDto, SendSMSDto, SendSMSRespDto, SmsChannel
from ..settings import Timeout
from ._base import Api, post


class Messages(Api):
    """Sends verification codes. The server limits them to one a minute for each channel and receiver."""

    async def send_sms(
        self,
        channel: SmsChannel | str,
        phone_number: str,
        phone_country_code: str | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> SendSMSRespDto:
        """Sends a verification code by SMS (POST /api/v3/send-sms).

        Args:
            channel: what the code is for, such as CHANNEL_LOGIN.
            phone_number: the receiver, without the country code.
            phone_country_code: such as +86; needed outside mainland China.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            RateLimitedError: one was sent less than a minute ago.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived. A message may have been sent.
        """
        body = SendSMSDto(channel=channel, phone_number=phone_number, phone_country_code=phone_country_code)
        return await self._call(post("api", "v3", "send-sms", body=body), SendSMSRespDto, timeout)

    async def send_email(
        self, channel: EmailChannel | str, email: str, *, timeout: Timeout | None = None
    ) -> SendEmailRespDto:
        """Sends a verification code, or a link, by email (POST /api/v3/send-email).

        Args:
            channel: what the code is for, such as CHANNEL_LOGIN.
            email: the receiver.
            timeout: seconds for this call, or an httpx.Timeout; the client's when None.

        Raises:
            RateLimitedError: one was sent less than a minute ago.
            GenAuthAPIError: the server refused for another reason.
            TransportError, InvalidResponseError: no answer of GenAuth's arrived. A message may have been sent.
        """
        body = SendEmailDto(channel=channel, email=email)
        return await self._call(post("api", "v3", "send-email", body=body), SendEmailRespDto, timeout)
