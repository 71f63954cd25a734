"""Identities at other providers that are bound to an account."""

from __future__ import annotations

from .. import models
from .._arguments.text import require_str
from .._wire.request import get, post
from ..settings import Timeout
from ._base import Api


class Identities(Api):
    """Bind identities at other providers to an account.

    Common parameters:
        access_token: the user's; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def generate_link_ext_idp_url(
        self,
        ext_idp_conn_identifier: str,
        app_id: str,
        id_token: str,
        *,
        need_url_redirect: bool | str | None = None,
        only_redirect_token: bool | str | None = None,
        need_form_post: bool | str | None = None,
        target_url: str | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GenerateBindExtIdpLinkRespDto:
        """Create the URL at which the signed-in user binds an identity at another provider
        (GET /api/v3/generate-link-extidp-url).

        Send the user's browser there.

        Args:
            ext_idp_conn_identifier: the identifier of the provider's connection.
            app_id: the application's id.
            id_token: the user's ID token.
            need_url_redirect: come back by a redirect.
            only_redirect_token: come back with the token only.
            need_form_post: come back by a form.
            target_url: where to come back to.
            access_token: the user's, if this is done on a user's behalf; the client's when None.
        """
        request = get(
            "api",
            "v3",
            "generate-link-extidp-url",
            ext_idp_conn_identifier=require_str("ext_idp_conn_identifier", ext_idp_conn_identifier),
            app_id=require_str("app_id", app_id),
            id_token=require_str("id_token", id_token),
            need_url_redirect=need_url_redirect,
            only_redirect_token=only_redirect_token,
            need_form_post=need_form_post,
            target_url=target_url,
        )
        return await self._call_with_optional_user(request, models.GenerateBindExtIdpLinkRespDto, access_token, timeout)

    async def unlink_ext_idp(
        self,
        ext_idp_id: str,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.CommonResponseDto:
        """Unbind the user's identity at another provider (POST /api/v3/unlink-extidp).

        Args:
            ext_idp_id: names the provider, as in get_identities.
        """
        sent = models.UnlinkExtIdpDto(ext_idp_id=ext_idp_id)
        request = post("api", "v3", "unlink-extidp", body=sent)
        return await self._call_as_user(request, models.CommonResponseDto, access_token, timeout)

    async def get_identities(
        self,
        *,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetIdentitiesRespDto:
        """Read the user's identities at other providers (GET /api/v3/get-identities)."""
        request = get("api", "v3", "get-identities")
        return await self._call_as_user(request, models.GetIdentitiesRespDto, access_token, timeout)
