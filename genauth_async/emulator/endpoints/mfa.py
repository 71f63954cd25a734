"""Second factors: enrolled, listed, verified and reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import segno
from pyotp import random_base32
from pyotp.totp import TOTP
from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments, query_text
from ..http.replies import success
from ..http.request_context import bearer_token, read_user_call, require_known_app, require_user
from ..http.routes import Routes
from ..state.errors import ApiError, Refusal, not_modelled, not_signed_in
from ..state.factors import FACTOR_TYPES, Factor, FactorType, new_recovery_code
from ..state.mfa_challenges import count_wrong_code, find_challenge
from ..state.state import State
from ..state.users import User

BIND_CHANNEL = "CHANNEL_BIND_MFA"

_ENROLLMENT_LIFETIME = 60

_ISSUER = "GenAuth emulator"
_LONGEST_LABEL = 64  # so that the QR code has room for it
_ALL_TYPES = (*FACTOR_TYPES, "FACE")


def _require_enroller(state: State, request: Request) -> User:
    """Return the signed-in user, or the one whose sign-in waits for a factor that is not enrolled yet."""
    app_id = require_known_app(state, request)
    if state.grants.active_access_token(bearer_token(request)) is not None:
        return require_user(state, request)[0]
    try:
        user = find_challenge(state, bearer_token(request), app_id).user
    except ApiError as error:
        raise not_signed_in() from error
    if state.factors.usable_by(user):
        # Otherwise the password would be enough to enrol another second factor.
        raise ApiError(403, "the user has a second factor: the sign-in has to be finished with it first")
    return user


async def send_enroll_factor_request(state: State, request: Request) -> Response:
    """Begin an enrolment: return a new OTP secret, or send a pass code to the new address."""
    user = _require_enroller(state, request)
    body = await Arguments.read(request)
    kind = _factor_type(body)
    profile = body.object("profile")
    if state.factors.find(user, kind) is not None:
        raise ApiError(409, f"a factor of type {kind} is enrolled already; reset it first")
    if kind == "OTP":
        return _hand_out_secret(state, user)
    if kind == "SMS":
        address = profile.text("phoneNumber")
        if not address.isascii() or not address.isdigit():
            raise ApiError(400, "profile.phoneNumber must consist of digits")
        country_code = profile.optional_text("phoneCountryCode") or "+86"
        state.inbox.send("sms", BIND_CHANNEL, address, phone_country_code=country_code)
        facts = {"address": address, "phone_country_code": country_code}
    else:
        address = profile.text("email")
        if "@" not in address:
            raise ApiError(400, "profile.email must be an email address")
        state.inbox.send("email", BIND_CHANNEL, address)
        facts = {"address": address}
    return success({"enrollmentToken": _enrollment_token(state, user, kind, facts)})


def _hand_out_secret(state: State, user: User) -> Response:
    secret, recovery_code = random_base32(), new_recovery_code()
    account = (user.email or user.username or user.phone or user.id)[:_LONGEST_LABEL]
    uri = TOTP(secret).provisioning_uri(name=account, issuer_name=_ISSUER)
    token = _enrollment_token(state, user, "OTP", {"secret": secret, "recovery_code": recovery_code})
    otp_data = {
        "qrCodeUri": uri,
        "qrCodeDataUrl": segno.make_qr(uri).png_data_uri(scale=4),
        "recoveryCode": recovery_code,
    }
    return success({"enrollmentToken": token, "otpData": otp_data})


def _enrollment_token(state: State, user: User, kind: FactorType, fields: Mapping[str, str]) -> str:
    return state.tickets.issue(
        "enroll-factor", user_id=user.id, lifetime=_ENROLLMENT_LIFETIME, type=kind, fields=fields
    )


async def enroll_factor(state: State, request: Request) -> Response:
    """Finish an enrolment with a code from the new factor."""
    user = _require_enroller(state, request)
    body = await Arguments.read(request)
    kind = _factor_type(body)
    token = body.text("enrollmentToken")
    code = body.object("enrollmentData").text("passCode")
    ticket = state.tickets.peek("enroll-factor", token)
    if ticket.user_id != user.id or ticket.facts["type"] != kind:
        raise ApiError(400, "the enrollmentToken is for another user, or for another type of factor")
    factor = Factor(user_id=user.id, type=kind, **cast("dict[str, str]", ticket.facts["fields"]))
    try:
        _check_first_code(state, factor, code)
    except ApiError:
        count_wrong_code(state, "enroll-factor", token)
        raise
    state.tickets.redeem("enroll-factor", token)
    state.factors.add(factor)
    return success()


def _check_first_code(state: State, factor: Factor, code: str) -> None:
    if factor.address is not None:
        state.inbox.redeem(factor.address, code, BIND_CHANNEL)
    elif not factor.accept_totp(code, state.clock.now()):
        raise Refusal.WRONG_TOTP.error()


async def reset_factor(state: State, request: Request) -> Response:
    """Remove a factor, so that another of its type can be enrolled."""
    user, _, body = await read_user_call(state, request)
    state.factors.remove(user, body.text("factorId"))
    return success()


async def list_enrolled_factors(state: State, request: Request) -> Response:
    """List the user's factors; a bound phone or email address is one without an enrolment."""
    user, _ = require_user(state, request)
    return success([_factor_dto(factor) for factor in state.factors.usable_by(user)])


async def get_factor(state: State, request: Request) -> Response:
    """Return one of the user's factors."""
    user, _ = require_user(state, request)
    return success(_factor_dto(state.factors.get(user, query_text(request, "factorId"))))


async def list_factors_to_enroll(state: State, request: Request) -> Response:
    """List the factor types that the user can still enrol."""
    user = _require_enroller(state, request)
    enrolled = {factor.type for factor in state.factors.of(user)}
    return success([{"factorType": kind} for kind in state.factors.offered if kind not in enrolled])


async def verify_totp(state: State, request: Request) -> Response:
    """Verify a one-time password of the signed-in user, for step-up authentication."""
    user, _, body = await read_user_call(state, request)
    totp = body.text("totp", missing=Refusal.NO_TOTP)
    return success({"verified": state.factors.accept_totp(user, totp)})


def _factor_type(body: Arguments) -> FactorType:
    kind = body.choice("factorType", _ALL_TYPES)
    if kind not in FACTOR_TYPES:
        raise not_modelled(f"factors of type {kind}")
    return kind


def _factor_dto(factor: Factor) -> dict[str, object]:
    return {"factorId": factor.id, "factorType": factor.type, "profile": factor.masked_profile}


ROUTES: Routes = {
    "/api/v3/send-enroll-factor-request": {"POST": send_enroll_factor_request},
    "/api/v3/enroll-factor": {"POST": enroll_factor},
    "/api/v3/reset-factor": {"POST": reset_factor},
    "/api/v3/list-enrolled-factors": {"GET": list_enrolled_factors},
    "/api/v3/get-factor": {"GET": get_factor},
    "/api/v3/list-factors-to-enroll": {"GET": list_factors_to_enroll},
    "/api/v3/mfa-totp-verify": {"POST": verify_totp},
}
