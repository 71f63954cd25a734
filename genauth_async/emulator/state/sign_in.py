"""The last step of every sign-in: check that the authenticated user may sign in, then issue tokens."""

from __future__ import annotations

from . import tokens
from .apps import App
from .errors import Refusal
from .mfa_challenges import mfa_required
from .state import State
from .tickets import TicketKind
from .users import User


def require_unlocked(user: User) -> None:
    """Refuse a locked user."""
    if user.locked:
        raise (Refusal.LOCKED if user.locked_by_administrator else Refusal.LOCKED_BY_FAILURES).error()


def require_current_password(state: State, user: User) -> None:
    """Refuse a user whose password has to be replaced, however they sign in; the error data has a token for that."""
    if user.must_replace_password:
        kind: TicketKind = "first-login" if user.password_reset_required else "force-reset"
        refusal = Refusal.PASSWORD_RESET_REQUIRED if user.password_reset_required else Refusal.PASSWORD_EXPIRED
        raise refusal.error(data={"token": state.tickets.issue(kind, user_id=user.id)})


def complete_sign_in(
    state: State, app: App, user: User, scope: str, *, origin: User | None = None, mfa_passed: bool = False
) -> dict[str, object]:
    """Issue tokens to an authenticated user as LoginTokenResponseDataDto; the login history records a refusal.

    `origin` is the user who switches to this one; `mfa_passed` says that the sign-in counts as the second factor, too.
    """
    with state.history.attempt(app.app_id, user):
        require_unlocked(user)
        require_current_password(state, user)
        if user.mfa_required and not mfa_passed:
            raise mfa_required(state, app, user, scope, origin=origin)
        return tokens.token_set(tokens.sign_in(state, app, user, scope, origin=origin))
