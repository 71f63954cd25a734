"""Multi-factor challenges: sign-ins that passed one factor and need a second."""

from __future__ import annotations

from typing import cast

from attrs import field, frozen

from genauth_async._core.redaction import redact

from .apps import App
from .errors import ApiError, no_such_user
from .factors import FACTOR_TYPES
from .state import State
from .tickets import TicketKind
from .users import User

MFA_TOKEN_LIFETIME = 360
MOST_WRONG_CODES = 5


@frozen(kw_only=True)
class Challenge:
    """The record of an mfaToken: a user who has to pass a second factor.

    Attributes:
        origin: the user who switches to this one, if any.
    """

    token: str = field(repr=redact)
    user: User
    app: App
    scope: str
    origin: User | None
    issued_at: int
    expires_at: int


def mfa_required(state: State, app: App, user: User, scope: str, *, origin: User | None = None) -> ApiError:
    """Refuse a sign-in that needs a second factor; the error data has the mfaToken.

    `applicationMfa` lists the factors that the user has enrolled. If there are none, it lists those that the user
    may enrol with the mfaToken; `totpMfaEnabled`, `mfaEmail` and `mfaPhone` show the difference.
    """
    factors = {factor.type: factor for factor in state.factors.of(user)}
    token = state.tickets.issue(
        "mfa",
        user_id=user.id,
        lifetime=MFA_TOKEN_LIFETIME,
        app_id=app.app_id,
        scope=scope,
        origin_id=None if origin is None else origin.id,
    )
    data: dict[str, object] = {
        "mfaToken": token,
        "applicationMfa": [
            {"mfaPolicy": kind, "status": 1, "sort": sort}
            for sort, kind in enumerate(kind for kind in FACTOR_TYPES if kind in factors or not factors)
        ],
        "totpMfaEnabled": "OTP" in factors,
        "faceMfaEnabled": False,
    }
    if "EMAIL" in factors:
        data["mfaEmail"] = factors["EMAIL"].address
    if "SMS" in factors:
        data["mfaPhone"] = factors["SMS"].address
        data["mfaPhoneCountryCode"] = factors["SMS"].phone_country_code
    return ApiError(403, "a second factor is required", api_code=1636, data=data)


def find_challenge(state: State, token: str, app_id: str | None) -> Challenge:
    """Find the challenge of an mfaToken; only the application that got it can use it."""
    ticket = state.tickets.peek("mfa", token)
    if app_id is not None and app_id != ticket.facts["app_id"]:
        raise ApiError(400, "the mfaToken belongs to another application")
    user = state.users.find(ticket.user_id)
    if user is None:
        raise no_such_user()
    return Challenge(
        token=token,
        user=user,
        app=state.apps[cast("str", ticket.facts["app_id"])],
        scope=cast("str", ticket.facts["scope"]),
        origin=state.users.find(cast("str | None", ticket.facts["origin_id"])),
        issued_at=int(ticket.expires_at) - MFA_TOKEN_LIFETIME,
        expires_at=int(ticket.expires_at),
    )


def count_wrong_code(state: State, kind: TicketKind, token: str) -> None:
    """Count a wrong code for a ticket, and revoke it after too many."""
    ticket = state.tickets.peek(kind, token)
    wrong = cast("int", ticket.facts.get("wrong_codes", 0)) + 1
    ticket.facts["wrong_codes"] = wrong
    if wrong >= MOST_WRONG_CODES:
        state.tickets.redeem(kind, token)
