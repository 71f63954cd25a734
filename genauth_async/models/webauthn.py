"""Passkeys by the older set of endpoints, of which the documents say little."""

from __future__ import annotations

from ._base import Dto
from ._fields import dto, wire_field
from .passkeys import AuthenticationCredentialDto, SignInByWebAuthnOptionsDto


@dto
class UpdatePasskeyDto(Dto):
    """The body of PUT /api/v3/webauthn/credentials/{credentialId}."""

    name: str


@dto
class FinalizeWebAuthnLoginDto(Dto):
    """The body of POST /api/v3/webauthn/login/finalize."""

    ticket: str = wire_field(secret=True)
    credential: AuthenticationCredentialDto
    options: SignInByWebAuthnOptionsDto | None = None
