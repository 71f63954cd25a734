"""Users who delete their account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments
from ..http.passwords import sent_password
from ..http.replies import ApiError, success
from ..http.request_context import require_user
from ..http.routes import Routes
from ..http.verification_codes import SentCode, owns_password, redeem_codes, redeem_own_token, token_reply
from ..state.revocation import remove
from ..state.state import State
from ..state.users import User

_CHANNEL = "CHANNEL_DELETE_ACCOUNT"
_METHODS = ("PHONE_PASSCODE", "EMAIL_PASSCODE", "PASSWORD")


async def verify_delete_account_request(state: State, request: Request) -> Response:
    """A token for the deletion, for a pass code sent to the user, or the password of one who can receive none."""
    user, _ = require_user(state, request)
    body = await Arguments.read(request)
    method = body.choice("verifyMethod", _METHODS)
    if method == "PASSWORD":
        await _check_password(state, user, body.object("passwordPayload"))
    elif method == "EMAIL_PASSCODE":
        payload = body.object("emailPassCodePayload")
        _check_code(state, user.email, payload.optional_text("email"), payload.text("passCode"))
    else:
        payload = body.object("phonePassCodePayload")
        _check_code(state, user.phone, payload.text("phoneNumber"), payload.text("passCode"))
    return token_reply(state, "delete-account", "deleteAccountToken", user)


async def delete_account(state: State, request: Request) -> Response:
    """Remove the user, and let all their tokens die; somebody else can then take the username and addresses."""
    user, _ = require_user(state, request)
    body = await Arguments.read(request)
    redeem_own_token(state, "delete-account", body.text("deleteAccountToken"), user)
    remove(state, user)
    return success({"success": True})


async def _check_password(state: State, user: User, payload: Arguments) -> None:
    if user.email is not None or user.phone is not None:
        raise ApiError(422, "PASSWORD is for users with neither email nor phone")
    password = await sent_password(state, payload, payload)
    if not owns_password(state, user, password):
        raise ApiError(400, "the password is wrong", api_code=2006)


def _check_code(state: State, address: str | None, given: str | None, code: str) -> None:
    # A code that was sent to somebody else's address proves nothing about this user.
    if address is None or (given is not None and given.lower() != address.lower()):
        raise ApiError(400, "the email or phone number is not the user's")
    redeem_codes(state, [SentCode(address, code, _CHANNEL)])


ROUTES: Routes = {
    "/api/v3/delete-account": {"POST": delete_account},
    "/api/v3/verify-delete-account-request": {"POST": verify_delete_account_request},
}
