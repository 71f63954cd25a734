"""Passkeys by the older set of endpoints."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._arguments.text import path_segment, require_str
from .._wire.converter import argument
from .._wire.request import Request, get, post, put
from ..settings import Timeout
from ._base import Api


class WebAuthn(Api):
    """Register and use passkeys by the older endpoints. The documents say little of their bodies and answers.

    Common parameters:
        access_token: the user's, if this is done on a user's behalf; the client's when None.
        body: members of the request body, by wire names. The documents do not say which there are.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def web_authn_admin_initialize(
        self,
        *,
        body: Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Begin registering another user's passkey, as an administrator (POST /api/v3/webauthn/admin/initialize)."""
        request = _post("admin", "initialize", body=body)
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    async def web_authn_admin_register_finalize(
        self,
        *,
        body: Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Register another user's passkey, as an administrator (POST /api/v3/webauthn/admin/registration/finalize)."""
        request = _post("admin", "registration", "finalize", body=body)
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    async def update_web_authn_admin_credential(
        self,
        credential_id: str,
        name: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Rename another user's passkey, as an administrator (PUT /api/v3/webauthn/admin/credentials/{credentialId}).

        Args:
            credential_id: the passkey's id, in base64url.
            name: its new name.
        """
        sent = models.UpdatePasskeyDto(name=name)
        request = put(
            "api", "v3", "webauthn", "admin", "credentials", path_segment("credential_id", credential_id), body=sent
        )
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    async def delete_web_authn_admin_credential(
        self,
        credential_id: str,
        user_id: str,
        app_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Remove another user's passkey, as an administrator
        (DELETE /api/v3/webauthn/admin/credentials/{credentialId}/{userId}/{appId}).

        Args:
            credential_id: the passkey's id, in base64url.
            user_id: the user's id.
            app_id: the application's id.
        """
        request = Request(
            method="DELETE",
            path=(
                "api",
                "v3",
                "webauthn",
                "admin",
                "credentials",
                path_segment("credential_id", credential_id),
                path_segment("user_id", user_id),
                path_segment("app_id", app_id),
            ),
        )
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    async def list_web_authn_person_credentials(
        self,
        user_id: str,
        *,
        page: int | None = None,
        limit: int | None = None,
        app_id: str | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """List a user's passkeys (GET /api/v3/webauthn/person/credentials).

        Args:
            user_id: the user's id.
            page: which page, from 1.
            limit: how many on a page.
            app_id: the application's id.
        """
        request = get(
            "api",
            "v3",
            "webauthn",
            "person",
            "credentials",
            page=page,
            limit=limit,
            userId=require_str("user_id", user_id),
            appId=app_id,
        )
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    async def web_authn_login_initalize(
        self,
        *,
        body: Mapping[str, object] | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Begin a sign-in by passkey (POST /api/v3/webauthn/login/initialize)."""
        return await self._call(_post("login", "initialize", body=body), models.UntypedRespDto, timeout)

    async def web_authn_login_finalize(
        self,
        ticket: str,
        credential: models.AuthenticationCredentialDto | Mapping[str, object],
        *,
        options: models.SignInByWebAuthnOptionsDto | Mapping[str, object] | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Sign a user in by passkey (POST /api/v3/webauthn/login/finalize).

        Args:
            ticket: from web_authn_login_initalize.
            credential: an AuthenticationCredentialDto, or a mapping with its wire names.
            options: sign-in options.

        Raises:
            SignInError: the user cannot be signed in by this; its subclasses say why.
        """
        sent = models.FinalizeWebAuthnLoginDto(
            ticket=ticket,
            credential=argument(credential, models.AuthenticationCredentialDto, "credential"),
            options=argument(options, models.SignInByWebAuthnOptionsDto, "options"),
        )
        request = post("api", "v3", "webauthn", "login", "finalize", body=sent)
        return await self._call(request, models.UntypedRespDto, timeout)

    async def web_authn_register_initalize(
        self,
        *,
        body: Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Begin the registration of a passkey (POST /api/v3/webauthn/registration/initialize)."""
        request = _post("registration", "initialize", body=body)
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    async def web_authn_mfa_bind_initialize(
        self,
        *,
        body: Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Begin the registration of a passkey as a second factor (POST /api/v3/webauthn/mfa-bind/initialize)."""
        request = _post("mfa-bind", "initialize", body=body)
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    async def web_authn_mfa_verify_initalize(
        self,
        *,
        body: Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Begin the verification of a passkey as a second factor (POST /api/v3/webauthn/mfa-verify/initialize)."""
        request = _post("mfa-verify", "initialize", body=body)
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    async def web_authn_register_finalize(
        self,
        *,
        body: Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Register a passkey (POST /api/v3/webauthn/registration/finalize)."""
        request = _post("registration", "finalize", body=body)
        return await self._call_with_optional_user(request, models.UntypedRespDto, access_token, timeout)

    async def list_web_authn_credentials(
        self,
        *,
        page: int | None = None,
        limit: int | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """List the user's passkeys (GET /api/v3/webauthn/credentials).

        Args:
            page: which page, from 1.
            limit: how many on a page.
            access_token: the user's; the client's when None.
        """
        request = get("api", "v3", "webauthn", "credentials", page=page, limit=limit)
        return await self._call_as_user(request, models.UntypedRespDto, access_token, timeout)

    async def update_web_authn_credential(
        self,
        credential_id: str,
        name: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Rename one of the user's passkeys (PUT /api/v3/webauthn/credentials/{credentialId}).

        Args:
            credential_id: the passkey's id, in base64url.
            name: its new name.
            access_token: the user's; the client's when None.
        """
        sent = models.UpdatePasskeyDto(name=name)
        request = put("api", "v3", "webauthn", "credentials", path_segment("credential_id", credential_id), body=sent)
        return await self._call_as_user(request, models.IsSuccessRespDto, access_token, timeout)

    async def delete_web_authn_credential(
        self,
        credential_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.UntypedRespDto:
        """Remove one of the user's passkeys (DELETE /api/v3/webauthn/credentials/{credentialId}).

        Args:
            credential_id: the passkey's id, in base64url.
            access_token: the user's; the client's when None.
        """
        request = Request(
            method="DELETE", path=("api", "v3", "webauthn", "credentials", path_segment("credential_id", credential_id))
        )
        return await self._call_as_user(request, models.UntypedRespDto, access_token, timeout)


def _post(*path: str, body: Mapping[str, object] | None) -> Request:
    """Build a request whose body the documents do not describe."""
    return post("api", "v3", "webauthn", *path, body=argument(body, models.Dto, "body") or models.Dto())
