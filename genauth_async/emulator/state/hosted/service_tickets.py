"""Service tickets of CAS: valid once, for a minute, for their service."""

from __future__ import annotations

import secrets
from threading import Lock

from attrs import field, frozen

from ..clock import Clock, Sweep
from .browser_sessions import BrowserSession

LIFETIME = 60


@frozen(kw_only=True)
class ServiceTicket:
    """The record of a ticket.

    Attributes:
        from_password: whether the user entered the password for it, as opposed to single sign-on.
    """

    session: BrowserSession = field(repr=False)
    app_id: str
    service: str
    from_password: bool
    expires_at: float


class ServiceTickets:
    """All tickets that can still be validated."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tickets: dict[str, ServiceTicket] = {}
        self._sweep = Sweep()

    def issue(self, session: BrowserSession, *, app_id: str, service: str, from_password: bool) -> str:
        """Issue a ticket."""
        ticket = f"ST-{secrets.token_urlsafe(24)}"
        now = self._clock.now()
        with self._lock:
            self._sweep(self._tickets, lambda each: now >= each.expires_at)
            self._tickets[ticket] = ServiceTicket(
                session=session, app_id=app_id, service=service, from_password=from_password, expires_at=now + LIFETIME
            )
        return ticket

    def take(self, ticket: str) -> ServiceTicket | None:
        """Use up a ticket, even an expired one (CAS Protocol 2.0 section 3.1.1)."""
        with self._lock:
            found = self._tickets.pop(ticket, None)
        return found if found is not None and self._clock.now() < found.expires_at else None
