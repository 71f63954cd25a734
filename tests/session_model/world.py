"""A world for the states of grants: processes, one store, one server, and a choice wherever reality has one.

A lane is a caller with a session; the lanes of one process share its states. No lock holds anything up. A fault is a
choice, too. A run follows a list of choices to its end, where everything is up again, and checks the invariants.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Final, Literal, cast

from attrs import define, field, frozen

from genauth_async import Clock, OIDCTokenResponse, RetryPolicy, SessionRecord, TokenSet
from genauth_async._session.grants import Grant, Grants
from genauth_async._session.identity import first_record, is_same_grant
from genauth_async._session.turn import Do, Effect, Limits, Remove, Revoke, Turn, Wait, Write, log_out, turn
from genauth_async.errors import (
    ConnectionLostError,
    InvalidGrantError,
    RefreshUnavailableError,
    SessionExpiredError,
    StoreError,
)
from genauth_async.stores import TokenStore

Server = Literal["reuse revokes", "grace window", "same token"]
Action = Literal["sign in a", "sign in b", "refresh", "refused", "log out"]
Choose = Callable[[int, Callable[[], Hashable]], int]

SECONDS: Final = 1.0
LONG: Final = 1000.0
ROUNDS: Final = 4
RESENDS = True
_STORE: Final = cast("TokenStore", object())
_KEY: Final = "key"


FAULTS: Final = {
    "answer lost",
    "died, processed",
    "failed before",
    "died before",
    "died after",
    "suspended",
    "stood still after",
    "restored",
}
# Faults that cost nothing if there is no other process.
HARMLESS_ALONE: Final = {"failed before", "failed after", "restored"}


class Violation(AssertionError):  # noqa: N818 - the name of the thing
    """An invariant does not hold."""


@frozen
class Script:
    """The actions of each lane, whose name begins with that of its process; the server's kind; the number of faults."""

    lanes: dict[str, tuple[Action, ...]]
    server: Server = "reuse revokes"
    faults: int = 0
    restores: bool = False


@define(eq=False)
class Lane:
    """A caller that does one action after another with its session."""

    name: str
    actions: tuple[Action, ...]
    grant: Grant | None = None
    letter: str = ""
    turn: Turn | None = None
    effect: Effect | None = None
    outcomes: tuple[Hashable, ...] = ()
    wake_at: float = 0.0
    is_suspended: bool = False
    is_restored: bool = False  # the store was restored during this turn
    held: object = None  # the outcome of an effect before the process stood still
    sending: tuple[str, OIDCTokenResponse | None, float] | None = None

    def busy_with(self, grant: Grant | None) -> bool:
        return self.turn is not None and self.grant is grant


@define(eq=False, slots=False)
class World:
    """The world in one run."""

    script: Script
    choose: Choose
    now: float = 0.0
    stored: SessionRecord | None = None
    history: list[SessionRecord] = field(factory=list)
    newest: dict[str, int] = field(factory=lambda: {"a": 0, "b": 0})
    revoked: set[str] = field(factory=set)
    events: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self.faults = self.script.faults
        self._moving = ""
        self.clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now)
        self.lanes = [Lane(name, actions) for name, actions in self.script.lanes.items()]
        self.registries = {lane.name[0]: Grants() for lane in self.lanes}
        self.ids = {lane.name[0]: 0 for lane in self.lanes}

    # One step of the world after another.

    def run(self) -> None:
        """Run to the end, and check it."""
        while any(lane.turn or lane.actions for lane in self.lanes):
            ready = [lane for lane in self.lanes if self._is_ready(lane)]
            if not ready:
                self._let_time_pass()
                continue
            moves: list[Callable[[], None]] = [lambda lane=lane: self._move(lane) for lane in ready]  # type: ignore[misc]
            if self.faults:
                moves += [lambda lane=lane: self._suspend(lane) for lane in ready if lane.turn]  # type: ignore[misc]
                if self.script.restores:
                    earlier = [record for record in self.history[-3:] if record is not self.stored]
                    moves += [lambda record=record: self._restore(record) for record in earlier]  # type: ignore[misc]
            self._moving = ""
            moves[self._chosen(len(moves))]()
        self.faults = 0
        for lane in self.lanes:
            if lane.grant is not None:
                self._check_end(lane)

    def _chosen(self, number: int) -> int:
        return self.choose(number, self._described) if number > 1 else 0

    def _fault(self, *faults: str) -> str:
        """Return one of the faults, or "" for none, while there are faults left."""
        chosen = self._chosen(1 + len(faults)) if self.faults else 0
        if chosen:
            self.faults -= 1
            self.events.add(faults[chosen - 1])
        return ("", *faults)[chosen]

    def _is_ready(self, lane: Lane) -> bool:
        if lane.is_suspended or (isinstance(lane.effect, Wait) and self.now < lane.wake_at):
            return False
        if lane.turn is not None:
            return True
        others = [other for other in self.lanes if other is not lane and other.name[0] == lane.name[0]]
        return bool(lane.actions) and not any(lane.grant and other.busy_with(lane.grant) for other in others)

    def _let_time_pass(self) -> None:
        waiting = [lane.wake_at for lane in self.lanes if isinstance(lane.effect, Wait) and not lane.is_suspended]
        if waiting:
            self.now = min(waiting)
            return
        for lane in self.lanes:
            lane.is_suspended = False

    def _suspend(self, lane: Lane) -> None:
        """Let a process stand still in a turn until no other one can go on."""
        self.faults -= 1
        self.events.add("suspended")
        lane.is_suspended = True
        self.now += SECONDS / 2

    def _restore(self, record: SessionRecord) -> None:
        self.faults -= 1
        self.events.add("restored")
        self.stored = record
        for lane in self.lanes:
            lane.is_restored = lane.turn is not None

    # Actions.

    def _move(self, lane: Lane) -> None:
        self._moving = lane.name
        if lane.turn is None:
            self._begin(lane, lane.actions[0])
            lane.actions = lane.actions[1:]
        elif lane.held is not None:
            held, lane.held = lane.held, None
            self._advance(lane, held)
        elif lane.sending is not None:
            self._answer(lane, *lane.sending)
        else:
            assert lane.effect is not None
            self._carry_out(lane, lane.effect)

    def _begin(self, lane: Lane, action: Action) -> None:
        registry = self.registries[lane.name[0]]
        if action.startswith("sign in"):
            lane.letter = action[-1]
            self.events.add(action)
            first = first_record(self._tokens(lane.letter, 0), "app", "https://host", None)
            lane.grant = registry.sign_in(first, _STORE, _KEY, self.clock)
        elif lane.grant is None:
            lane.grant = registry.present(_STORE, _KEY)
            if lane.grant is None and (self.stored is None or self._fault("store failed")):
                return
            if lane.grant is None and self.stored is not None:
                lane.grant = registry.stored(self.stored, _STORE, _KEY, self.clock)
            assert lane.grant is not None
            lane.letter = lane.grant.state.known.tokens.access_token[0]
        if any(other.busy_with(lane.grant) for other in self.lanes):
            return  # the caller joins that turn
        if lane.grant.state.ended is None:
            self._start(lane, action)

    def _start(self, lane: Lane, action: Action) -> None:
        assert lane.grant is not None
        state = lane.grant.state
        state.retry_at = min(state.retry_at, self.now)
        if action == "log out":
            self.events.add(f"log out {lane.letter}")
            lane.turn = log_out(state)
        elif action == "refused":
            token = state.latest.tokens.access_token
            state.publish()
            state.reject(token, None)
            lane.turn = turn(state, "fresh", 0, self._limits(lane))
        elif action == "refresh":
            lane.turn = turn(state, "new", 0, self._limits(lane))
        else:
            lane.turn = turn(state, "stored", 0, self._limits(lane))
        lane.outcomes, lane.is_restored = (), False
        self._advance(lane, None)

    def _limits(self, lane: Lane) -> Limits:
        def new_id() -> str:
            self.ids[lane.name[0]] += 1
            return f"{lane.name[0]}{self.ids[lane.name[0]]}"

        policy = RetryPolicy(attempts=1)
        return Limits(seconds=SECONDS, retry=policy, resends=RESENDS, new_id=new_id, draw=lambda: 0.0)

    def _advance(self, lane: Lane, outcome: object) -> None:
        """Give a turn an outcome, and go on to its next effect that others can notice."""
        lane.outcomes += (_outcome_signature(outcome),)
        try:
            while True:
                assert lane.turn is not None
                lane.effect = lane.turn.throw(outcome) if isinstance(outcome, Exception) else lane.turn.send(outcome)
                outcome = None
                if isinstance(lane.effect, Wait):
                    lane.wake_at = self.now + lane.effect.seconds
                if lane.effect is Do.SEND:
                    self._send(lane)  # at once: the turn has just looked at the time
                    return
                if lane.effect not in (Do.LOCK, Do.CONNECT, Do.BORROW):
                    return
        except StopIteration:
            failure: Exception | None = None
        except (SessionExpiredError, RefreshUnavailableError) as error:
            failure = error
        lane.turn = lane.effect = None
        assert lane.grant is not None
        lane.grant.state.publish()
        self._check_given(lane)
        if self.stored is not None and lane.grant.state.ended == "logged_out" and len(self.lanes) == 1 and not failure:
            raise Violation("The record is there after a logout")
        if isinstance(failure, SessionExpiredError):
            self._check_reason(lane, failure)

    def _carry_out(self, lane: Lane, effect: Effect) -> None:
        outcome: object = None
        if effect is Do.READ:
            outcome = StoreError("down") if self._fault("store failed") else self.stored
        elif isinstance(effect, Revoke):
            self.revoked.add(effect.tokens.access_token[0])
            self.events.add(f"log out {effect.tokens.access_token[0]}")
        elif isinstance(effect, (Write, Remove)):
            fault = self._fault("failed before", "failed after", "died before", "died after", "stood still after")
            if not fault.endswith("before"):
                outcome = self._change(effect, lane)
            if fault.startswith("died"):
                self._die(lane.name[0])
                return
            if fault == "stood still after":
                lane.is_suspended, lane.held = True, outcome
                self.now += SECONDS / 2
                return
            if fault:
                outcome = StoreError("down")
        self._advance(lane, outcome)

    def _change(self, effect: Write | Remove, lane: Lane) -> bool:
        present = self.stored
        over = None if present is None else present.generation
        if isinstance(effect, Remove):
            if present is not None and effect.over != over:
                return False
            self.stored = None
            return True
        if effect.over != over:
            return False
        if present is not None and is_same_grant(present, effect.record) and not lane.is_restored:
            number, before = _number(effect.record), _number(present)
            # With one refresh token for ever, a restored store leaves no order; any of its access tokens will do.
            if number < before and not ("restored" in self.events and self.script.server == "same token"):
                raise Violation(f"The store went back from {before} to {number}")
        letters = [record.tokens.access_token[0] for record in (present, effect.record) if record]
        if len(set(letters)) > 1 and "restored" not in self.events:
            if f"{letters[1]} was replaced" in self.events:
                raise Violation(f"The earlier sign-in {letters[1]} is back")
            self.events.add(f"{letters[0]} was replaced")
        self.stored = effect.record
        self.history.append(effect.record)
        return True

    def _send(self, lane: Lane) -> None:
        assert lane.grant is not None
        token = lane.grant.state.known.tokens.refresh_token or ""
        for other in self.lanes:
            if other.sending and other.sending[0] == token and self.now < other.sending[2]:  # noqa: SIM102
                if not (lane.is_restored or other.is_restored):
                    raise Violation(f"{token} is under way twice")
        fault = self._fault("request lost", "died, not processed", "died, processed")
        answer = None if fault in {"request lost", "died, not processed"} else self._processed(token)
        if fault.startswith("died"):
            self._die(lane.name[0])
        else:
            lane.sending = token, answer, self.now + SECONDS

    def _processed(self, token: str) -> OIDCTokenResponse | None:
        """Process a refresh token at the server; return None for invalid_grant."""
        letter, number = token[0], int(token[1:])
        if self.script.server == "reuse revokes" and number != self.newest[letter]:
            self.revoked.add(letter)
        if letter in self.revoked:
            self.events.add(f"invalid {letter}")
            return None
        self.newest[letter] += 1
        return self._tokens(letter, self.newest[letter])

    def _answer(self, lane: Lane, token: str, answer: OIDCTokenResponse | None, until: float) -> None:
        lane.sending = None
        lost = "request lost" in self.events and answer is None and f"invalid {token[0]}" not in self.events
        if lost or self.now >= until or self._fault("answer lost"):
            self._advance(lane, ConnectionLostError("lost", sent=True))
        elif answer is None:
            self._advance(lane, InvalidGrantError("invalid_grant", None, http_status=400))
        else:
            self._advance(lane, answer)

    def _tokens(self, letter: str, number: int) -> TokenSet:
        refresh = f"{letter}0" if self.script.server == "same token" else f"{letter}{number}"
        return TokenSet(access_token=f"{letter}{number}", refresh_token=refresh, obtained_at=self.now)

    def _die(self, process: str) -> None:
        self.registries[process] = Grants()
        for lane in self.lanes:
            if lane.name[0] == process:
                lane.grant = lane.turn = lane.effect = lane.sending = None
                lane.is_suspended, lane.held = False, None

    # Invariants.

    def _check_given(self, lane: Lane) -> None:
        assert lane.grant is not None
        given = lane.grant.state.given
        if given is not None and given.tokens.access_token[0] != lane.letter:
            raise Violation(f"A session of {lane.letter} is given {given.tokens.access_token}")

    def _check_reason(self, lane: Lane, error: SessionExpiredError) -> None:
        letter, events = lane.letter, self.events
        other = "b" if letter == "a" else "a"
        faults = FAULTS if len(self.registries) > 1 else FAULTS - HARMLESS_ALONE
        is_refused = f"invalid {letter}" in events and bool(faults & events or f"log out {letter}" in events)
        legitimate = {
            # The record is gone as well when another process has removed that of a session that has ended.
            "logged_out": bool({"log out a", "log out b", "invalid a", "invalid b"} & events),
            "replaced_by_new_sign_in": f"sign in {other}" in events,
            "revoked": is_refused,
            "lost_answer": is_refused,
        }
        if not legitimate.get(error.reason, False):
            raise Violation(f"A session of {letter} ends: {error.reason}; {sorted(events)}")
        if error.reason in {"revoked", "lost_answer"} and self.script.server != "reuse revokes":  # noqa: SIM102
            if f"log out {letter}" not in events:
                raise Violation(f"A session of {letter} ends, although the server takes its tokens: {error.reason}")

    def _check_end(self, lane: Lane) -> None:
        """Check that a session works again, or has ended with a reason."""
        assert lane.grant is not None
        state = lane.grant.state
        for _ in range(ROUNDS):
            if state.ended is not None:
                return
            self.now += LONG
            before = state.refreshes
            self._start(lane, "refresh")
            while lane.turn is not None:
                if isinstance(lane.effect, Wait):
                    self.now = lane.wake_at
                self._move(lane)
            if state.refreshes != before and _number(state.known) == self.newest[lane.letter]:
                return
        if state.ended is None:
            raise Violation(f"A session of {lane.letter} is stuck; {sorted(self.events)}")

    # The description of a point, for runs that come to it again.

    def _described(self) -> Hashable:
        order = itertools.count()
        numbers: dict[int, int] = {}
        return (
            self._moving,
            self.now,
            _signature(self.stored),
            tuple(map(_signature, self.history[-3:])) if self.script.restores else (),
            tuple(self.newest.items()),
            frozenset(self.revoked),
            frozenset(self.events),
            self.faults,
            tuple(self.ids.values()),
            tuple(
                (
                    lane.actions,
                    lane.letter,
                    lane.outcomes if lane.turn else (),
                    lane.wake_at if isinstance(lane.effect, Wait) else 0,
                    lane.is_suspended,
                    lane.is_restored,
                    lane.held,
                    lane.sending and (lane.sending[0], lane.sending[1] is None, lane.sending[2]),
                    numbers.setdefault(id(lane.grant), next(order)),
                    _state_signature(lane.grant),
                )
                for lane in self.lanes
            ),
        )


def _number(record: SessionRecord) -> int:
    return int(record.tokens.access_token[1:])


def _signature(record: SessionRecord | None) -> Hashable:
    if record is None:
        return None
    return record.tokens.access_token, record.generation, record.attempt, record.predecessors, record.replaced


def _outcome_signature(outcome: object) -> Hashable:
    if isinstance(outcome, SessionRecord):
        return _signature(outcome)
    return outcome.access_token if isinstance(outcome, TokenSet) else repr(outcome)


def _state_signature(grant: Grant | None) -> Hashable:
    if grant is None:
        return None
    state = grant.state
    names = [name for name in state.__slots__ if name not in {"__weakref__", "clock", "known", "given", "latest"}]
    values: list[Any] = [getattr(state, name) for name in names]
    given = state.given and state.given.tokens.access_token
    return _signature(state.known), given, tuple(values)


def explore(script: Script, most: int | None = None) -> Iterator[tuple[tuple[int, ...], Violation | None]]:
    """Run a script with all choices; yield those of each run, and what it violates.

    Args:
        script: the script.
        most: stop after so many runs.
    """
    pending: list[tuple[int, ...]] = [()]
    met: set[Hashable] = set()
    for _ in itertools.count() if most is None else range(most):
        if not pending:
            return
        given = pending.pop()
        choose = _Choices(given, pending, met)
        violation: Violation | None = None
        try:
            World(script, choose).run()
        except Violation as found:
            violation = found
        except _MetError:
            pass
        yield tuple(choose.made), violation


class _Choices:
    """Makes the given choices, then the first one each time; the others are left for later runs."""

    def __init__(self, given: tuple[int, ...], pending: list[tuple[int, ...]], met: set[Hashable]) -> None:
        self._given = given
        self._pending = pending
        self._met = met
        self.made: list[int] = []

    def __call__(self, number: int, described: Callable[[], Hashable]) -> int:
        choice = 0
        if len(self.made) < len(self._given):
            choice = self._given[len(self.made)]
        else:
            point = hash(described())
            if point in self._met:
                raise _MetError
            self._met.add(point)
            self._pending.extend((*self.made, other) for other in range(1, number))
        self.made.append(choice)
        return choice


class _MetError(Exception):
    """The run has come to a point from which an earlier run has gone on."""
