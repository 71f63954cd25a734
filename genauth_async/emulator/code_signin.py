"""What signing in by QR code, push and fast authentication have in common."""

from __future__ import annotations

from starlette.requests import Request

from . import tokens
from .client_auth import require_known_app
from .login_codes import LoginCode, owner_of
from .replies import ApiError
from .signin import refuse_locked
from .state import App, State
from .users import User


def calling_app(state: State, request: Request) -> App:
    """The application that a call says it comes from, unproved; the default one if it does not say."""
    return state.apps[require_known_app(state, request) or state.default_app.app_id]


def sign_in_owner(state: State, code: LoginCode, app: App) -> dict[str, object]:
    """Tokens for the user to whom an authorised code belongs, who may have come to grief meanwhile."""
    user = owner_of(code)
    if state.users.find(user.id) is None:
        raise ApiError(404, "the user does not exist", api_code=2004)
    refuse_locked(user)
    return tokens.token_set(tokens.sign_in(state, app, user, code.scope))


def display_name(user: User) -> str:
    """What strangers may see of a user: neither address nor number."""
    return user.name or user.nickname or user.username or user.id


def photo(user: User) -> str:
    """Where the user's picture is, or nothing."""
    return user.profile.get("photo", "")
