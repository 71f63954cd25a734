"""What signing in by QR code, push and fast authentication have in common."""

from __future__ import annotations

from starlette.requests import Request

from ..http.client_auth import require_known_app
from ..http.replies import ApiError
from ..state import tokens
from ..state.device_codes.login_codes import LoginCode, owner_of
from ..state.state import App, State
from ..state.users import User
from .signin import refuse_locked, refuse_old_password, refuse_unfinished


def calling_app(state: State, request: Request) -> App:
    """The application that a call says it comes from, unproved; the default one if it does not say."""
    return state.apps[require_known_app(state, request) or state.default_app.app_id]


def refuse_other_app(state: State, request: Request, code: LoginCode) -> None:
    """Lets only the application ask that a code was made for; to others there is no such code."""
    if calling_app(state, request).app_id != code.app_id:
        raise ApiError(404, "the code does not exist")


def sign_in_owner(state: State, code: LoginCode, app: App, *, is_second_factor: bool = False) -> dict[str, object]:
    """Tokens for the user to whom an authorised code belongs, who may have come to grief meanwhile.

    Args:
        state: the emulator's.
        code: the code.
        app: whom the tokens are for.
        is_second_factor: whether the way in which it was authorised stands for the second factor.
    """
    user = owner_of(code)
    with state.history.attempt(app.app_id) as attempt:
        attempt.user = user
        refuse_locked(user)
        if is_second_factor:
            refuse_old_password(user)
        else:
            refuse_unfinished(state, app, user, code.scope)
        return tokens.token_set(tokens.sign_in(state, app, user, code.scope))


def display_name(user: User) -> str:
    """What strangers may see of a user: neither address nor number."""
    return user.name or user.nickname or user.username or user.id


def photo(user: User) -> str:
    """Where the user's picture is, or nothing."""
    return user.profile.get("photo", "")
