"""The state of the hosted login: redirect URIs, browser sessions, consents, codes and tickets."""

from __future__ import annotations

from collections import defaultdict
from threading import Lock

from ..clock import Clock
from ..settings import Settings
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

    def __init__(self, clock: Clock, settings: Settings, default_app_id: str) -> None:
        self._default_app_id = default_app_id
        self._lock = Lock()
        self._cas_usernames: dict[str, str] = {}
        self._consents: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.sessions = BrowserSessions(clock)
        self.interactions = Interactions(clock)
        self.codes = AuthorizationCodes(clock, settings)
        self.service_tickets = ServiceTickets(clock)
        self.redirects = ReturnAddresses()
        self.logout_redirects = ReturnAddresses()

    def allow_redirect(self, uri: str, *, app_id: str | None = None) -> None:
        """Register an address that sign-ins may redirect to: a redirect_uri, or the service of CAS.

        Args:
            uri: the address. A `*` stands for any text in its place, as in the console: "https://*.example.com/cb" and
                "http://localhost:*/app/*". At http://127.0.0.1 and http://[::1] any port fits.
            app_id: its application; by default the emulator's first.

        Raises:
            ValueError: it is no absolute URI, has a fragment, would run a script, or has `*` in the host's last label.
        """
        self.redirects.register(uri, app_id or self._default_app_id)

    def allow_logout_redirect(self, uri: str, *, app_id: str | None = None) -> None:
        """Register an address that sign-outs may redirect to, in the same way."""
        self.logout_redirects.register(uri, app_id or self._default_app_id)

    def name_cas_users(self, template: str, *, app_id: str | None = None) -> None:
        """Set the template of the names that CAS answers, as "${user.email}"; "${user.username}" by default.

        Args:
            template: a text with fields of the user in it: `id`, and those of the API's UserDto.
            app_id: its application; by default the emulator's first.
        """
        with self._lock:
            self._cas_usernames[app_id or self._default_app_id] = template

    def cas_usernames(self) -> dict[str, str]:
        """Return the templates of the names that CAS answers, by application."""
        with self._lock:
            return dict(self._cas_usernames)

    def consent(self, user: User, scope: str, *, app_id: str | None = None) -> None:
        """Record the consent of a user to a scope, so that no page asks for it, except for prompt=consent."""
        with self._lock:
            self._consents[user.id, app_id or self._default_app_id].update(scope.split())

    def has_consented(self, user_id: str, scope: str, *, app_id: str) -> bool:
        """Return whether a user has consented to all of a scope."""
        with self._lock:
            return set(scope.split()) <= self._consents.get((user_id, app_id), set())

    def consents(self) -> list[tuple[str, str, str]]:
        """Return the consents: the user's id, the application's, and the scope."""
        with self._lock:
            return [(*key, " ".join(sorted(scope))) for key, scope in self._consents.items()]

    def signed_in(self, user: User) -> int:
        """Return the number of browsers in which a user is signed in."""
        return len(self.sessions.of(user.id))

    def sign_out(self, user: User) -> None:
        """End a user's sessions in all browsers, so that the login page asks again; tokens stay valid."""
        self.sessions.end_all_of(user.id)
