"""Verification codes, and the short-lived tokens for a change that a user gets for them."""

from __future__ import annotations

from attrs import field, frozen
from starlette.responses import Response

from genauth_async._core.redaction import redact

from ..state.errors import ApiError
from ..state.state import State
from ..state.tickets import Ticket, TicketKind
from ..state.users import User
from .replies import success

_TOKEN_LIFETIME = 60


@frozen
class SentCode:
    """A pass code from a request, with the address and the channel that it should have been sent to."""

    to: str
    code: str = field(repr=redact)
    channel: str


def redeem_codes(state: State, codes: list[SentCode]) -> None:
    """Use up all of the pass codes, or none if one of them is wrong."""
    for sent in codes:
        state.inbox.check(sent.to, sent.code, sent.channel)
    for sent in codes:
        state.inbox.redeem(sent.to, sent.code, sent.channel)


def token_reply(state: State, kind: TicketKind, name: str, user: User, **facts: object) -> Response:
    """Answer with a token that is good for the change once, for a minute."""
    token = state.tickets.issue(kind, user_id=user.id, lifetime=_TOKEN_LIFETIME, **facts)
    return success({name: token, "tokenExpiresIn": _TOKEN_LIFETIME})


def redeem_own_token(state: State, kind: TicketKind, token: str, user: User) -> Ticket:
    """Use up a token of this user; that of another user stays good for them."""
    if state.tickets.peek(kind, token).user_id != user.id:
        raise ApiError(400, f"the {kind} token was given to another user")
    return state.tickets.redeem(kind, token)
