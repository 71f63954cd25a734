"""The state of the hosted login: redirect URIs, browser sessions, consents, codes and tickets."""

from __future__ import annotations

from collections import defaultdict
from threading import Lock

from ..clock import Clock
from ..users import User
from .authorization_codes import AuthorizationCodes
from .browser_sessions import BrowserSessions
from .interactions import Interactions
from .return_addresses import ReturnAddresses
from .service_tickets import ServiceTickets


class HostedLogin:
    """The hosted login pages, as tests drive them.

    An application that registered no address may send browsers to this machine only (http or https; localhost,
    127.0.0.1 or [::1]; any port and path).
    """

    def __init__(self, clock: Clock, default_app_id: str) -> None:
        self._default_app_id = default_app_id
        self._lock = Lock()
        self._consents: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.sessions = BrowserSessions(clock)
        self.interactions = Interactions(clock)
        self.codes = AuthorizationCodes(clock)
        self.service_tickets = ServiceTickets(clock)
        self.redirects = ReturnAddresses()
        self.logout_redirects = ReturnAddresses()

    def allow_redirect(self, uri: str, *, app_id: str | None = None) -> None:
        """Register an address that sign-ins may redirect to: a redirect_uri, or the service of CAS.

        Args:
            uri: the address, which is compared exactly.
            app_id: its application; by default the emulator's first.

        Raises:
            ValueError: it is no absolute URI, or has a fragment, or would run a script.
        """
        self.redirects.register(uri, app_id or self._default_app_id)

    def allow_logout_redirect(self, uri: str, *, app_id: str | None = None) -> None:
        """Register an address that sign-outs may redirect to, in the same way."""
        self.logout_redirects.register(uri, app_id or self._default_app_id)

    def consent(self, user: User, scope: str, *, app_id: str | None = None) -> None:
        """Record the consent of a user to a scope, so that no page asks for it, except for prompt=consent."""
        with self._lock:
            self._consents[user.id, app_id or self._default_app_id].update(scope.split())

    def has_consented(self, user_id: str, scope: str, *, app_id: str) -> bool:
        """Return whether a user has consented to all of a scope."""
        with self._lock:
            return set(scope.split()) <= self._consents.get((user_id, app_id), set())

    def signed_in(self, user: User) -> int:
        """Return the number of browsers in which a user is signed in."""
        return len(self.sessions.of(user.id))

    def sign_out(self, user: User) -> None:
        """End a user's sessions in all browsers, so that the login page asks again; tokens stay valid."""
        self.sessions.end_all_of(user.id)
