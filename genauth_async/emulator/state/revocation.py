"""What ends when a user's password changes, and when the user is gone."""

from __future__ import annotations

from .grants import Grant
from .state import State
from .users import User


def end_all_of(state: State, user: User, *, keep: Grant | None = None) -> None:
    """End a user's sign-ins except for one, and whatever was begun and could still become a sign-in or a change."""
    state.grants.revoke_all_of(user.id, keep=keep)
    state.public_accounts.end_sessions_of(user)
    state.tickets.revoke_all_of(user.id)
    state.hosted_login.sessions.end_all_of(user.id)
    for codes in (state.qr_codes, state.pushes, state.fastpass_codes):
        codes.cancel_all_of(user)


def remove(state: State, user: User) -> None:
    """What happens when an account is deleted, by whomever."""
    state.grants.bar(user.id)
    state.public_accounts.forget(user)
    state.users.remove(user)
    end_all_of(state, user)
    state.passkeys.remove_all(user)
    state.factors.remove_all(user)
    state.devices.forget(user)
