"""Public accounts: those that several people share, and each switches to from their own."""

from __future__ import annotations

from threading import Lock

from .grants import Grant
from .replies import ApiError
from .users import User


class PublicAccounts:
    """Who may switch to which public account, and in which sessions somebody has."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._allowed: dict[str, list[User]] = {}
        self._origins: dict[str, User] = {}

    def allow(self, user: User, target: User) -> None:
        """Let a user switch to a public account."""
        if target is user:
            raise ValueError("a user needs no permission to be themselves")
        with self._lock:
            targets = self._allowed.setdefault(user.id, [])
            if target not in targets:
                targets.append(target)

    def forbid(self, user: User, target: User) -> None:
        """Take the permission back; sessions that came of it go on.

        Raises:
            LookupError: the user had none.
        """
        with self._lock:
            targets = self._allowed.get(user.id, [])
            if target not in targets:
                raise LookupError("the user may not switch to this account")
            targets.remove(target)

    def of(self, user: User) -> list[User]:
        """The public accounts that a user may switch to."""
        with self._lock:
            return list(self._allowed.get(user.id, []))

    def origin(self, grant: Grant, user: User) -> User:
        """Who it is really that acts as a user in a session."""
        return self._origins.get(grant.id, user)

    def target(self, grant: Grant, user: User, target_id: str) -> User:
        """To whom a session may be switched: back to its origin, or to one of the origin's public accounts.

        Raises:
            ApiError: not to this one.
        """
        origin = self.origin(grant, user)
        for target in (*self.of(origin), *([origin] if origin is not user else [])):
            if target.id == target_id:
                return target
        raise ApiError(403, "the user may not switch to this account")

    def note(self, grant: Grant, origin: User) -> None:
        """Remember who switched."""
        with self._lock:
            self._origins[grant.id] = origin
