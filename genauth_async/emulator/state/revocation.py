"""Revocation of all that a user was given: after a new password, a lock, or the end of the account."""

from __future__ import annotations

from .grants import Grant
from .state import State
from .users import User


def revoke_all(state: State, user: User, *, keep: Grant | None = None) -> None:
    """End a user's sign-ins except for one, and all tickets and codes that could still become a sign-in or a change."""
    state.grants.revoke_all_of(user.id, keep=keep)
    state.public_accounts.end_sessions_of(user)
    state.tickets.revoke_all_of(user.id)
    state.hosted_login.sessions.end_all_of(user.id)
    for codes in (state.qr_codes, state.pushes, state.fastpass_codes):
        codes.cancel_all_of(user)


def lock_user(state: State, user: User) -> None:
    """Lock a user as the administrator does; end their sign-ins and browser sessions."""
    user.locked = True
    state.grants.revoke_all_of(user.id)
    state.public_accounts.end_sessions_of(user)
    state.hosted_login.sessions.end_all_of(user.id)


def remove_user(state: State, user: User) -> None:
    """Remove a user and all that belongs to them."""
    state.grants.bar(user.id)
    state.public_accounts.forget(user)
    state.users.remove(user)
    revoke_all(state, user)
    state.passkeys.remove_all(user)
    state.factors.remove_all(user)
    state.devices.forget(user)
