"""Public accounts: shared accounts that users switch to from their own."""

from __future__ import annotations

from threading import Lock

from .clock import Sweep
from .errors import ApiError
from .grants import Grant
from .users import User


class PublicAccounts:
    """The permissions to switch to public accounts, and the sessions of users who have switched."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._allowed: dict[str, list[User]] = {}
        self._sessions: dict[str, tuple[Grant, User]] = {}
        self._gone: set[str] = set()
        self._sweep = Sweep()

    def allow(self, user: User, target: User) -> None:
        """Let a user switch to a public account.

        Raises:
            ValueError: they are the same, or one of them was removed.
        """
        if target is user:
            raise ValueError("target must be another user")
        with self._lock:
            if self._gone & {user.id, target.id}:
                raise ValueError("the user was removed")
            targets = self._allowed.setdefault(user.id, [])
            if target not in targets:
                targets.append(target)

    def forbid(self, user: User, target: User) -> None:
        """Revoke the permission; existing sessions stay.

        Raises:
            LookupError: the user had none.
        """
        with self._lock:
            targets = self._allowed.get(user.id, [])
            if target not in targets:
                raise LookupError("the user may not switch to this account")
            targets.remove(target)

    def of(self, user: User) -> list[User]:
        """List the public accounts that a user may switch to."""
        with self._lock:
            return list(self._allowed.get(user.id, []))

    def origin(self, grant: Grant, user: User) -> User:
        """Return the user who has switched in a session, or else the session's own user."""
        session = self._sessions.get(grant.id)
        return user if session is None else session[1]

    def target(self, grant: Grant, user: User, target_id: str) -> User:
        """Find the account to switch a session to: its origin, or one of the origin's public accounts."""
        origin = self.origin(grant, user)
        for target in (*self.of(origin), *([origin] if origin is not user else [])):
            if target.id == target_id:
                return target
        raise ApiError(403, "the user may not switch to this account")

    def note(self, grant: Grant, origin: User) -> None:
        """Record the user who switched."""
        now = grant.created_at  # the session is as new as that
        with self._lock:
            self._sweep(self._sessions, lambda each: each[0].is_over(now))
            self._sessions[grant.id] = grant, origin
            if origin.id in self._gone:
                grant.revoked = True

    def end_sessions_of(self, user: User) -> None:
        """Revoke the sessions to which a user has switched."""
        with self._lock:
            self._end_sessions_of(user)

    def forget(self, user: User) -> None:
        """Remove a user, who can neither switch nor be switched to."""
        with self._lock:
            self._gone.add(user.id)
            self._allowed.pop(user.id, None)
            for targets in self._allowed.values():
                if user in targets:
                    targets.remove(user)
            self._end_sessions_of(user)

    def _end_sessions_of(self, user: User) -> None:
        for grant, origin in self._sessions.values():
            if origin is user:
                grant.revoked = True
