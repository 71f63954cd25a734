"""Sign-up by password or verification code."""

from __future__ import annotations

from typing import Literal

from ._base import Dto
from ._fields import dto, wire_field
from .profile import Gender
from .signin import PasswordEncryptType

SignUpConnection = Literal["PASSWORD", "PASSCODE"]


@dto
class SignUpByPasswordDto(Dto):
    """A password with a username or an email address."""

    password: str = wire_field(secret=True)
    username: str | None = None
    email: str | None = None


@dto
class SignUpByPassCodeDto(Dto):
    """A verification code with the email address or phone number that it was sent to."""

    pass_code: str = wire_field(secret=True)
    email: str | None = None
    phone: str | None = None
    phone_country_code: str | None = None


@dto
class SignUpProfileDto(Dto):
    """Profile of the new user."""

    nickname: str | None = None
    company: str | None = None
    photo: str | None = None
    device: str | None = None
    browser: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    middle_name: str | None = None
    profile: str | None = None
    preferred_username: str | None = None
    website: str | None = None
    gender: Gender | str | None = None
    birthdate: str | None = None
    zoneinfo: str | None = None
    locale: str | None = None
    address: str | None = None
    formatted: str | None = None
    street_address: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_country_code: str | None = None
    custom_data: object = None


@dto
class SignUpOptionsDto(Dto):
    """Sign-up options.

    Attributes:
        client_ip: the user's address, for the user pool's security policies.
        phone_pass_code_for_information_completion: proves the phone number in the profile.
        email_pass_code_for_information_completion: proves the email address in the profile.
        password_for_phone_pass_code: the account's first password, when signing up by a code by SMS.
        context: read by the user pool's pipeline functions. The documents flag it as required; no SDK sends it.
        password_encrypt_type: `sm2`, `rsa` or `none`; the SDK encrypts, pass passwords as the user typed them.
    """

    client_ip: str | None = None
    phone_pass_code_for_information_completion: str | None = wire_field(default=None, secret=True)
    email_pass_code_for_information_completion: str | None = wire_field(default=None, secret=True)
    password_for_phone_pass_code: str | None = wire_field(default=None, secret=True)
    context: object = None
    password_encrypt_type: PasswordEncryptType | None = None


@dto
class SignUpDto(Dto):
    """The body of POST /api/v3/signup."""

    connection: SignUpConnection | str
    password_payload: SignUpByPasswordDto | None = None
    pass_code_payload: SignUpByPassCodeDto | None = None
    profile: SignUpProfileDto | None = None
    options: SignUpOptionsDto | None = None
