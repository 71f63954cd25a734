"""Fast authentication: a signed-in user shows a QR code, and scanning it signs in as that user.

The API documents the calls, not how they follow each other. The emulator's order: the browser of a signed-in user
asks for the code's parameters (gene-fastpass-qrcode-info) and shows them; the application that scans them asks which
applications it may sign in to (get-fastpass-client-apps), by which the code becomes SCANNED; and signs in
(qrcode-app-login), by which it becomes AUTHORIZED. The code is the only proof, works once, and dies with the session of
the browser that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from ..clock import Clock
from ..errors import ApiError
from ..grants import Grant
from ..users import User
from .login_codes import LoginCode, LoginCodes, Moves, owner_of

_MOVES: Moves = {
    "SCAN": (frozenset({"PENDING", "SCANNED"}), "SCANNED"),
    "APP_LOGIN": (frozenset({"PENDING", "SCANNED"}), "AUTHORIZED"),
}


class FastpassCodes(LoginCodes):
    """All QR codes for fast authentication."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, _MOVES, "QR code")

    def show(self, user: User, grant: Grant, scope: str, custom_data: Mapping[str, object]) -> LoginCode:
        """Create a code, shown in a session of the user."""
        return self.add(app_id=grant.app_id, scope=scope, user=user, shown_by=grant, custom_data=custom_data)

    def scan(self, qrcode_id: str, app_id: str) -> LoginCode:
        """Note that a code was scanned."""
        with self._lock:
            code = self._usable(qrcode_id)
            if code.app_id != app_id:
                raise ApiError(404, "the QR code does not exist")
            self._move(code, "SCAN")
            return evolve(code)

    def redeem(self, qrcode_id: str) -> LoginCode:
        """Use up a code."""
        with self._lock:
            code = self._usable(qrcode_id)
            self._move(code, "APP_LOGIN")
            self._accept(code, owner_of(code))
            return evolve(code)

    def _usable(self, qrcode_id: str) -> LoginCode:
        code = self._live(qrcode_id)
        if code.shown_by is None or code.shown_by.revoked:
            raise ApiError(422, "the session that shows the QR code has ended")
        return code
