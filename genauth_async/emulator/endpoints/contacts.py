"""Binding, unbinding and replacing the user's email address and phone number."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments
from ..http.replies import success
from ..http.request_context import read_user_call
from ..http.routes import Routes
from ..http.user_arguments import country_code_argument, email_argument, phone_argument
from ..http.verification_codes import SentCode, redeem_codes, redeem_own_token, token_reply
from ..state.errors import ApiError, Refusal
from ..state.state import State
from ..state.tickets import TicketKind
from ..state.users import AlreadyTakenError, User


@frozen(kw_only=True)
class _Contact:
    """The differences between email addresses and phone numbers in the API."""

    kind: Literal["email", "phone"]
    read: Callable[[Arguments, str], str]
    argument: str
    old_channel: str
    new_channel: str
    ticket: TicketKind
    taken: Refusal
    mismatch: Refusal
    same: Refusal | None

    def of(self, user: User) -> str | None:
        return user.email if self.kind == "email" else user.phone

    def is_other(self, user: User, value: str) -> bool:
        return (self.of(user) or "").lower() != value.lower()


_EMAIL = _Contact(
    kind="email",
    read=email_argument,
    argument="email",
    old_channel="CHANNEL_UPDATE_EMAIL",
    new_channel="CHANNEL_UPDATE_EMAIL",
    ticket="update-email",
    taken=Refusal.EMAIL_TAKEN,
    mismatch=Refusal.NOT_THE_USERS_EMAIL,
    same=None,
)
_PHONE = _Contact(
    kind="phone",
    read=phone_argument,
    argument="phoneNumber",
    old_channel="CHANNEL_UNBIND_PHONE",  # there is none for updates
    new_channel="CHANNEL_BIND_PHONE",
    ticket="update-phone",
    taken=Refusal.PHONE_TAKEN,
    mismatch=Refusal.NOT_THE_USERS_PHONE,
    same=Refusal.SAME_PHONE,
)


async def _bind(contact: _Contact, state: State, request: Request) -> Response:
    """Give a user an email address or phone number who has none."""
    user, _, body = await read_user_call(state, request)
    code = body.text("passCode")
    address = contact.read(body, contact.argument)
    country_code = country_code_argument(body, "phoneCountryCode")
    if contact.of(user) is not None:
        raise ApiError(422, f"there is a bound {contact.kind} already, which can be updated")
    redeem_codes(state, [SentCode(address, code, f"CHANNEL_BIND_{contact.kind.upper()}")])
    _assign(state, user, contact, address, country_code)
    return success()


async def _unbind(contact: _Contact, state: State, request: Request) -> Response:
    """Remove the user's email address or phone number."""
    user, _, body = await read_user_call(state, request)
    code = body.text("passCode")
    address = contact.of(user)
    if address is None:
        raise ApiError(422, f"the user has no {contact.kind}")
    other = user.phone if contact.kind == "email" else user.email
    if other is None and not user.identities:
        # The documents count phone, email and social accounts, but no username with a password.
        raise ApiError(422, f"without the {contact.kind} the user could not sign in")
    redeem_codes(state, [SentCode(address, code, f"CHANNEL_UNBIND_{contact.kind.upper()}")])
    state.users.change(user, contact.kind, None)
    user.updated_at = state.clock.now()
    return success()


async def _verify_update(contact: _Contact, state: State, request: Request) -> Response:
    """Answer pass codes of the old and the new address with a token for the change."""
    user, _, body = await read_user_call(state, request)
    body.choice("verifyMethod", [f"{contact.kind.upper()}_PASSCODE"])
    payload = body.object(f"{contact.kind}PassCodePayload")
    suffix = "Email" if contact.kind == "email" else "PhoneNumber"
    new = contact.read(payload, f"new{suffix}")
    country_code = country_code_argument(payload, "newPhoneCountryCode")
    codes = [SentCode(new, payload.text(f"new{contact.kind.capitalize()}PassCode"), contact.new_channel)]
    current = contact.of(user)
    if current is not None:
        # A stolen access token must not be enough to take the account over.
        if contact.is_other(user, contact.read(payload, f"old{suffix}")):
            raise contact.mismatch.error()
        if not contact.is_other(user, new):
            raise contact.same.error() if contact.same else ApiError(422, "the email is the same as before")
        codes.append(SentCode(current, payload.text(f"old{contact.kind.capitalize()}PassCode"), contact.old_channel))
    redeem_codes(state, codes)
    if state.users.by_account(new) not in {None, user}:
        raise contact.taken.error()
    return token_reply(
        state,
        contact.ticket,
        f"update{contact.kind.capitalize()}Token",
        user,
        old=current,
        new=new,
        country_code=country_code,
    )


async def _update(contact: _Contact, state: State, request: Request) -> Response:
    """Replace the user's email address or phone number."""
    user, _, body = await read_user_call(state, request)
    ticket = redeem_own_token(state, contact.ticket, body.text(f"update{contact.kind.capitalize()}Token"), user)
    if ticket.facts["old"] != contact.of(user):
        raise ApiError(400, f"the {contact.kind} was changed since the token was given")
    _assign(state, user, contact, str(ticket.facts["new"]), str(ticket.facts["country_code"]))
    return success({"success": True})


def _assign(state: State, user: User, contact: _Contact, address: str, country_code: str) -> None:
    try:
        state.users.change(user, contact.kind, address)
    except AlreadyTakenError as error:
        raise contact.taken.error() from error
    if contact.kind == "email":
        user.email_verified = True
    else:
        user.phone_verified = True
        user.phone_country_code = country_code
    user.updated_at = state.clock.now()


ROUTES: Routes = {
    "/api/v3/bind-email": {"POST": partial(_bind, _EMAIL)},
    "/api/v3/bind-phone": {"POST": partial(_bind, _PHONE)},
    "/api/v3/unbind-email": {"POST": partial(_unbind, _EMAIL)},
    "/api/v3/unbind-phone": {"POST": partial(_unbind, _PHONE)},
    "/api/v3/update-email": {"POST": partial(_update, _EMAIL)},
    "/api/v3/update-phone": {"POST": partial(_update, _PHONE)},
    "/api/v3/verify-update-email-request": {"POST": partial(_verify_update, _EMAIL)},
    "/api/v3/verify-update-phone-request": {"POST": partial(_verify_update, _PHONE)},
}
