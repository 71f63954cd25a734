"""QR codes that a browser shows and a signed-in user scans with an application on the phone."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..clock import Clock
from ..errors import ApiError
from ..tickets import Tickets
from ..users import User
from .login_codes import LoginCode, LoginCodes, Moves, owner_of

QrAction: TypeAlias = Literal["SCAN", "CONFIRM", "CANCEL"]

_MOVES: Moves = {
    "SCAN": (frozenset({"PENDING"}), "SCANNED"),
    "CONFIRM": (frozenset({"SCANNED"}), "AUTHORIZED"),
    "CANCEL": (frozenset({"SCANNED"}), "CANCELLED"),
}


class QrCodes(LoginCodes):
    """All QR codes for signing in; `scan`, `confirm` and `cancel` are what the application on the phone does.

    Attributes:
        tokens_in_status: whether the status of an authorised code has tokens rather than a ticket. GenAuth has this as
            a setting of the user pool, off by default, since the caller is not signed in.
        ticket_lifetime: the seconds for which a ticket can be exchanged.
    """

    def __init__(self, clock: Clock, tickets: Tickets) -> None:
        super().__init__(clock, _MOVES, "QR code")
        self.tokens_in_status = False
        self.ticket_lifetime = 300
        self._tickets = tickets

    def scan(self, qrcode_id: str, user: User) -> None:
        """Scan a code with the phone of a user.

        Raises:
            ApiError: as the API would answer, as for the two below.
        """
        self.change(qrcode_id, "SCAN", user)

    def confirm(self, qrcode_id: str, user: User | None = None) -> None:
        """Let the browser sign in, as the user who scanned the code."""
        self.change(qrcode_id, "CONFIRM", user or owner_of(self.find(qrcode_id)))

    def cancel(self, qrcode_id: str, user: User | None = None) -> None:
        """Cancel a scanned code."""
        self.change(qrcode_id, "CANCEL", user or owner_of(self.find(qrcode_id)))

    def change(self, qrcode_id: str, action: QrAction, user: User) -> None:
        """Perform an action of a user."""
        with self._lock:
            code = self._live(qrcode_id)
            if code.user is not None and code.user is not user:
                raise ApiError(403, "another user has scanned the QR code")
            self._move(code, action)
            code.user = user
            if action == "CONFIRM":
                self._authorize(code, user)

    def _authorize(self, code: LoginCode, user: User) -> None:
        self._accept(code, user)
        code.expires_at = self._clock.now() + self.ticket_lifetime
        code.ticket = self._tickets.issue("qrcode", user_id=user.id, lifetime=self.ticket_lifetime, qrcode_id=code.id)
