"""Codes that one device shows or receives and another authorises: QR codes, push requests, fastpass."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from threading import RLock
from typing import Literal, TypeAlias

from attrs import define, evolve, field

from ..clock import Clock, Sweep
from ..errors import ApiError
from ..grants import Grant
from ..users import User

Status: TypeAlias = Literal["PENDING", "PUSHED", "SCANNED", "AUTHORIZED", "CANCELLED", "EXPIRED"]
Moves: TypeAlias = Mapping[str, tuple[frozenset[Status], Status]]
"""The state machine: for each action the allowed states, and the next one."""

_REMEMBERED = 3600


@define(eq=False, kw_only=True)
class LoginCode:
    """A code and its status.

    Attributes:
        app_id: the application that gets the tokens.
        user: the owner of the tokens, once known.
        shown_by: the session that shows it, if any.
        custom_data: added to the user's own custom data when they confirm.
        ticket: exchanges an authorised code for tokens.
        tokens: issued for the code.
    """

    id: str = field(repr=False)
    app_id: str
    scope: str
    status: Status
    created_at: float
    expires_at: float
    user: User | None = None
    shown_by: Grant | None = field(default=None, repr=False)
    custom_data: Mapping[str, object] = field(factory=dict, repr=False)
    ticket: str | None = field(default=None, repr=False)
    tokens: Mapping[str, object] | None = field(default=None, repr=False)


def owner_of(code: LoginCode) -> User:
    """Return the owner of a code, which must have one."""
    if code.user is None:
        raise ApiError(422, "the code has no user yet")
    return code.user


class LoginCodes:
    """All codes of one kind; those that have expired are remembered for an hour at least.

    Args:
        clock: the time source of their expiry.
        moves: the state machine.
        subject: the name in messages.

    Attributes:
        lifetime: for how many seconds a new code can be used. It may be set at any time.
    """

    def __init__(self, clock: Clock, moves: Moves, subject: str) -> None:
        self.lifetime = 120
        self._clock = clock
        self._moves = moves
        self._subject = subject
        self._lock = RLock()
        self._codes: dict[str, LoginCode] = {}
        self._sweep = Sweep()

    def add(
        self,
        *,
        app_id: str,
        scope: str,
        status: Status = "PENDING",
        user: User | None = None,
        shown_by: Grant | None = None,
        custom_data: Mapping[str, object] | None = None,
    ) -> LoginCode:
        """Create a code."""
        now = self._clock.now()
        code = LoginCode(
            id=secrets.token_urlsafe(32),
            app_id=app_id,
            scope=scope,
            status=status,
            created_at=now,
            expires_at=now + self.lifetime,
            user=user,
            shown_by=shown_by,
            custom_data=custom_data or {},
        )
        with self._lock:
            self._sweep(self._codes, lambda each: now >= each.expires_at + _REMEMBERED)
            self._codes[code.id] = code
            return evolve(code)

    def find(self, code_id: str) -> LoginCode:
        """Return a copy of a code; later changes do not show."""
        with self._lock:
            return evolve(self._live(code_id))

    def status(self, code_id: str) -> Status:
        """Return the status of a code."""
        return self.find(code_id).status

    def cancel_all_of(self, user: User) -> None:
        """Cancel all codes that a user has shown, scanned, confirmed or received."""
        with self._lock:
            for code in self._codes.values():
                if code.user is user:
                    code.status = "CANCELLED"

    def collect(self, code: LoginCode, issue: Callable[[], Mapping[str, object]]) -> Mapping[str, object]:
        """Return the tokens for an authorised code: issued the first time, the same ones later."""
        with self._lock:
            live = self._live(code.id)
            if live.status != "AUTHORIZED":
                raise ApiError(422, f"the {self._subject} is {live.status}")
            if live.tokens is None:
                live.tokens = issue()
            return live.tokens

    def _live(self, code_id: str) -> LoginCode:
        """Find a code, and mark it expired if its time is over."""
        code = self._codes.get(code_id)
        if code is None:
            raise ApiError(404, f"the {self._subject} does not exist")
        if code.status != "CANCELLED" and self._clock.now() >= code.expires_at:
            code.status = "EXPIRED"
        return code

    def _accept(self, code: LoginCode, user: User) -> None:
        """Add the custom data of the code to the user's."""
        if code.custom_data:
            user.custom_data.update(code.custom_data)
            user.updated_at = self._clock.now()

    def _move(self, code: LoginCode, action: str) -> None:
        allowed, after = self._moves[action]
        if code.status not in allowed:
            wanted = " or ".join(sorted(allowed))
            raise ApiError(422, f"the {self._subject} is {code.status}; {action} needs it to be {wanted}")
        code.status = after

    def __len__(self) -> int:
        return len(self._codes)
