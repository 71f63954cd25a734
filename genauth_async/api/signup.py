"""Sign-up by password or verification code."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._arguments.text import one_of
from .._arguments.timeouts import Deadline
from .._crypto.passwords import Encrypt
from .._wire.converter import argument
from .._wire.request import post
from ..errors import ConfigurationError
from ..settings import Timeout
from ._base import Api


class SignUp(Api):
    """Sign users up (POST /api/v3/signup). It signs no user in.

    Common parameters:
        profile: a SignUpProfileDto, or a mapping with its wire names.
        options: a SignUpOptionsDto, or a mapping with its wire names (`{"passwordEncryptType": "sm2"}`). Setting
            password_encrypt_type is enough: passwords are encrypted here, under the server's current key.
        password: as the user typed it.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        SignUpDisabledError: the application does not let new users sign up.
        ConflictError: there is an account with this name, address or number.
        InvalidPassCodeError: the verification code is wrong or has expired.
        GenAuthAPIError: the server refused the request for another reason.
        ConfigurationError: an argument is not valid.
        PasswordEncryptionError: a password cannot be encrypted.
        TransportError, InvalidResponseError: no GenAuth response arrived. The account may have been made.
    """

    async def sign_up(
        self,
        connection: models.SignUpConnection,
        password_payload: models.SignUpByPasswordDto | Mapping[str, object] | None = None,
        pass_code_payload: models.SignUpByPassCodeDto | Mapping[str, object] | None = None,
        profile: models.SignUpProfileDto | Mapping[str, object] | None = None,
        options: models.SignUpOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.UserSingleRespDto:
        """Sign a user up with any kind of credentials. The methods named after one kind are easier to call.

        Args:
            connection: the kind of credentials: PASSWORD or PASSCODE.
            password_payload: for PASSWORD.
            pass_code_payload: for PASSCODE.
        """
        given = models.SignUpDto(
            connection=one_of("connection", connection, ("PASSWORD", "PASSCODE")),
            password_payload=argument(password_payload, models.SignUpByPasswordDto, "password_payload"),
            pass_code_payload=argument(pass_code_payload, models.SignUpByPassCodeDto, "pass_code_payload"),
            profile=argument(profile, models.SignUpProfileDto, "profile"),
            options=argument(options, models.SignUpOptionsDto, "options"),
        )
        needed = "password_payload" if given.connection == "PASSWORD" else "pass_code_payload"
        if getattr(given, needed) is None:
            raise ConfigurationError(needed, f"is needed for connection {given.connection}")

        async def send(encrypt: Encrypt, within: Deadline) -> models.UserSingleRespDto:
            request = post("api", "v3", "signup", body=await _encrypted(given, encrypt))
            return await self._call(request, models.UserSingleRespDto, within)

        encrypt_type = (
            given.options.password_encrypt_type if given.options is not None and _has_password(given) else None
        )
        return await self._send_with_password(encrypt_type, send, timeout)

    async def sign_up_by_email_password(
        self,
        email: str,
        password: str,
        profile: models.SignUpProfileDto | Mapping[str, object] | None = None,
        options: models.SignUpOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.UserSingleRespDto:
        """Sign a user up by email address and password.

        Args:
            email: the user's address.
        """
        payload = models.SignUpByPasswordDto(email=email, password=password)
        return await self.sign_up(
            "PASSWORD", password_payload=payload, profile=profile, options=options, timeout=timeout
        )

    async def sign_up_by_username_password(
        self,
        username: str,
        password: str,
        profile: models.SignUpProfileDto | Mapping[str, object] | None = None,
        options: models.SignUpOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.UserSingleRespDto:
        """Sign a user up by user name and password.

        Args:
            username: the user's name.
        """
        payload = models.SignUpByPasswordDto(username=username, password=password)
        return await self.sign_up(
            "PASSWORD", password_payload=payload, profile=profile, options=options, timeout=timeout
        )

    async def sign_up_by_email_passcode(
        self,
        email: str,
        pass_code: str,
        profile: models.SignUpProfileDto | Mapping[str, object] | None = None,
        options: models.SignUpOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.UserSingleRespDto:
        """Sign a user up by the verification code that `send_email` sent with CHANNEL_REGISTER.

        Args:
            email: the address that it was sent to.
            pass_code: the code.
        """
        payload = models.SignUpByPassCodeDto(email=email, pass_code=pass_code)
        return await self.sign_up(
            "PASSCODE", pass_code_payload=payload, profile=profile, options=options, timeout=timeout
        )

    async def sign_up_by_phone_passcode(
        self,
        phone: str,
        pass_code: str,
        phone_country_code: str | None = None,
        profile: models.SignUpProfileDto | Mapping[str, object] | None = None,
        options: models.SignUpOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.UserSingleRespDto:
        """Sign a user up by the verification code that `send_sms` sent with CHANNEL_REGISTER.

        Args:
            phone: the number that it was sent to, without the country code.
            pass_code: the code.
            phone_country_code: such as +86; needed outside mainland China.
        """
        payload = models.SignUpByPassCodeDto(phone=phone, pass_code=pass_code, phone_country_code=phone_country_code)
        return await self.sign_up(
            "PASSCODE", pass_code_payload=payload, profile=profile, options=options, timeout=timeout
        )


def _has_password(body: models.SignUpDto) -> bool:
    first = body.options and body.options.password_for_phone_pass_code
    return body.password_payload is not None or first is not None


async def _encrypted(body: models.SignUpDto, encrypt: Encrypt) -> models.SignUpDto:
    """Copy a body with its passwords encrypted; the caller's DTOs stay as they are."""
    if body.password_payload is not None:
        password = await encrypt(body.password_payload.password)
        body = body.evolve(password_payload=body.password_payload.evolve(password=password))
    if body.options is not None and body.options.password_for_phone_pass_code is not None:
        password = await encrypt(body.options.password_for_phone_pass_code)
        body = body.evolve(options=body.options.evolve(password_for_phone_pass_code=password))
    return body
