"""Invitations: creating links, and joining by one."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments, query_text
from ..http.replies import success
from ..http.request_context import read_app_call, require_known_app, require_user
from ..http.routes import Routes
from ..http.user_arguments import (
    PROFILE_TEXTS,
    country_code_argument,
    custom_data_argument,
    email_argument,
    gender_argument,
    phone_argument,
    text_arguments,
)
from ..http.verification_codes import SentCode, redeem_codes
from ..state.encoding import same_text
from ..state.errors import ApiError, not_modelled
from ..state.inbox import REGISTER_CHANNEL
from ..state.invitations import PolicyInvitation
from ..state.state import State
from ..state.tickets import Ticket
from ..state.users import AlreadyTakenError, User

_COMPLETE_PHONE = "CHANNEL_COMPLETE_PHONE"
_RECEIVERS = ("emailCode", "smsCode")
_SESSION = 30 * 60


async def generate_link(state: State, request: Request) -> Response:
    """Generate a link by which the signed-in user invites others."""
    user, _ = require_user(state, request)
    if not state.invitations.by_members:
        raise ApiError(403, "users may not invite others")
    link = state.invitations.new_link(user)
    return success({"link": f"{state.url}/invitation?{urlencode({'identifier': link.identifier})}"})


async def clear_links(state: State, request: Request) -> Response:
    """Revoke all links of the signed-in user."""
    user, _ = require_user(state, request)
    state.invitations.clear_links(user)
    return success({"success": True})


async def link_public_config(state: State, request: Request) -> Response:
    """Describe the user pool and the inviter to the holder of a link."""
    require_known_app(state, request)
    inviter = state.invitations.usable_link(query_text(request, "identifier")).inviter
    pool = {"name": state.invitations.user_pool_name}
    return success({"userPool": pool, "inviter": {"displayName": inviter.display_name}})


async def sign_up_by_link(state: State, request: Request) -> Response:
    """Join by a link, with a pass code that was sent to the address."""
    body = await read_app_call(state, request)
    state.invitations.usable_link(body.text("identifier"))
    profile = body.object("profile")
    email, name = email_argument(profile, "email"), profile.text("name")
    # The code comes first, so that only readers of the address learn whether it has an account.
    state.inbox.redeem(email, body.text("emailCode"), REGISTER_CHANNEL)
    try:
        application = state.invitations.apply(email, name)
    except AlreadyTakenError as error:
        raise ApiError(409, "there is a user with this email address already") from error
    return success({"status": "PENDING" if application.user is None else "PASSED"})


async def policy_token(state: State, request: Request) -> Response:
    """Exchange the content of a personal link for the token of the next steps."""
    body = await read_app_call(state, request)
    invitation = state.invitations.signed(body.text("identifier"), body.text("signature"))
    data: dict[str, object] = {
        "token": state.tickets.issue("invitation", lifetime=_SESSION, identifier=invitation.identifier)
    }
    if body.optional_flag("withInviteeInfo") or body.optional_flag("withInvitationSettings"):
        data["invitationContext"] = _context(state, invitation)
    return success(data)


async def policy_context(state: State, request: Request) -> Response:
    """Describe the invited person and the required steps."""
    require_known_app(state, request)
    _, invitation = _session(state, query_text(request, "token"))
    return success(_context(state, invitation))


async def verify_code(state: State, request: Request) -> Response:
    """Verify the invited address or number by a pass code."""
    body = await read_app_call(state, request)
    ticket, invitation = _session(state, body.text("token"))
    code, receiver_type = body.text("code"), body.choice("receiverType", _RECEIVERS)
    _redeem(state, ticket, invitation, code, receiver_type)
    ticket.facts["verified"] = code
    return success({"success": True})


async def join(state: State, request: Request) -> Response:
    """Create the invited user."""
    body = await read_app_call(state, request)
    ticket, invitation = _session(state, body.text("token"))
    profile, options = body.optional_object("profile"), body.optional_object("options")
    if (profile.optional_text("email") or invitation.email).lower() != invitation.email.lower():
        raise not_modelled("joining with another email address than the invited one")
    phone, phone_country_code, codes = _phone(invitation, profile, options)
    names = {name: profile.optional_text(name) for name in ("username", "name", "nickname")}
    texts = text_arguments(profile, PROFILE_TEXTS) | gender_argument(profile)
    custom_data = custom_data_argument(profile, "customData")
    _require_proof(state, ticket, invitation, body)
    redeem_codes(state, codes)
    user = User(
        created_at=state.clock.now(),
        username=names["username"],
        email=invitation.email,
        email_verified="emailCode proved" in ticket.facts,
        phone=phone,
        phone_country_code=phone_country_code,
        phone_verified=bool(codes) or "smsCode proved" in ticket.facts,
        name=names["name"] or invitation.name,
        nickname=names["nickname"],
        profile=texts,
        custom_data=custom_data,
        source="register",
    )
    try:
        invitation.user = state.users.add(user)
    except AlreadyTakenError as error:
        raise ApiError(409, "there is a user with this username, email address or phone number already") from error
    return success({"success": True})


def _session(state: State, token: str) -> tuple[Ticket, PolicyInvitation]:
    ticket = state.tickets.peek("invitation", token)
    return ticket, state.invitations.usable(str(ticket.facts["identifier"]))


def _phone(
    invitation: PolicyInvitation, profile: Arguments, options: Arguments
) -> tuple[str | None, str, list[SentCode]]:
    """Read the phone number: the invited one, or another with its pass code."""
    if not profile.has("phone") or profile.text("phone") == invitation.phone:
        return invitation.phone, invitation.phone_country_code, []
    phone = phone_argument(profile, "phone")
    code = options.text("phonePassCodeForInformationCompletion")
    return phone, country_code_argument(profile, "phoneCountryCode"), [SentCode(phone, code, _COMPLETE_PHONE)]


def _require_proof(state: State, ticket: Ticket, invitation: PolicyInvitation, body: Arguments) -> None:
    """Require a pass code, here or at verify-invite-code in the same session; clients may repeat the latter."""
    verified = str(ticket.facts.get("verified", ""))
    code = body.optional_text("code")
    if not invitation.needs_code or (verified and (code is None or same_text(code, verified))):
        return
    _redeem(state, ticket, invitation, body.text("code"), body.choice("receiverType", _RECEIVERS))


def _redeem(state: State, ticket: Ticket, invitation: PolicyInvitation, code: str, receiver_type: str) -> None:
    receiver = invitation.email if receiver_type == "emailCode" else invitation.phone
    if receiver is None:
        raise ApiError(400, "the invitation has no phone number")
    try:
        state.inbox.redeem(receiver, code, REGISTER_CHANNEL)
    except ApiError:
        invitation.wrong_codes += 1
        raise
    ticket.facts[f"{receiver_type} proved"] = True


def _context(state: State, invitation: PolicyInvitation) -> dict[str, object]:
    context: dict[str, object] = {
        "enabledIdentifierVerify": invitation.needs_code,
        "sendVerifyCodeMethod": "priorityEmail",
        "enabledInfoFill": False,
        "extendsFields": [],
        "extendsFieldsI18n": {},
        "extendsFieldsOptions": [],
        "email": invitation.email,
        "verifyCodeMaxErrCount": state.invitations.max_wrong_codes,
    }
    if invitation.phone is not None:
        context |= {"phone": invitation.phone, "phoneCountryCode": invitation.phone_country_code}
    if invitation.name is not None:
        context["inviteeName"] = invitation.name
    return context


ROUTES: Routes = {
    "/api/v3/generate-universal-invitation-link-by-member": {"POST": generate_link},
    "/api/v3/clear-my-all-invitation-links": {"POST": clear_links},
    "/api/v3/get-universal-invitation-public-config": {"GET": link_public_config},
    "/api/v3/signup-by-invitation": {"POST": sign_up_by_link},
    "/api/v3/generate-policy-invitation-token": {"POST": policy_token},
    "/api/v3/get-policy-invitation-context": {"GET": policy_context},
    "/api/v3/verify-invite-code": {"POST": verify_code},
    "/api/v3/join-by-invitation": {"POST": join},
}
