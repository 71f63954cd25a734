"""Sign-in by password, verification code, LDAP and Active Directory."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import dto, wire_field

SignInConnection = Literal["PASSWORD", "PASSCODE", "LDAP", "AD"]
PasswordEncryptType = Literal["none", "rsa", "sm2"]


@dto
class SignInByPasswordPayloadDto(Dto):
    """A password with one of account, email, username and phone; account may be any of the three others."""

    password: str = wire_field(secret=True)
    account: str | None = None
    email: str | None = None
    username: str | None = None
    phone: str | None = None


@dto
class SignInByPassCodePayloadDto(Dto):
    """A verification code with the email address or phone number that it was sent to."""

    pass_code: str = wire_field(secret=True)
    email: str | None = None
    phone: str | None = None
    phone_country_code: str | None = None


@dto
class SignInByLdapPayloadDto(Dto):
    """An LDAP account and its password."""

    password: str = wire_field(secret=True)
    sam_account_name: str = wire_field(wire="sAMAccountName")


@dto
class SignInByAdPayloadDto(Dto):
    """An Active Directory account and its password."""

    password: str = wire_field(secret=True)
    sam_account_name: str = wire_field(wire="sAMAccountName")


@dto
class SignInOptionsDto(Dto):
    """Sign-in options.

    Attributes:
        scope: the scopes asked for, separated by spaces; `offline_access` gives a refresh token.
        client_ip: the user's address, for the user pool's security policies.
        context: read by the user pool's pipeline functions.
        tenant_id: the tenant to sign in to.
        custom_data: written to the user's customData when the user is created by this call.
        auto_register: create the user if there is none.
        captcha_code: the text of the picture that `captcha_token` belongs to.
        captcha_token: names the picture.
        password_encrypt_type: `sm2`, `rsa` or `none`; the SDK encrypts, pass the password as the user typed it.
    """

    scope: str | None = None
    client_ip: str | None = None
    context: object = None
    tenant_id: str | None = None
    custom_data: object = None
    auto_register: bool | None = None
    captcha_code: str | None = wire_field(default=None, secret=True)
    captcha_token: str | None = wire_field(default=None, secret=True)
    password_encrypt_type: PasswordEncryptType | None = None


@dto
class SigninByCredentialsDto(Dto):
    """The body of POST /api/v3/signin."""

    connection: SignInConnection
    password_payload: SignInByPasswordPayloadDto | None = None
    pass_code_payload: SignInByPassCodePayloadDto | None = None
    ad_payload: SignInByAdPayloadDto | None = None
    ldap_payload: SignInByLdapPayloadDto | None = None
    options: SignInOptionsDto | None = None
    client_id: str | None = wire_field(default=None, wire="client_id")
    client_secret: str | None = wire_field(default=None, wire="client_secret", secret=True)


@dto
class LoginTokenResponseDataDto(Dto):
    """The tokens of a signed-in user.

    Attributes:
        scope: what was granted, separated by spaces.
        access_token: for calling APIs on the user's behalf.
        id_token: who the user is (a JWT).
        refresh_token: for new tokens; only when `offline_access` was granted.
        token_type: `Bearer`.
        expires_in: the access token's life in seconds. The documents call it expire_in; both are read.
    """

    wire_case = "snake"

    scope: str | None = None
    access_token: str | None = wire_field(default=None, secret=True)
    id_token: str | None = wire_field(default=None, aliases=("token",), secret=True)
    refresh_token: str | None = wire_field(default=None, secret=True)
    token_type: str | None = None
    expires_in: int | None = wire_field(default=None, wire="expire_in", aliases=("expires_in",))


@dto
class LoginTokenRespDto(Envelope):
    """The answer to a sign-in."""

    data: LoginTokenResponseDataDto


@dto
class GetCaptchaCodeDataDto(Dto):
    """A CAPTCHA picture.

    Attributes:
        captcha_code_svg: the picture, as SVG.
        captcha_token: names it; goes into SignInOptionsDto with what the user typed.
    """

    captcha_code_svg: str = wire_field(secret=True)
    captcha_token: str = wire_field(secret=True)


@dto
class GetCaptchaCodeRespDto(Envelope):
    """The answer to gene_catcha_code_and_token."""

    data: GetCaptchaCodeDataDto
