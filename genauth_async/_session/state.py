"""The state of one grant (RFC 6749) in this process, and the pure function that changes it.

`turn` brings the state in step with its store and refreshes its tokens; `log_out` ends it. Both are generators without
I/O: they yield effects, which the driver carries out, and which a test answers in any order and with any fault. Neither
relies on the store's lock: `compare_and_set` and the attempt in the record decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import suppress
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

from attrs import evolve, frozen

from .._http.retry import Outcome, wait_before_retry
from .._wire.request import Idempotency
from ..errors import (
    ConfigurationError,
    GenAuthError,
    InvalidGrantError,
    RefreshUnavailableError,
    SessionExpiredError,
    StoreError,
)
from ..errors._sessions import EndReason
from ..models.tokens import TokenSet
from ..settings import Clock, RetryPolicy
from ..stores import RefreshAttempt, SessionRecord
from .identity import is_older, is_owned_by, is_same_grant, predecessors_of, relation, replacing
from .token_expiry import CLOCK_SKEW, Life
from .token_sets import is_unused, merge_refresh

# Seconds before a failed refresh is tried again; they double with each failure.
_FIRST_PAUSE: Final = 5.0
_LONGEST_PAUSE: Final = 60.0
_DOUBLINGS: Final = 8
# Seconds between two looks at another process's attempt.
_LOOK_SECONDS: Final = 0.25
# Seconds for which one refusal of a token by an API stands for those that follow.
REFUSAL_SECONDS: Final = 10.0

_ENDINGS: Final[dict[EndReason, str]] = {
    "revoked": "the server no longer accepts the refresh token",
    "logged_out": "the user logged out, or the store has lost the session",
    "replaced_by_new_sign_in": "another sign-in was stored under its key",
    "lost_answer": "the answer to a refresh was lost, and the server no longer accepts the refresh token",
    "not_signed_in": "the store has no session of this application under the key",
    "no_refresh_token": "the access token has expired, and there is no refresh token (scope offline_access)",
}


class Do(Enum):
    """Effects without arguments."""

    LOCK = "acquire the store's lock, and hold it until the turn ends"
    READ = "read the record; results in it, or None"
    BORROW = "ask another state with the same refresh token; results in its newer TokenSet, or None"
    CONNECT = "open a connection to the token endpoint, and send nothing"
    SEND = "send the refresh token over that connection; results in the token response"


class Write(NamedTuple):
    """Write a record over the generation `over`; results in True if it was written."""

    record: SessionRecord
    over: int | None


class Remove(NamedTuple):
    """Remove the record of a generation; results in True if there is none now."""

    over: int


class Wait(NamedTuple):
    """Wait for some seconds."""

    seconds: float


class Revoke(NamedTuple):
    """Revoke tokens at the server."""

    tokens: TokenSet


Want: TypeAlias = Literal["stored", "fresh", "new"]
Effect: TypeAlias = Do | Write | Remove | Wait | Revoke
Turn: TypeAlias = Generator[Effect, Any, None]
_T = TypeVar("_T")
_Part: TypeAlias = Generator[Effect, Any, _T]


@frozen(kw_only=True)
class Limits:
    """The options of a turn.

    Attributes:
        seconds: the time for all attempts of a turn together.
        retry: the attempts that certainly sent nothing, and those that were throttled.
        resends: send the refresh token again after its answer was lost.
        new_id: creates the id of an attempt.
        draw: returns a number in [0, 1).
    """

    seconds: float
    retry: RetryPolicy
    resends: bool
    new_id: Callable[[], str]
    draw: Callable[[], float]


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

    def begin_attempt(self, limits: Limits) -> RefreshAttempt:
        """Return an attempt of this process, to be stored before the refresh token is sent."""
        attempt = RefreshAttempt(limits.new_id(), self.clock.wall(), limits.seconds, self.lost())
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


def turn(state: GrantState, want: Want, leeway: float, limits: Limits) -> Turn:
    """Bring the state in step with its store, and refresh the tokens unless they are what the caller wants.

    Args:
        state: the state.
        want: "stored" tokens of any age, "fresh" ones, or "new" ones, later than those that the store has now.
        leeway: seconds before its expiry from which an access token is due.
        limits: the options.

    Raises:
        SessionExpiredError: the session has ended.
        RefreshUnavailableError: the tokens could not be refreshed now.
        ConfigurationError: the store has another application's session.
    """
    is_locked = False
    seen: int | None = None
    while True:
        record = yield Do.READ
        if not (yield from _synchronise(state, record)):
            continue
        seen = state.refreshes if seen is None else seen
        if want == "stored" or (not state.is_due(leeway) and (want == "fresh" or state.refreshes != seen)):
            return
        state.raise_if_barred()
        if not is_locked:
            yield Do.LOCK
            is_locked = True
            continue
        attempt = state.known.attempt
        if attempt is not None and not state.is_own(attempt) and (left := state.under_way(attempt)) > 0:
            yield Wait(min(left, _LOOK_SECONDS))
            continue
        if not (yield from _check_refresh_token(state, limits)):
            continue
        tokens = yield Do.BORROW
        if tokens is None:
            tokens = yield from _refresh(state, leeway, limits)
        if tokens is not None and (yield from _store(state, tokens)):
            return


def _synchronise(state: GrantState, record: SessionRecord | None) -> _Part[bool]:
    """Compare the state with the store's record; return False if the store was changed meanwhile."""
    newest, over = state.known, None
    if record is not None:
        replacement = _to_write(state, record)
        if replacement is None:
            state.learn(record, is_stored=True)
            return True
        newest, over = replacement, record.generation
    elif state.was_stored:
        if not state.is_stored:
            with suppress(GenAuthError):
                yield Revoke(newest.tokens)
        raise state.end("logged_out")
    if not (yield Write(newest, over)):
        return False
    state.learn(newest, is_stored=True)
    return True


def _to_write(state: GrantState, record: SessionRecord) -> SessionRecord | None:
    """Return the record to write over the store's, or None if that is the newest."""
    known = state.known
    if not is_owned_by(record, known.app_id, known.app_host):
        raise ConfigurationError(
            "key",
            f"must be another one: the store has a session of the application {record.app_id} at {record.app_host} "
            "under it. Give each application a directory, a prefix or keys of its own",
        )
    if not state.was_stored:
        kind = relation(known.tokens, record)
        if kind == "replaced":
            raise state.end("replaced_by_new_sign_in")
        return replacing(record, known) if kind == "new" else None
    if is_same_grant(record, known):
        if not is_older(record, known):
            return None
    elif relation(record.tokens, known) != "replaced":
        raise state.end("replaced_by_new_sign_in")
    # The store was restored to an earlier state, or lacks a failed write.
    return evolve(known, generation=max(record.generation, known.generation) + 1)


def _check_refresh_token(state: GrantState, limits: Limits) -> _Part[bool]:
    """Check that there is a refresh token that may be sent; return False if the store was changed meanwhile."""
    reason: EndReason
    if state.known.tokens.refresh_token is None:
        reason, problem = "no_refresh_token", "There is no refresh token (scope offline_access)"
    elif state.lost() and not limits.resends:
        reason, problem = "lost_answer", "The answer to a refresh was lost, and the refresh token is not sent again"
    else:
        return True
    if state.latest.is_valid():
        state.delay()
        raise RefreshUnavailableError(problem, outcome_unknown=state.lost() > 0, attempts=state.attempts)
    if (yield from _remove(state)):
        raise state.end(reason)
    return False


def _refresh(state: GrantState, leeway: float, limits: Limits) -> _Part[TokenSet | None]:
    """Refresh the tokens; return the new ones, or None if the store was changed meanwhile."""
    until = state.clock.monotonic() + limits.seconds
    number = 0
    while True:
        number += 1
        try:
            return (yield from _exchange(state, limits))
        except StoreError:
            raise  # before anything was sent
        except InvalidGrantError as error:
            reason: EndReason = "lost_answer" if state.lost() else "revoked"
            if (yield from _remove(state)):
                raise state.end(reason) from error
            return None
        except GenAuthError as error:
            failure = error
        state.attempts += 1
        is_lost = not is_unused(failure)
        status = getattr(failure, "http_status", getattr(failure, "status_code", None))
        retry_after: float | None = getattr(failure, "retry_after", None)
        if is_lost and status != HTTPStatus.TOO_MANY_REQUESTS:
            may_resend = limits.resends and number == 1 and state.is_due(leeway)
            wait = retry_after or 0.0 if may_resend else None
        else:
            outcome = Outcome(sent=getattr(failure, "sent", True), status=status, retry_after=retry_after)
            wait = wait_before_retry(limits.retry, Idempotency.UNSAFE, number, outcome, limits.draw)
        if wait is None or (wait and state.is_valid()) or state.clock.monotonic() + wait >= until:
            break
        if wait:
            yield Wait(wait)
    if not (yield from _end_attempt(state)):
        return None
    state.delay(retry_after, bars=is_lost or retry_after is not None)
    raise RefreshUnavailableError(
        f"The access token could not be refreshed: {failure}",
        outcome_unknown=is_lost,
        retry_after=state.pause() if state.is_barred else None,
        attempts=state.attempts,
    ) from failure


def _exchange(state: GrantState, limits: Limits) -> _Part[TokenSet | None]:
    """Connect, store the attempt, send the refresh token."""
    yield Do.CONNECT
    attempt = state.begin_attempt(limits)
    marked = evolve(state.known, generation=state.known.generation + 1, attempt=attempt)
    if not (yield from _write(state, marked)) or state.is_over(attempt):
        return None
    state.set_outcome(lost=True)
    try:
        answer = yield Do.SEND
    except GenAuthError as error:
        state.set_outcome(lost=not is_unused(error))
        raise
    return merge_refresh(state.known.tokens, answer, state.clock.wall())


def _end_attempt(state: GrantState) -> _Part[bool]:
    """Store that this process's attempt is over, so that others do not wait; return False if the store was changed."""
    known, attempt = state.known, state.known.attempt
    if attempt is None or not state.is_own(attempt) or not attempt.seconds:
        return True
    lost = state.lost()
    ended = evolve(attempt, seconds=0.0, lost=lost) if lost else None
    with suppress(StoreError):  # the others wait
        return (yield from _write(state, evolve(known, generation=known.generation + 1, attempt=ended)))
    return True


def _write(state: GrantState, record: SessionRecord) -> _Part[bool]:
    """Write a record over the known one; return False if the store was changed meanwhile."""
    if not (yield Write(record, state.known.generation)):
        return False
    state.learn(record, is_stored=True)
    return True


def _store(state: GrantState, tokens: TokenSet) -> _Part[bool]:
    """Store new tokens; return False if the store was changed meanwhile."""
    old = state.known
    record = evolve(
        old, tokens=tokens, generation=old.generation + 1, attempt=None, predecessors=predecessors_of(old, tokens)
    )
    state.learn(record, is_stored=False, is_refreshed=True)
    try:
        state.is_stored = yield Write(record, old.generation)
    except StoreError:
        return True  # a later turn stores them
    return state.is_stored


def _remove(state: GrantState) -> _Part[bool]:
    """Remove the record of a session that ends; return False if another process has stored newer tokens."""
    try:
        while True:
            record = yield Do.READ
            if record is None:
                raise state.end("logged_out")
            if not is_same_grant(record, state.known):
                raise state.end("replaced_by_new_sign_in")
            if record.tokens != state.known.tokens and not is_older(record, state.known):
                state.learn(record, is_stored=True)
                return False
            if (yield Remove(record.generation)):
                return True
    except StoreError:
        return True  # the session ends in any case


def log_out(state: GrantState) -> Turn:
    """End the session, remove its record, and revoke its newest tokens.

    Raises:
        OAuthError, TransportError, InvalidResponseError: the revocation failed.
        StoreError: the removal failed.
    """
    if state.ended == "replaced_by_new_sign_in":
        yield Revoke(state.known.tokens)
    if state.ended is not None:
        return
    state.end("logged_out")
    failure: Exception | None = None
    try:
        while (record := (yield Do.READ)) is not None:
            if not (
                is_owned_by(record, state.known.app_id, state.known.app_host) and is_same_grant(record, state.known)
            ):
                break  # another sign-in stays
            if not is_older(record, state.known):
                state.learn(record, is_stored=True)
            if (yield Remove(record.generation)):
                break
        else:
            if state.was_stored and state.is_stored:
                return  # another process has logged out
    except Exception as error:  # noqa: BLE001 - a store may raise anything; the tokens are revoked first
        failure = error
    yield Revoke(state.known.tokens)
    if failure is not None:
        raise failure


def expired(reason: EndReason) -> SessionExpiredError:
    """Return the error of a session that has ended."""
    return SessionExpiredError(f"The session has ended: {_ENDINGS[reason]}", reason)
