"""Sign-in requests that are pushed to a user's phone, to be confirmed there."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..clock import Clock
from ..errors import ApiError
from ..users import User
from .login_codes import LoginCodes, Moves, owner_of

PushAction: TypeAlias = Literal["CONFIRM", "CANCEL"]

_MOVES: Moves = {
    "CONFIRM": (frozenset({"PUSHED"}), "AUTHORIZED"),
    "CANCEL": (frozenset({"PUSHED"}), "CANCELLED"),
}


class Pushes(LoginCodes):
    """All requests that were pushed; `pending`, `confirm` and `cancel` are what the application on the phone does."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, _MOVES, "push code")

    def pending(self, user: User) -> list[str]:
        """List the ids of the requests that wait for a user, oldest first."""
        with self._lock:
            mine = [code_id for code_id, code in self._codes.items() if code.user is user]
            return [code_id for code_id in mine if self.status(code_id) == "PUSHED"]

    def confirm(self, push_code_id: str, user: User | None = None) -> None:
        """Confirm a request, as the user to whom it was pushed unless another is given.

        Raises:
            ApiError: as the API would answer.
        """
        self.change(push_code_id, "CONFIRM", user or self.target(push_code_id))

    def cancel(self, push_code_id: str, user: User | None = None) -> None:
        """Cancel a request."""
        self.change(push_code_id, "CANCEL", user or self.target(push_code_id))

    def change(self, push_code_id: str, action: PushAction, user: User) -> None:
        """Perform an action of a user."""
        with self._lock:
            if self.target(push_code_id) is not user:
                raise ApiError(403, "the push was sent to another user")
            code = self._live(push_code_id)
            self._move(code, action)
            if action == "CONFIRM":
                self._accept(code, user)

    def target(self, push_code_id: str) -> User:
        """Return the user to whom a request was pushed."""
        return owner_of(self.find(push_code_id))
