"""Tickets: single-use tokens that connect the steps of an operation."""

from __future__ import annotations

import secrets
from threading import Lock
from typing import Literal

from attrs import field, frozen

from .clock import Clock, Sweep
from .errors import ApiError

TicketKind = Literal[
    "update-email",
    "update-phone",
    "reset-password",
    "first-login",
    "force-reset",
    "delete-account",
    "enroll-factor",
    "mfa",
    "qrcode",
    "webauthn-registration",
    "webauthn-authentication",
    "captcha",
    "invitation",
]


@frozen(kw_only=True)
class Ticket:
    """A single-use token.

    Attributes:
        user_id: the user of the step; None if not known yet.
        facts: values for the next step.
    """

    kind: TicketKind
    user_id: str | None
    facts: dict[str, object] = field(repr=False)
    expires_at: float


class Tickets:
    """All tickets that can still be redeemed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tickets: dict[str, Ticket] = {}
        self._sweep = Sweep()

    def issue(
        self, kind: TicketKind, token: str = "", /, *, user_id: str | None = None, lifetime: int = 300, **facts: object
    ) -> str:
        """Issue a ticket, valid for that many seconds; `token` is its text, random by default."""
        token = token or secrets.token_urlsafe(32)
        now = self._clock.now()
        with self._lock:
            self._sweep(self._tickets, lambda each: now >= each.expires_at)
            self._tickets[token] = Ticket(kind=kind, user_id=user_id, facts=facts, expires_at=now + lifetime)
        return token

    def revoke_all_of(self, user_id: str) -> None:
        """Revoke all tickets of a user, and those of switches to another account."""
        with self._lock:
            for token, ticket in list(self._tickets.items()):
                if user_id in {ticket.user_id, ticket.facts.get("origin_id")}:
                    del self._tickets[token]

    def peek(self, kind: TicketKind, token: str) -> Ticket:
        """Return a valid ticket without using it up."""
        ticket = self._tickets.get(token)
        if ticket is None or ticket.kind != kind or self._clock.now() >= ticket.expires_at:
            raise ApiError(400, f"the {kind} token is wrong, has expired or was used")
        return ticket

    def redeem(self, kind: TicketKind, token: str) -> Ticket:
        """Use up a valid ticket."""
        with self._lock:
            ticket = self.peek(kind, token)
            del self._tickets[token]
            return ticket
