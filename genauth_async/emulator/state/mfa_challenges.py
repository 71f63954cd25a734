"""Multi-factor challenges: sign-ins that passed one factor and need a second."""

from __future__ import annotations

import secrets
from typing import cast

from attrs import field, frozen
from joserfc import jwt
from joserfc.jwk import OctKey

from genauth_async._core.redaction import redact

from .apps import App
from .errors import ApiError, Refusal, no_such_user
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

    `applicationMfa` lists the application's factors. The user's own are `mfaPhone`, `mfaEmail` and `totpMfaEnabled`,
    and the bound `phone` and `email`. A user who has none at all may enrol one with the mfaToken.
    """
    enrolled = {factor.type: factor for factor in state.factors.of(user)}
    token = state.tickets.issue(
        "mfa",
        _mfa_token(state, user),
        user_id=user.id,
        lifetime=MFA_TOKEN_LIFETIME,
        app_id=app.app_id,
        scope=scope,
        origin_id=None if origin is None else origin.id,
    )
    sms, email = enrolled.get("SMS"), enrolled.get("EMAIL")
    return Refusal.MFA_REQUIRED.error(
        data={
            "mfaToken": token,
            "nickname": user.nickname,
            "email": user.email,
            "phone": user.phone,
            "phoneCountryCode": None if user.phone is None else user.phone_country_code,
            "username": user.username,
            "avatar": user.photo or None,
            "mfaPhone": sms and sms.address,
            "mfaEmail": email and email.address,
            "mfaPhoneCountryCode": sms and sms.phone_country_code,
            "faceMfaEnabled": False,
            "totpMfaEnabled": "OTP" in enrolled,
            "applicationMfa": [
                {"mfaPolicy": kind, "status": 1, "sort": sort} for sort, kind in enumerate(state.factors.offered)
            ],
            "passwordStrength": 0,
        }
    )


def user_arn(state: State, user: User) -> str:
    """Return the vendor's resource name of a user."""
    return f"arn:cn:authing:{state.user_pool_id}:user:{user.id}"


def _mfa_token(state: State, user: User) -> str:
    """Make an mfaToken, as the service does: a JWT that only the server can verify."""
    now = int(state.clock.now())
    about = {
        "userPoolId": state.user_pool_id,
        "userId": user.id,
        "arn": user_arn(state, user),
        "stage": 1,
    }
    claims = {"data": about, "iat": now, "exp": now + MFA_TOKEN_LIFETIME}
    # Two tokens of one second have the same claims, so that only the key makes each one good once.
    return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(secrets.token_bytes(32)))


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
