"""The second factor of a sign-in.

The API of today documents no operation for it. These are the endpoints of the vendor's older API, which its login pages
and mobile SDKs call; they take the mfaToken as bearer token, and answer a user in the older envelope. Beside the user
stand the tokens that the sign-in asked for, without which no client of today's API could go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal

from joserfc import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..http.arguments import Arguments, read_form, required
from ..http.older_api import older
from ..http.replies import oauth_response
from ..http.request_context import bearer_token, require_known_app
from ..http.routes import Handler, Routes
from ..state import tokens
from ..state.apps import App
from ..state.clock import iso_time
from ..state.errors import ApiError, Refusal, not_signed_in
from ..state.mfa_challenges import Challenge, count_wrong_code, find_challenge, user_arn
from ..state.settings import DAY
from ..state.sign_in import require_current_password, require_unlocked
from ..state.state import State
from ..state.users import User

VERIFY_CHANNEL = "CHANNEL_VERIFY_MFA"
_OLDER_TOKEN_LIFETIME = 15 * DAY


def _require_challenge(state: State, request: Request) -> Challenge:
    """Find the challenge of a request by the mfaToken in its Authorization header."""
    app_id = require_known_app(state, request)
    try:
        return find_challenge(state, bearer_token(request), app_id)
    except ApiError as error:
        raise not_signed_in() from error


async def verify_totp(state: State, request: Request) -> Response:
    """Verify a one-time password."""
    challenge = _require_challenge(state, request)
    code = (await Arguments.read(request)).text("totp", missing=Refusal.NO_TOTP)
    with state.history.attempt(challenge.app.app_id, challenge.user):
        if not state.factors.accept_totp(challenge.user, code):
            count_wrong_code(state, "mfa", challenge.token)
            raise Refusal.WRONG_TOTP.error()
        return _signed_in(state, challenge)


async def verify_recovery_code(state: State, request: Request) -> Response:
    """Verify and use up the recovery code; the answer has the next one."""
    challenge = _require_challenge(state, request)
    code = (await Arguments.read(request)).text("recoveryCode", missing=Refusal.NO_RECOVERY_CODE)
    with state.history.attempt(challenge.app.app_id, challenge.user):
        next_code = state.factors.accept_recovery_code(challenge.user, code)
        if next_code is None:
            count_wrong_code(state, "mfa", challenge.token)
            raise Refusal.WRONG_RECOVERY_CODE.error()
        return _signed_in(state, challenge, {"recoveryCode": next_code})


async def _verify_pass_code(kind: Literal["SMS", "EMAIL"], state: State, request: Request) -> Response:
    """Verify the pass code that was sent to the enrolled, or else the bound, phone or email address."""
    challenge = _require_challenge(state, request)
    body = await Arguments.read(request)
    address, code = body.text("phone" if kind == "SMS" else "email"), body.text("code")
    country_code = body.optional_text("phoneCountryCode") if kind == "SMS" else None
    with state.history.attempt(challenge.app.app_id, challenge.user):
        try:
            _require_own(state, challenge.user, kind, address, country_code)
            state.inbox.redeem(address, code, VERIFY_CHANNEL)
        except ApiError:
            count_wrong_code(state, "mfa", challenge.token)
            raise
        return _signed_in(state, challenge)


def _require_own(
    state: State, user: User, kind: Literal["SMS", "EMAIL"], address: str, country_code: str | None
) -> None:
    # A code proves access to an address, and only the user's address proves the user.
    factor = next((each for each in state.factors.usable_by(user) if each.type == kind), None)
    if factor is None or (factor.address or "").lower() != address.lower():
        raise ApiError(400, f"this is not the user's factor of type {kind}")
    if country_code not in {None, "", factor.phone_country_code}:
        raise ApiError(400, "the phone has another country code")


def _signed_in(state: State, challenge: Challenge, beside_data: Mapping[str, object] | None = None) -> Response:
    user = challenge.user
    state.tickets.redeem("mfa", challenge.token)
    require_unlocked(user)
    require_current_password(state, user)
    issued = tokens.sign_in(state, challenge.app, user, challenge.scope, origin=challenge.origin)
    profile = user.to_dto(challenge.scope, with_custom_data=False, with_identities=False)
    data = {**profile, **_older_user(state, challenge.app, user), **issued}
    return JSONResponse({"code": 200, "message": "二次验证成功", "data": data, **(beside_data or {})})


def _older_user(state: State, app: App, user: User) -> dict[str, object]:
    """Describe a user who has signed in as the older API does: with a token of fifteen days."""
    now, pool = int(state.clock.now()), state.user_pool_id
    expires_at = now + _OLDER_TOKEN_LIFETIME
    contacts = {"username": user.username, "email": user.email, "phone": user.phone}
    claims = {
        "sub": user.id,
        "userpool_id": pool,
        "aud": app.app_id,
        "iss": state.issuer,
        "iat": now,
        "exp": expires_at,
        "data": {"type": "user", "userPoolId": pool, "appId": app.app_id, "id": user.id, "userId": user.id, **contacts},
    }
    return {
        "id": user.id,
        "arn": user_arn(state, user),
        "userPoolId": pool,
        **contacts,
        "token": jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, app.signing_key),
        "tokenExpiredAt": iso_time(expires_at),
    }


async def introspect(state: State, request: Request) -> Response:
    """Introspect an mfaToken."""
    app_id = require_known_app(state, request)
    token = required(await read_form(request), "token")
    try:
        challenge = find_challenge(state, token, app_id)
    except ApiError:
        return oauth_response({"active": False})
    return oauth_response(
        {
            "active": True,
            "userPoolId": state.user_pool_id,
            "userId": challenge.user.id,
            "iat": challenge.issued_at,
            "exp": challenge.expires_at,
        }
    )


_TOTP: Mapping[str, Handler] = {"POST": older(verify_totp)}
_RECOVERY: Mapping[str, Handler] = {"POST": older(verify_recovery_code)}

ROUTES: Routes = {
    "/api/v2/mfa/totp/verify": _TOTP,
    "/api/v2/mfa/totp/recovery": _RECOVERY,
    "/api/v2/applications/mfa/totp/verify": _TOTP,
    "/api/v2/applications/mfa/totp/recovery": _RECOVERY,
    "/api/v2/applications/mfa/sms/verify": {"POST": older(partial(_verify_pass_code, "SMS"))},
    "/api/v2/applications/mfa/email/verify": {"POST": older(partial(_verify_pass_code, "EMAIL"))},
    "/mfa/token/introspection": {"POST": introspect},
}
