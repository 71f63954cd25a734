"""The pure function that changes the state of a grant.

`turn` brings the state in step with its store and refreshes its tokens; `log_out` ends it. Both are generators without
I/O: they yield effects, which the driver carries out, and which a test answers in any order and with any fault. Neither
relies on the store's lock: `compare_and_set` and the attempt in the record decide.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

from attrs import evolve, frozen

from .._http.retry import Outcome, wait_before_retry
from .._wire.request import Idempotency
from ..errors import ConfigurationError, GenAuthError, InvalidGrantError, RefreshUnavailableError, StoreError
from ..errors._sessions import EndReason
from ..models.tokens import OIDCTokenResponse, TokenSet
from ..settings import RetryPolicy
from ..stores import SessionRecord
from .id_tokens import is_of_another_user
from .identity import is_older, is_owned_by, is_same_grant, predecessors_of, relation, replacing
from .state import GrantState
from .token_sets import is_unused, merge_refresh

# Seconds between two looks at another process's attempt.
_LOOK_SECONDS: Final = 0.25


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
            tokens = yield from _merge(state, (yield from _refresh(state, leeway, limits)))
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


def _refresh(state: GrantState, leeway: float, limits: Limits) -> _Part[OIDCTokenResponse | None]:
    """Refresh the tokens; return the answer, or None if the store was changed meanwhile."""
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
        status = getattr(failure, "status_code", getattr(failure, "http_status", None))
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


def _exchange(state: GrantState, limits: Limits) -> _Part[OIDCTokenResponse | None]:
    """Connect, store the attempt, send the refresh token; return the answer, or None if the store was changed."""
    yield Do.CONNECT
    attempt = state.begin_attempt(limits.new_id(), limits.seconds)
    marked = evolve(state.known, generation=state.known.generation + 1, attempt=attempt)
    if not (yield from _write(state, marked)) or state.is_over(attempt):
        return None
    state.set_outcome(lost=True)
    try:
        answer: OIDCTokenResponse = yield Do.SEND
    except GenAuthError as error:
        state.set_outcome(lost=not is_unused(error))
        raise
    return answer


def _merge(state: GrantState, answer: OIDCTokenResponse | None) -> _Part[TokenSet | None]:
    """Merge the answer into the old tokens; return None if there is none, or the store was changed meanwhile."""
    if answer is None:
        return None
    old = state.known.tokens
    new = merge_refresh(old, answer, state.clock.wall())
    if not is_of_another_user(old.id_token, answer.id_token):
        return new
    with suppress(GenAuthError):
        yield Revoke(new)
    if (yield from _remove(state)):
        raise state.end("identity_changed")
    return None


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
        ResponseError, TransportError: the revocation failed.
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
