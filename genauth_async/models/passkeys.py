"""Passkeys (WebAuthn), as binary strings in base64url."""

from __future__ import annotations

from typing import Literal

from ._base import Dto, Envelope
from ._fields import ListOf, dto, wire_field
from .signin import LoginTokenResponseDataDto

AuthenticatorCode = Literal["fingerprint", "face", "other"]


@dto
class PublicKeyCredentialDescriptorDto(Dto):
    """A passkey that the authenticator may or must not use (WebAuthn section 5.8.3)."""

    id: str
    type: str
    transports: list[str] | None = None


@dto
class PublicKeyCredentialRequestOptionsDto(Dto):
    """Options for navigator.credentials.get() (WebAuthn section 5.5).

    Attributes:
        challenge: in base64url.
        timeout: in milliseconds.
    """

    challenge: str
    allow_credentials: list[PublicKeyCredentialDescriptorDto] | None = None
    rp_id: str | None = None
    timeout: int | None = None


@dto
class AuthenticationOptionsDto(Dto):
    """Options for navigator.credentials.get(), and the ticket of this attempt."""

    authentication_options: PublicKeyCredentialRequestOptionsDto
    ticket: str = wire_field(secret=True)


@dto
class GetAuthenticationOptionsRespDto(Envelope):
    """The answer to init_authentication_options."""

    data: AuthenticationOptionsDto


@dto
class AuthenticatorAssertionResponseDto(Dto):
    """An assertion, in base64url (WebAuthn section 5.2.2)."""

    authenticator_data: str
    client_data_json: str = wire_field(wire="clientDataJSON")
    signature: str = wire_field(secret=True)
    user_handle: str


@dto
class AuthenticationCredentialDto(Dto):
    """Result of navigator.credentials.get() (WebAuthn section 5.1)."""

    id: str
    raw_id: str
    response: AuthenticatorAssertionResponseDto
    type: str


@dto
class SignInByWebAuthnOptionsDto(Dto):
    """Sign-in options."""

    scope: str | None = None
    context: object = None
    custom_data: object = None


@dto
class VerifyAuthenticationDto(Dto):
    """The body of POST /api/v3/webauthn/authentication."""

    ticket: str = wire_field(secret=True)
    authentication_credential: AuthenticationCredentialDto
    options: SignInByWebAuthnOptionsDto | None = None


@dto
class VerifyAuthenticationResultDto(Dto):
    """Result of verifying a passkey, with the user's tokens if it is right."""

    verified: bool
    token_set: LoginTokenResponseDataDto | None = None


@dto
class VerifyAuthenticationResultRespDto(Envelope):
    """The answer to verify_authentication."""

    data: VerifyAuthenticationResultDto


@dto
class PublicKeyCredentialParametersDto(Dto):
    """A kind of key (WebAuthn section 5.3).

    Attributes:
        alg: a COSE algorithm, such as -7 for ES256.
    """

    alg: int
    type: str


@dto
class PublicKeyCredentialRpEntityDto(Dto):
    """The relying party (WebAuthn section 5.4.2)."""

    id: str | None = None
    name: str | None = None


@dto
class PublicKeyCredentialUserEntityDto(Dto):
    """The user, as the authenticator is told (WebAuthn section 5.4.3).

    Attributes:
        id: in base64url.
    """

    id: str
    name: str | None = None
    display_name: str | None = None


@dto
class PublicKeyCredentialCreationOptionsDto(Dto):
    """Options for navigator.credentials.create() (WebAuthn section 5.4).

    Attributes:
        challenge: in base64url.
        timeout: in milliseconds.
    """

    challenge: str
    pub_key_cred_params: list[PublicKeyCredentialParametersDto]
    rp: PublicKeyCredentialRpEntityDto
    user: PublicKeyCredentialUserEntityDto
    exclude_credentials: list[PublicKeyCredentialDescriptorDto] | None = None
    timeout: int | None = None


@dto
class RegistrationOptionsDto(Dto):
    """Options for navigator.credentials.create(), and the ticket of this attempt."""

    registration_options: PublicKeyCredentialCreationOptionsDto
    ticket: str = wire_field(secret=True)


@dto
class GetRegistrationOptionsRespDto(Envelope):
    """The answer to init_register_options."""

    data: RegistrationOptionsDto


@dto
class AuthenticatorAttestationResponseDto(Dto):
    """An attestation, in base64url (WebAuthn section 5.2.1)."""

    attestation_object: str
    client_data_json: str = wire_field(wire="clientDataJSON")


@dto
class RegistrationCredentialDto(Dto):
    """Result of navigator.credentials.create() (WebAuthn section 5.1)."""

    id: str
    raw_id: str
    response: AuthenticatorAttestationResponseDto
    type: str
    transports: list[str] | None = None


@dto
class VerifyRegistrationDto(Dto):
    """The body of POST /api/v3/webauthn/registration."""

    ticket: str = wire_field(secret=True)
    registration_credential: RegistrationCredentialDto
    authenticator_code: AuthenticatorCode | str | None = None


@dto
class VerifyRegistrationResultDto(Dto):
    """Result of registering a passkey."""

    verified: bool


@dto
class VerifyRegistrationResultRespDto(Envelope):
    """The answer to verify_register."""

    data: VerifyRegistrationResultDto = wire_field(aliases=("Data",))


@dto
class ListDeviceCredentialDto(Dto):
    """The body of POST /api/v3/webauthn/page-authenticator-device."""


@dto
class ListWebAuthnAuthenticatorDeviceDataDto(Dto):
    """The answer to list_credentials_by_page."""

    list: ListOf[object]
    total_count: int | None = None


@dto
class CheckDeviceCredentialIdDto(Dto):
    """The body of POST /api/v3/webauthn/check-valid-credentials-by-credIds."""


@dto
class WebAuthnCheckValidCredentialsByCredIdsRespDto(Envelope):
    """The answer to check_valid_credentials_by_cred_ids."""

    data: list[object]


@dto
class RemoveDeviceCredentialDto(Dto):
    """The body of POST /api/v3/webauthn/remove-credentials-by-authenticator-code."""


@dto
class WebAuthnRemoveCredentialDto(Dto):
    """The body of POST /api/v3/webauthn/remove-credential/{credentialID}."""
