"""Changing, resetting and checking the password; deleting the account."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from ..http.arguments import Arguments
from ..http.older_api import graphql, graphql_success, older, older_password, older_success
from ..http.passwords import owns_password, sent_password
from ..http.replies import success
from ..http.request_context import read_app_call, read_user_call, require_known_app, require_user
from ..http.routes import Routes
from ..http.user_arguments import email_argument, phone_argument
from ..http.verification_codes import SentCode, redeem_codes, redeem_own_token, token_reply
from ..state.errors import ApiError, Refusal, no_such_user, not_modelled
from ..state.revocation import remove_user, revoke_all
from ..state.state import State
from ..state.tickets import TicketKind
from ..state.users import User

_RESET_CHANNEL = "CHANNEL_RESET_PASSWORD"
_RESET_METHODS = ("EMAIL_PASSCODE", "PHONE_PASSCODE")
_DELETE_CHANNEL = "CHANNEL_DELETE_ACCOUNT"
_DELETE_METHODS = ("PHONE_PASSCODE", "EMAIL_PASSCODE", "PASSWORD")
_TICKET: TicketKind = "reset-password"


async def update_password(state: State, request: Request) -> Response:
    """Replace a known password, or with a reset token a forgotten one.

    All other sign-ins of the user are revoked, and all that was begun: the old password may have been stolen.
    """
    body = await Arguments.read(request)
    if body.has("passwordResetToken"):
        require_known_app(state, request)
        await _reset(state, body, "newPassword")
        return success()
    user, token = require_user(state, request)
    new = await sent_password(state, body, body, "newPassword")
    state.account_rules.require_strong(new)
    if user.password is not None:
        old = await sent_password(state, body, body, "oldPassword")
        if not owns_password(state, user, old):
            raise Refusal.WRONG_PASSWORD.error()
    user, token = require_user(state, request)  # the user may have been removed meanwhile
    user.set_password(new, state.clock.now())
    revoke_all(state, user, keep=token.grant)
    return success()


async def verify_reset_password_request(state: State, request: Request) -> Response:
    """Issue a token for a new password in exchange for a pass code."""
    body = await read_app_call(state, request)
    find: Callable[[str], User | None]
    if body.choice("verifyMethod", _RESET_METHODS) == "EMAIL_PASSCODE":
        payload = body.object("emailPassCodePayload")
        address, find = email_argument(payload, "email"), state.users.by_email
    else:
        payload = body.object("phonePassCodePayload")
        address, find = phone_argument(payload, "phoneNumber"), state.users.by_phone
    # The code comes first, so that only those who read the address's messages learn whether it has an account.
    redeem_codes(state, [SentCode(address, payload.text("passCode"), _RESET_CHANNEL)])
    return token_reply(state, _TICKET, "passwordResetToken", _existing(find(address)))


async def reset_password(state: State, request: Request) -> Response:
    """Set a new password with a reset token; unlock the user and revoke all their sign-ins."""
    require_known_app(state, request)
    await _reset(state, await Arguments.read(request), "password")
    return success({"success": True})


async def reset_by_first_login_token(state: State, request: Request) -> Response:
    """Set a new password with the token of a sign-in that required it."""
    require_known_app(state, request)
    body = await Arguments.read(request)
    password = await older_password(state, body, "password")
    state.account_rules.require_strong(password)
    _replace(
        state, _existing(state.users.find(state.tickets.redeem("first-login", body.text("token")).user_id)), password
    )
    return older_success()


_FORCE_RESET = "resetPasswordByForceResetToken"


async def reset_by_force_reset_token(state: State, request: Request) -> Response:
    """Replace an expired password with the token of a sign-in that required it; the only mutation modelled."""
    require_known_app(state, request)
    body = await Arguments.read(request)
    if _FORCE_RESET not in body.text("query"):
        raise not_modelled("this GraphQL operation")
    variables = body.object("variables")
    old, new = [await older_password(state, variables, name) for name in ("oldPassword", "newPassword")]
    state.account_rules.require_strong(new)
    token = variables.text("token")
    user = _existing(state.users.find(state.tickets.peek("force-reset", token).user_id))
    if not owns_password(state, user, old):
        raise Refusal.WRONG_OLD_PASSWORD.error()
    state.tickets.redeem("force-reset", token)
    _replace(state, user, new)
    return graphql_success(_FORCE_RESET)


async def validate_password(state: State, request: Request) -> Response:
    """Check the password of an account, or of the signed-in user."""
    body = await Arguments.read(request)
    find = {"username": state.users.by_username, "email": state.users.by_email, "phone": state.users.by_phone}
    given = [kind for kind in find if body.has(kind)]
    user: User | None
    if given:
        require_known_app(state, request)
        user = find[given[0]](body.text(given[0]))
    else:
        user, _ = require_user(state, request)
    password = await sent_password(state, body, body)
    return success({"valid": user is not None and _is_valid(state, user, password)})


def _is_valid(state: State, user: User, password: str) -> bool:
    # Without the captcha, or if it reset the failures, this would be a place to guess passwords.
    if state.captchas.required_from(user.failed_passwords):
        raise Refusal.CAPTCHA_REQUIRED.error()
    return owns_password(state, user, password, forgets_failures=False)


async def _reset(state: State, body: Arguments, name: str) -> None:
    token = body.text("passwordResetToken")
    password = await sent_password(state, body, body, name)
    state.account_rules.require_strong(password)
    user = _existing(state.users.find(state.tickets.redeem(_TICKET, token).user_id))
    user.locked_by_failures = False
    _replace(state, user, password)


def _replace(state: State, user: User, password: str) -> None:
    user.set_password(password, state.clock.now())
    revoke_all(state, user)


def _existing(user: User | None) -> User:
    if user is None:
        raise no_such_user()
    return user


async def verify_delete_account_request(state: State, request: Request) -> Response:
    """Issue a token for the deletion, for a pass code, or the password of a user who can receive none."""
    user, _, body = await read_user_call(state, request)
    method = body.choice("verifyMethod", _DELETE_METHODS)
    if method == "PASSWORD":
        await _check_own_password(state, user, body.object("passwordPayload"))
    elif method == "EMAIL_PASSCODE":
        payload = body.object("emailPassCodePayload")
        _check_own_code(state, user.email, payload.optional_text("email"), payload.text("passCode"))
    else:
        payload = body.object("phonePassCodePayload")
        _check_own_code(state, user.phone, payload.text("phoneNumber"), payload.text("passCode"))
    return token_reply(state, "delete-account", "deleteAccountToken", user)


async def delete_account(state: State, request: Request) -> Response:
    """Remove the user and revoke all their tokens; the username and addresses are free again."""
    user, _, body = await read_user_call(state, request)
    redeem_own_token(state, "delete-account", body.text("deleteAccountToken"), user)
    remove_user(state, user)
    return success({"success": True})


async def _check_own_password(state: State, user: User, payload: Arguments) -> None:
    if user.email is not None or user.phone is not None:
        raise ApiError(422, "PASSWORD is for users with neither email nor phone")
    password = await sent_password(state, payload, payload)
    if not owns_password(state, user, password):
        raise Refusal.WRONG_PASSWORD.error()


def _check_own_code(state: State, address: str | None, given: str | None, code: str) -> None:
    # A code that was sent to another address proves nothing about this user.
    if address is None or (given is not None and given.lower() != address.lower()):
        raise ApiError(400, "the email or phone number is not the user's")
    redeem_codes(state, [SentCode(address, code, _DELETE_CHANNEL)])


ROUTES: Routes = {
    "/api/v2/users/password/reset-by-first-login-token": {"POST": older(reset_by_first_login_token)},
    "/graphql/v2": {"POST": graphql(reset_by_force_reset_token)},
    "/api/v3/delete-account": {"POST": delete_account},
    "/api/v3/reset-password": {"POST": reset_password},
    "/api/v3/update-password": {"POST": update_password},
    "/api/v3/validate-password": {"POST": validate_password},
    "/api/v3/verify-delete-account-request": {"POST": verify_delete_account_request},
    "/api/v3/verify-reset-password-request": {"POST": verify_reset_password_request},
}
