"""The state of one grant (RFC 6749) in this process; `turn` decides how it changes."""

from __future__ import annotations

import math
from typing import Final

from ..errors import RefreshUnavailableError, SessionExpiredError
from ..errors._sessions import EndReason
from ..settings import Clock
from ..stores import RefreshAttempt, SessionRecord
from .token_expiry import CLOCK_SKEW, Life

# Seconds before a failed refresh is tried again; they double with each failure.
_FIRST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 60.0
_DOUBLINGS: Final = 8
# Seconds for which one refusal of a token by an API stands for those that follow.
REFUSAL_SECONDS: Final = 10.0

_ENDINGS: Final[dict[EndReason, str]] = {
    "revoked": "the server no longer accepts the refresh token",
    "logged_out": "the user logged out, or the store has lost the session",
    "replaced_by_new_sign_in": "another sign-in was stored under its key",
    "lost_answer": "the answer to a refresh was lost, and the server no longer accepts the refresh token",
    "identity_changed": "a refresh gave an ID token of another user, issuer or application",
    "not_signed_in": "the store has no session of this application under the key",
    "no_refresh_token": "the access token has expired, and there is no refresh token (scope offline_access)",
}


class GrantState:
    """The state of one grant.

    Attributes:
        known: the newest known record.
        was_stored: the store has had a record of this grant.
        is_stored: the store has `known`, as far as known.
        ended: the reason for which it has ended, or None.
        given: the tokens that callers get; None before the first turn, and after the end.
        latest: the newest tokens; callers get them at the end of the turn.
        refreshes: the number of times that new tokens came.
        attempts: the number of failed attempts to refresh the present tokens.
        retry_at: the monotonic time before which callers get a valid token without another turn.
        is_barred: until then, callers without a valid token get an error.
    """

    __slots__ = (
        "__weakref__",
        "_attempt",
        "_met",
        "_pauses",
        "_refused",
        "attempts",
        "clock",
        "ended",
        "given",
        "is_barred",
        "is_stored",
        "known",
        "latest",
        "refreshes",
        "retry_at",
        "was_stored",
    )

    def __init__(self, known: SessionRecord, clock: Clock, *, is_stored: bool) -> None:
        self.clock = clock
        self.known = known
        self.is_stored = self.was_stored = is_stored
        self.ended: EndReason | None = None
        self.latest = Life(known.tokens, clock)
        self.given: Life | None = None
        self.refreshes = self.attempts = self._pauses = 0
        self.retry_at = -math.inf
        self.is_barred = False
        # The id of this process's last attempt, and whether its refresh token may have been used.
        self._attempt: tuple[str, bool] = "", False
        # The id of another process's attempt, and the monotonic time at which it was first seen.
        self._met: tuple[str, float] = "", -math.inf
        self._refused: dict[str, float] | None = None

    def is_valid(self) -> bool:
        """Return True if the tokens that callers get have not expired, and no API has refused them."""
        return self.given is not None and self.given.is_valid()

    def is_due(self, leeway: float) -> bool:
        """Return True if the newest tokens have to be refreshed."""
        return not self.latest.is_fresh(leeway)

    def pause(self) -> float:
        """Return the seconds until the next attempt; 0 or less if it may be made now."""
        return self.retry_at - self.clock.monotonic()

    def delay(self, retry_after: float | None = None, *, bars: bool = False) -> None:
        """Delay the next turn after a failure, for longer with each.

        Args:
            retry_after: the seconds that the server asked for.
            bars: callers without a valid token have to wait, too.
        """
        seconds = min(_FIRST_PAUSE * 2.0**self._pauses, _LONGEST_PAUSE)
        self._pauses = min(self._pauses + 1, _DOUBLINGS)
        self.retry_at = self.clock.monotonic() + max(seconds, retry_after or 0.0)
        self.is_barred = bars

    def reject(self, token: str, by: str | None) -> None:
        """Treat the access token as expired, since an API refused it.

        Args:
            token: the refused token; ignored when it is no longer the present one.
            by: the API; its refusals count once in 10 seconds, lest each cause a refresh.
        """
        present = self.given or self.latest
        if present.tokens.access_token != token:
            return
        if by is not None:
            now = self.clock.monotonic()
            refused = {name: until for name, until in (self._refused or {}).items() if now < until}
            if by in refused:
                return
            self._refused = {**refused, by: now + REFUSAL_SECONDS}
        present.is_rejected = True

    def publish(self) -> None:
        """Give the newest tokens to callers."""
        if self.ended is None:
            self.given = self.latest

    def end(self, reason: EndReason) -> SessionExpiredError:
        """End the session, unless it has ended already; return the error for its callers."""
        self.ended = self.ended or reason
        self.given = None
        return expired(self.ended)

    def raise_if_ended(self) -> None:
        """Raise SessionExpiredError if the session has ended."""
        if self.ended is not None:
            raise expired(self.ended)

    def raise_if_barred(self) -> None:
        """Raise RefreshUnavailableError if the refresh token must not be sent yet."""
        if self.is_barred and (pause := self.pause()) > 0:
            problem = "The last refresh failed, and the next one is not due yet"
            raise RefreshUnavailableError(
                problem, outcome_unknown=self.lost() > 0, retry_after=pause, attempts=self.attempts
            )

    # The methods below are for the turn.

    def learn(self, record: SessionRecord, *, is_stored: bool, is_refreshed: bool = False) -> None:
        """Set the newest known record."""
        has_new_tokens = is_refreshed or record.tokens != self.known.tokens
        self.known = record
        self.is_stored = is_stored
        self.was_stored = self.was_stored or is_stored
        if has_new_tokens:
            self.latest = Life(record.tokens, self.clock)
            self.refreshes += 1
            self.attempts = self._pauses = 0
            self.retry_at = -math.inf

    def begin_attempt(self, name: str, seconds: float) -> RefreshAttempt:
        """Return an attempt of this process, to be stored before the refresh token is sent."""
        attempt = RefreshAttempt(name, self.clock.wall(), seconds, self.lost())
        self._attempt, self._met = (attempt.id, False), (attempt.id, self.clock.monotonic())
        return attempt

    def set_outcome(self, *, lost: bool) -> None:
        """Set whether the last attempt sent the refresh token, and the server's answer is not known."""
        self._attempt = self._attempt[0], lost

    def lost(self) -> int:
        """Return the number of times that the present refresh token was sent and the answer lost."""
        attempt = self.known.attempt
        if attempt is None:
            return 0
        if attempt.seconds == 0:
            return attempt.lost
        return attempt.lost + (self._attempt != (attempt.id, False))

    def is_own(self, attempt: RefreshAttempt) -> bool:
        """Return True for an attempt of this process, which has one at a time."""
        return self._attempt[0] == attempt.id

    def under_way(self, attempt: RefreshAttempt) -> float:
        """Return the seconds for which an attempt may still be under way; 0 or less if it cannot."""
        now = self.clock.monotonic()
        if self._met[0] != attempt.id:
            self._met = attempt.id, now
        age = self.clock.wall() - attempt.started_at
        # The clock of its machine may differ from ours: time counts from when it was first seen.
        return 0.0 if age > attempt.seconds + CLOCK_SKEW else attempt.seconds - (now - self._met[1])

    def is_over(self, attempt: RefreshAttempt) -> bool:
        """Return True if this process was suspended for so long that others no longer wait for its attempt."""
        now = self.clock.monotonic()
        return max(self.clock.wall() - attempt.started_at, now - self._met[1]) >= attempt.seconds


def expired(reason: EndReason) -> SessionExpiredError:
    """Return the error of a session that has ended."""
    return SessionExpiredError(f"The session has ended: {_ENDINGS[reason]}", reason)
