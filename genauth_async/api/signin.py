"""Sign-in by password, verification code, LDAP and Active Directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from .. import models
from .._arguments.text import one_of
from .._arguments.timeouts import Deadline
from .._crypto.passwords import Encrypt
from .._wire.converter import argument
from .._wire.request import get, post
from ..errors import ConfigurationError
from ..settings import Timeout
from ._base import Api

_PAYLOAD_OF: Final[Mapping[models.SignInConnection, str]] = {
    "PASSWORD": "password_payload",
    "PASSCODE": "pass_code_payload",
    "LDAP": "ldap_payload",
    "AD": "ad_payload",
}
_WITH_PASSWORD: Final = ("password_payload", "ldap_payload", "ad_payload")


class SignIn(Api):
    """Sign users in (POST /api/v3/signin).

    Common parameters:
        options: a SignInOptionsDto, or a mapping with its wire names (`{"passwordEncryptType": "sm2"}`). Setting
            password_encrypt_type is enough: the password is encrypted here, under the server's current key.
        password: as the user typed it.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        SignInError: the user cannot be signed in by this; its subclasses say why.
        GenAuthAPIError: the server refused the request for another reason.
        ConfigurationError: an argument is not valid.
        PasswordEncryptionError: the password cannot be encrypted.
        TransportError, InvalidResponseError: no GenAuth response arrived.
    """

    async def sign_in_by_credentials(
        self,
        connection: models.SignInConnection,
        password_payload: models.SignInByPasswordPayloadDto | Mapping[str, object] | None = None,
        pass_code_payload: models.SignInByPassCodePayloadDto | Mapping[str, object] | None = None,
        ad_payload: models.SignInByAdPayloadDto | Mapping[str, object] | None = None,
        ldap_payload: models.SignInByLdapPayloadDto | Mapping[str, object] | None = None,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in with any kind of credentials. The methods named after one kind are easier to call.

        Args:
            connection: the kind of credentials: PASSWORD, PASSCODE, LDAP or AD.
            password_payload: for PASSWORD.
            pass_code_payload: for PASSCODE.
            ad_payload: for AD.
            ldap_payload: for LDAP.
            client_id: sent in the body, with client_secret, instead of the client's own proof.
            client_secret: belongs to client_id.
        """
        body = models.SigninByCredentialsDto(
            connection=one_of("connection", connection, get_args(models.SignInConnection)),
            password_payload=argument(password_payload, models.SignInByPasswordPayloadDto, "password_payload"),
            pass_code_payload=argument(pass_code_payload, models.SignInByPassCodePayloadDto, "pass_code_payload"),
            ad_payload=argument(ad_payload, models.SignInByAdPayloadDto, "ad_payload"),
            ldap_payload=argument(ldap_payload, models.SignInByLdapPayloadDto, "ldap_payload"),
            options=argument(options, models.SignInOptionsDto, "options"),
            client_id=client_id,
            client_secret=client_secret,
        )
        needed = _PAYLOAD_OF[body.connection]
        if getattr(body, needed) is None:
            raise ConfigurationError(needed, f"is needed for connection {body.connection}")

        async def send(encrypt: Encrypt, within: Deadline) -> models.LoginTokenRespDto:
            request = post("api", "v3", "signin", body=await _encrypted(body, encrypt), client_auth="token")
            return await self._call(request, models.LoginTokenRespDto, within)

        encrypt_type = body.options.password_encrypt_type if body.options is not None and _has_password(body) else None
        return await self._send_with_password(encrypt_type, send, timeout)

    async def sign_in_by_account_password(
        self,
        account: str,
        password: str,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in by password.

        Args:
            account: the user name, email address or phone number.
        """
        payload = models.SignInByPasswordPayloadDto(account=account, password=password)
        return await self.sign_in_by_credentials("PASSWORD", payload, options=options, timeout=timeout)

    async def sign_in_by_email_password(
        self,
        email: str,
        password: str,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in by email address and password.

        Args:
            email: the user's address.
        """
        payload = models.SignInByPasswordPayloadDto(email=email, password=password)
        return await self.sign_in_by_credentials("PASSWORD", payload, options=options, timeout=timeout)

    async def sign_in_by_phone_password(
        self,
        phone: str,
        password: str,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in by phone number and password.

        Args:
            phone: the user's number, without the country code.
        """
        payload = models.SignInByPasswordPayloadDto(phone=phone, password=password)
        return await self.sign_in_by_credentials("PASSWORD", payload, options=options, timeout=timeout)

    async def sign_in_by_username_password(
        self,
        username: str,
        password: str,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in by user name and password.

        Args:
            username: the user's name.
        """
        payload = models.SignInByPasswordPayloadDto(username=username, password=password)
        return await self.sign_in_by_credentials("PASSWORD", payload, options=options, timeout=timeout)

    async def sign_in_by_email_passcode(
        self,
        email: str,
        pass_code: str,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in by the verification code that `send_email` sent with CHANNEL_LOGIN.

        Args:
            email: the address that it was sent to.
            pass_code: the code.
        """
        payload = models.SignInByPassCodePayloadDto(email=email, pass_code=pass_code)
        return await self.sign_in_by_credentials(
            "PASSCODE", pass_code_payload=payload, options=options, timeout=timeout
        )

    async def sign_in_by_phone_passcode(
        self,
        phone: str,
        pass_code: str,
        phone_country_code: str | None = None,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in by the verification code that `send_sms` sent with CHANNEL_LOGIN.

        Args:
            phone: the number that it was sent to, without the country code.
            pass_code: the code.
            phone_country_code: such as +86; needed outside mainland China.
        """
        payload = models.SignInByPassCodePayloadDto(
            phone=phone, pass_code=pass_code, phone_country_code=phone_country_code
        )
        return await self.sign_in_by_credentials(
            "PASSCODE", pass_code_payload=payload, options=options, timeout=timeout
        )

    async def sign_in_by_ldap(
        self,
        sAMAccountName: str,  # noqa: N803 - the vendor's name
        password: str,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in by LDAP.

        Args:
            sAMAccountName: the LDAP account.
        """
        payload = models.SignInByLdapPayloadDto(sam_account_name=sAMAccountName, password=password)
        return await self.sign_in_by_credentials("LDAP", ldap_payload=payload, options=options, timeout=timeout)

    async def sign_in_by_ad(
        self,
        sAMAccountName: str,  # noqa: N803 - the vendor's name
        password: str,
        options: models.SignInOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.LoginTokenRespDto:
        """Sign a user in by Active Directory.

        Args:
            sAMAccountName: the Active Directory account.
        """
        payload = models.SignInByAdPayloadDto(sam_account_name=sAMAccountName, password=password)
        return await self.sign_in_by_credentials("AD", ad_payload=payload, options=options, timeout=timeout)

    async def gene_catcha_code_and_token(
        self,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetCaptchaCodeRespDto:
        """Create a CAPTCHA picture, for sign-ins that need one (GET /api/v3/get-captcha-code).

        The text that the user typed goes into SignInOptionsDto as captcha_code, with the picture's captcha_token.
        """
        request = get("api", "v3", "get-captcha-code")
        return await self._call(request, models.GetCaptchaCodeRespDto, timeout)


def _has_password(body: models.SigninByCredentialsDto) -> bool:
    return any(getattr(body, name) is not None for name in _WITH_PASSWORD)


async def _encrypted(body: models.SigninByCredentialsDto, encrypt: Encrypt) -> models.SigninByCredentialsDto:
    """Copy a body with its passwords encrypted; the caller's DTO stays as it is."""
    for name in _WITH_PASSWORD:
        payload = getattr(body, name)
        if payload is not None:
            password = await encrypt(payload.password)
            if password is not payload.password:
                body = body.evolve(**{name: payload.evolve(password=password)})
    return body
