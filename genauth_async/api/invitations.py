"""Invitations to a user pool."""

from __future__ import annotations

from collections.abc import Mapping

from .. import models
from .._arguments.text import require_str
from .._wire.converter import argument
from .._wire.request import get, post
from ..settings import Timeout
from ._base import Api


class Invitations(Api):
    """Invite users, and sign up those who accept.

    Common parameters:
        access_token: the user's; the client's when None.
        timeout: seconds for the call, or an httpx.Timeout; the client's when None.

    Common errors:
        NotSignedInError: the access token has expired or was revoked.
        ConfigurationError: an argument is not valid, or there is no access token.
        GenAuthAPIError: the server refused the request for another reason.
        TransportError, InvalidResponseError: no GenAuth response arrived. A change may have been made.
    """

    async def get_universal_invitation_public_config(
        self,
        identifier: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetUniversalInvitationPublicConfigRespDto:
        """Read the public part of an invitation (GET /api/v3/get-universal-invitation-public-config).

        Args:
            identifier: the identifier of the invitation.
        """
        request = get(
            "api", "v3", "get-universal-invitation-public-config", identifier=require_str("identifier", identifier)
        )
        return await self._call(request, models.GetUniversalInvitationPublicConfigRespDto, timeout)

    async def signup_by_universal(
        self,
        email_code: str,
        identifier: str,
        *,
        profile: models.UniversalInviteeProfileDto | Mapping[str, object] | None = None,
        timeout: Timeout | None = None,
    ) -> models.GetUniversalInvitationJoinRespDto:
        """Join the user pool by an invitation link (POST /api/v3/signup-by-invitation).

        Args:
            email_code: sent to the address.
            identifier: the identifier of the invitation.
            profile: who joins: name and email.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
        """
        sent = models.UniversalInvitationUserJoinDto(
            email_code=email_code,
            identifier=identifier,
            profile=argument(profile, models.UniversalInviteeProfileDto, "profile"),
        )
        request = post("api", "v3", "signup-by-invitation", body=sent)
        return await self._call(request, models.GetUniversalInvitationJoinRespDto, timeout)

    async def generate_invite_token(
        self,
        signature: str,
        identifier: str,
        *,
        with_invitee_info: bool | None = None,
        with_invitation_settings: bool | None = None,
        timeout: Timeout | None = None,
    ) -> models.GenerateInviteeTokenRespDto:
        """Create the token that accepts an invitation (POST /api/v3/generate-policy-invitation-token).

        Args:
            signature: the signature in the invitation link.
            identifier: the identifier of the invitation.
            with_invitee_info: add who is invited.
            with_invitation_settings: add what is asked of them.
        """
        sent = models.InvitationLinkDto(
            signature=signature,
            identifier=identifier,
            with_invitee_info=with_invitee_info,
            with_invitation_settings=with_invitation_settings,
        )
        request = post("api", "v3", "generate-policy-invitation-token", body=sent)
        return await self._call(request, models.GenerateInviteeTokenRespDto, timeout)

    async def get_invite_code_context(
        self,
        token: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.GetInviteeContextRespDto:
        """Read the sign-up form of an invitation (GET /api/v3/get-policy-invitation-context).

        Args:
            token: the token of the invitation.
        """
        request = get("api", "v3", "get-policy-invitation-context", token=require_str("token", token))
        return await self._call(request, models.GetInviteeContextRespDto, timeout)

    async def verify_invite_code(
        self,
        receiver_type: models.ReceiverType | str,
        code: str,
        token: str,
        *,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Check the verification code of an invited user (POST /api/v3/verify-invite-code).

        Args:
            receiver_type: smsCode or emailCode.
            code: the code.
            token: the token of the invitation.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
        """
        sent = models.VerifyInviteCodeDto(receiver_type=receiver_type, code=code, token=token)
        request = post("api", "v3", "verify-invite-code", body=sent)
        return await self._call(request, models.IsSuccessRespDto, timeout)

    async def signup_by_policy(
        self,
        token: str,
        *,
        code: str | None = None,
        receiver_type: models.ReceiverType | str | None = None,
        profile: models.InviteeProfileDto | Mapping[str, object] | None = None,
        options: models.PolicyInviteJoinedOptionsDto | Mapping[str, object] | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Accept an invitation (POST /api/v3/join-by-invitation).

        Args:
            token: the token of the invitation.
            code: sent to the invited user.
            receiver_type: smsCode or emailCode.
            profile: what the new user tells.
            options: codes for the address and number that complete the profile.

        Raises:
            InvalidPassCodeError: a code is wrong or has expired.
        """
        sent = models.PolicyInviteeJoinedDto(
            token=token,
            code=code,
            receiver_type=receiver_type,
            profile=argument(profile, models.InviteeProfileDto, "profile"),
            options=argument(options, models.PolicyInviteJoinedOptionsDto, "options"),
        )
        request = post("api", "v3", "join-by-invitation", body=sent)
        return await self._call(request, models.IsSuccessRespDto, timeout)

    async def generate_universal_invitation_by_member(
        self,
        *,
        body: Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.GenerateInvitationLinkRespDto:
        """Create an invitation link in the user's name (POST /api/v3/generate-universal-invitation-link-by-member).

        Args:
            body: members of the request body, by wire names. The documents do not say which there are.
        """
        sent = argument(body, models.Dto, "body") or models.Dto()
        request = post("api", "v3", "generate-universal-invitation-link-by-member", body=sent)
        return await self._call_as_user(request, models.GenerateInvitationLinkRespDto, access_token, timeout)

    async def clear_my_all_universal_invitation_links(
        self,
        *,
        body: Mapping[str, object] | None = None,
        access_token: str | None = None,
        timeout: Timeout | None = None,
    ) -> models.IsSuccessRespDto:
        """Revoke all invitation links of the user (POST /api/v3/clear-my-all-invitation-links).

        Args:
            body: members of the request body, by wire names. The documents do not say which there are.
        """
        sent = argument(body, models.Dto, "body") or models.Dto()
        request = post("api", "v3", "clear-my-all-invitation-links", body=sent)
        return await self._call_as_user(request, models.IsSuccessRespDto, access_token, timeout)
