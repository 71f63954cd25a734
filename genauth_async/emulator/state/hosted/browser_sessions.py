"""Browser sessions at the hosted login page: single sign-on for all applications."""

from __future__ import annotations

import secrets
from threading import Lock

from attrs import define, field

from genauth_async._core.redaction import redact

from ..clock import Clock, Sweep
from ..grants import OFFLINE_ACCESS, Grant

_LIFETIME = 14 * 24 * 60 * 60


@define(eq=False, kw_only=True)
class BrowserSession:
    """A user's session in one browser, and the grants that applications got from it.

    Attributes:
        auth_time: of the last authentication.
    """

    id: str = field(repr=redact)
    user_id: str
    user_agent: str
    auth_time: int
    expires_at: float
    grants: dict[str, Grant] = field(factory=dict, repr=False)
    ended: bool = False
    sweep: Sweep = field(factory=Sweep, init=False, repr=False)


class BrowserSessions:
    """The sessions of all browsers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._sessions: dict[str, BrowserSession] = {}
        self._sweep = Sweep()

    def open(self, user_id: str, *, user_agent: str, instead_of: str | None = None) -> BrowserSession:
        """Open a session, always with a new id (session fixation).

        Args:
            user_id: the user.
            user_agent: the browser's header, which distinguishes devices.
            instead_of: the previous session of the browser. The same user's grants move to the new one; another user's
                session is ended.
        """
        now = self._clock.now()
        session = BrowserSession(
            id=secrets.token_urlsafe(32),
            user_id=user_id,
            user_agent=user_agent,
            auth_time=int(now),
            expires_at=now + _LIFETIME,
        )
        with self._lock:
            previous = self._sessions.pop(instead_of or "", None)
            if previous is not None:
                if previous.user_id == user_id:
                    previous.ended = True
                    session.grants = previous.grants
                else:
                    self._end(previous)
            self._sweep(self._sessions, lambda each: now >= each.expires_at)
            self._sessions[session.id] = session
        return session

    def find(self, session_id: str | None) -> BrowserSession | None:
        """Find the session of this id, unless it has ended."""
        session = self._sessions.get(session_id or "")
        return session if session is not None and self.is_live(session) else None

    def is_live(self, session: BrowserSession) -> bool:
        """Return whether the session has neither ended nor expired."""
        return not session.ended and self._clock.now() < session.expires_at

    def end(self, session: BrowserSession, *, app_id: str | None = None) -> None:
        """End a session: revoke its grants, but not those of others with offline_access and no open code."""
        with self._lock:
            self._end(session, app_id)

    def note(self, session: BrowserSession, grant: Grant) -> None:
        """Record a grant that an application got from a session."""
        now = self._clock.now()
        with self._lock:
            session.sweep(session.grants, lambda each: each.is_over(now))
            session.grants[grant.id] = grant

    def end_all_of(self, user_id: str, *, user_agent: str | None = None) -> None:
        """End all sessions of a user, or those of one user agent; their grants stay."""
        with self._lock:
            for session in list(self._sessions.values()):
                if session.user_id == user_id and user_agent in {None, session.user_agent}:
                    session.ended = True
                    del self._sessions[session.id]

    def of(self, user_id: str) -> list[BrowserSession]:
        """List the live sessions of a user."""
        with self._lock:
            return [each for each in self._sessions.values() if each.user_id == user_id and self.is_live(each)]

    def __len__(self) -> int:
        """Count the live sessions."""
        with self._lock:
            return sum(self.is_live(each) for each in self._sessions.values())

    def _end(self, session: BrowserSession, app_id: str | None = None) -> None:
        session.ended = True
        self._sessions.pop(session.id, None)
        for grant in session.grants.values():
            if grant.in_flight or grant.app_id == app_id or OFFLINE_ACCESS not in grant.scope.split():
                grant.revoked = True
