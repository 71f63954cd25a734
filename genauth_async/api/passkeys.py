"""Passkeys (WebAuthn)."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._arguments.text import path_segment
from .._wire.converter import argument
from .._wire.request import Idempotency, get, post
from ..settings import Timeout
from ._base import Api


class Passkeys(Api):
    """Sign users in by passkeys (WebAuthn), and register passkeys.

    Common parameters:
        access_token: the user's; the client's when None.
        body: members of the request body, by wire names. The documents do not say which there are.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def init_authentication_options(
        self,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetAuthenticationOptionsRespDto:
        """Begin a sign-in by passkey (GET /api/v3/webauthn/authentication).

        The answer is for navigator.credentials.get() in the user's browser, and verify_authentication.
        """
        request = get("api", "v3", "webauthn", "authentication")
        return await self._call(request, models.GetAuthenticationOptionsRespDto, timeout)

    async def verify_authentication(
        self,
        ticket: str,
        authentication_credential: models.AuthenticationCredentialDto | Mapping[str, object],
        options: models.SignInByWebAuthnOptionsDto | Mapping[str, object] | None = None,
        *,
        timeout: Timeout | None = None,
    ) -> models.VerifyAuthenticationResultRespDto:
        """Sign a user in by the assertion of navigator.credentials.get() (POST /api/v3/webauthn/authentication).

        `data.verified` says whether the passkey is right; `data.token_set` has the tokens.

        Args:
            ticket: from init_authentication_options.
            authentication_credential: an AuthenticationCredentialDto, or a mapping with its wire names: binary strings
                in base64url.
            options: sign-in options.

        Raises:
            InvalidOperationError: the passkey is not registered (statusCode 422).
            SignInError: the user cannot be signed in by this; its subclasses say why.
        """
        sent = models.VerifyAuthenticationDto(
            ticket=ticket,
            authentication_credential=argument(
                authentication_credential, models.AuthenticationCredentialDto, "authentication_credential"
            ),
            options=argument(options, models.SignInByWebAuthnOptionsDto, "options"),
        )
        request = post("api", "v3", "webauthn", "authentication", body=sent)
        return await self._call(request, models.VerifyAuthenticationResultRespDto, timeout)

    async def init_register_options(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetRegistrationOptionsRespDto:
        """Begin the registration of a passkey (GET /api/v3/webauthn/registration).

        The answer is for navigator.credentials.create() in the user's browser, and verify_register.
        """
        request = get("api", "v3", "webauthn", "registration")
        return await self._call_as_user(request, models.GetRegistrationOptionsRespDto, access_token, timeout)

    async def verify_register(
        self,
        ticket: str,
        registration_credential: models.RegistrationCredentialDto | Mapping[str, object],
        authenticator_code: models.AuthenticatorCode | str | None = None,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.VerifyRegistrationResultRespDto:
        """Register the passkey that navigator.credentials.create() gave (POST /api/v3/webauthn/registration).

        Args:
            ticket: from init_register_options.
            registration_credential: a RegistrationCredentialDto, or a mapping with its wire names: binary strings in
                base64url.
            authenticator_code: what unlocks it: fingerprint, face or other.
        """
        sent = models.VerifyRegistrationDto(
            ticket=ticket,
            registration_credential=argument(
                registration_credential, models.RegistrationCredentialDto, "registration_credential"
            ),
            authenticator_code=authenticator_code,
        )
        request = post("api", "v3", "webauthn", "registration", body=sent)
        return await self._call_as_user(request, models.VerifyRegistrationResultRespDto, access_token, timeout)

    async def list_credentials_by_page(
        self,
        *,
        body: models.ListDeviceCredentialDto | Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.ListWebAuthnAuthenticatorDeviceDataDto:
        """List the user's passkeys (POST /api/v3/webauthn/page-authenticator-device).

        The vendor's SDKs send an empty body, and know no form of the entries.
        """
        sent = argument(body, models.ListDeviceCredentialDto, "body") or models.ListDeviceCredentialDto()
        request = post("api", "v3", "webauthn", "page-authenticator-device", body=sent, idempotency=Idempotency.SAFE)
        return await self._call_as_user(request, models.ListWebAuthnAuthenticatorDeviceDataDto, access_token, timeout)

    async def check_valid_credentials_by_cred_ids(
        self,
        *,
        body: models.CheckDeviceCredentialIdDto | Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.WebAuthnCheckValidCredentialsByCredIdsRespDto:
        """Check the validity of passkeys (POST /api/v3/webauthn/check-valid-credentials-by-credIds).

        The vendor's SDKs send an empty body, and know no form of the entries.

        Args:
            access_token: the user's, if this is done on a user's behalf; the client's when None.
        """
        sent = argument(body, models.CheckDeviceCredentialIdDto, "body") or models.CheckDeviceCredentialIdDto()
        request = post(
            "api", "v3", "webauthn", "check-valid-credentials-by-credIds", body=sent, idempotency=Idempotency.SAFE
        )
        return await self._call_with_optional_user(
            request, models.WebAuthnCheckValidCredentialsByCredIdsRespDto, access_token, timeout
        )

    async def remove_all_credentials(
        self,
        *,
        body: models.RemoveDeviceCredentialDto | Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Remove all passkeys of the user, or those of one kind of authenticator
        (POST /api/v3/webauthn/remove-credentials-by-authenticator-code).

        The vendor's SDKs send an empty body.
        """
        sent = argument(body, models.RemoveDeviceCredentialDto, "body") or models.RemoveDeviceCredentialDto()
        request = post("api", "v3", "webauthn", "remove-credentials-by-authenticator-code", body=sent)
        return await self._call_as_user(request, models.IsSuccessRespDto, access_token, timeout)

    async def remove_credential(
        self,
        credential_id: str,
        *,
        body: models.WebAuthnRemoveCredentialDto | Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Remove one of the user's passkeys (POST /api/v3/webauthn/remove-credential/{credentialID}).

        The vendor's SDKs leave the place of the id in the path unfilled.

        Args:
            credential_id: the passkey's id, in base64url.
        """
        sent = argument(body, models.WebAuthnRemoveCredentialDto, "body") or models.WebAuthnRemoveCredentialDto()
        request = post(
            "api", "v3", "webauthn", "remove-credential", path_segment("credential_id", credential_id), body=sent
        )
        return await self._call_as_user(request, models.IsSuccessRespDto, access_token, timeout)
