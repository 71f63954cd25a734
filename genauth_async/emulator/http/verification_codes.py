"""How users prove that an account is theirs before it is changed: by pass code or password, then by a token."""

from __future__ import annotations

from attrs import field, frozen
from starlette.responses import Response

from genauth_async._core.redaction import masked

from ..state.state import State
from ..state.tickets import Ticket, TicketKind
from ..state.users import User
from .replies import ApiError, success

_TOKEN_LIFETIME = 60


@frozen
class SentCode:
    """A pass code as it came back, with the address and the purpose for which it should have been sent."""

    to: str
    code: str = field(repr=masked)
    channel: str


def redeem_codes(state: State, codes: list[SentCode]) -> None:
    """Use up all of the pass codes, or none if one of them is wrong."""
    for sent in codes:
        state.inbox.check(sent.to, sent.code, sent.channel)
    for sent in codes:
        state.inbox.redeem(sent.to, sent.code, sent.channel)


def owns_password(state: State, user: User, password: str, *, forgets_failures: bool = True) -> bool:
    """Whether this is the user's password; whoever guesses too often locks the user, as at sign-in."""
    if user.locked:
        raise ApiError(403, "the user is locked", api_code=2005)
    if user.has_password(password):
        if forgets_failures:
            user.failed_passwords = 0
        return True
    user.count_wrong_password(state.settings.max_password_failures)
    return False


def token_reply(state: State, kind: TicketKind, name: str, user: User, **facts: object) -> Response:
    """The answer to a proof: a token, good for the change once and not for long."""
    token = state.tickets.issue(kind, user_id=user.id, lifetime=_TOKEN_LIFETIME, **facts)
    return success({name: token, "tokenExpiresIn": _TOKEN_LIFETIME})


def redeem_own_token(state: State, kind: TicketKind, token: str, user: User) -> Ticket:
    """Use up a token that this very user was given; that of another user stays good for them."""
    if state.tickets.peek(kind, token).user_id != user.id:
        raise ApiError(400, f"the {kind} token was given to another user")
    return state.tickets.redeem(kind, token)
