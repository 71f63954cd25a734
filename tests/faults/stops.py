"""Processes that are killed, or stand still, at each step of a refresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from attrs import frozen

from tests.faults.cases import BACKENDS, DUE, KINDS, Case, Happened, Kind
from tests.faults.outcomes import EMPTY, GONE, LOCKED, LOST, NEW, PRESENT
from tests.faults.scene import LONG, FileGate, Gate, Scene
from tests.faults.worker import StopAt
from tests.faults.workers import Worker

# What the interpreter says of a record that is written: the new file is made, it gets the record's name, and the
# directory is opened to be synchronised.
_MADE, _RENAMED, _SYNCED = "tempfile.mkstemp", "os.rename", "open"
_MARK, _TOKENS = 1, 2
_LOCK_SECONDS: Final = 0.4
# Others wait that long for the attempt of a process that is stopped.
_SHORT: Final = 1.2
_REUSE_ENDS: Final = "reuse ends the grant"
_GRACE: Final = "grace window"


@frozen
class Step:
    """A step of a refresh at which the process is stopped.

    Attributes:
        text: for the reader.
        stop: has the worker stop there.
        attempt_is_stored: whether others find its attempt.
        tokens_are_stored: whether others find the new tokens.
        is_processed: whether the server has used the refresh token.
        sent: how many refreshes were sent.
        is_on_its_way: whether it is a message to the store that stands still.
        is_at_server: whether it is the request, or its answer, that stands still.
    """

    text: str
    store: Kind
    stop: Callable[[Scene, Worker], Gate]
    attempt_is_stored: bool = True
    tokens_are_stored: bool = False
    is_processed: bool = False
    sent: int = 1
    is_on_its_way: bool = False
    is_at_server: bool = False

    @property
    def backends(self) -> tuple[str, ...]:
        """Those that wait take long: most are tried on one event loop."""
        if self.text == _UNANSWERED:
            return (*BACKENDS, "sync")
        return BACKENDS if not self.attempt_is_stored or self.tokens_are_stored else BACKENDS[:1]

    @property
    def is_lost(self) -> bool:
        """Return True if the refresh token is used, and the new tokens are known to the stopped process at most."""
        return self.is_processed and not self.tokens_are_stored

    @property
    def requests(self) -> int:
        """Return the number of refreshes that are sent in all if another process wants the tokens, too."""
        return self.sent + (not self.tokens_are_stored)


def _file(event: str, write: int) -> Callable[[Scene, Worker], Gate]:
    def stop(_: Scene, worker: Worker) -> Gate:
        worker.send(StopAt(event, write))
        return FileGate(worker)

    return stop


def _redis(write: int, *, on_its_way_back: bool = False) -> Callable[[Scene, Worker], Gate]:
    return lambda scene, _: scene.proxy.gate(write, on_its_way_back=on_its_way_back)


def _server(*, after: bool = False) -> Callable[[Scene, Worker], Gate]:
    return lambda scene, _: scene.hold(after=after, drop=not after)


_UNMARKED, _UNSENT = "before the attempt is stored", "the attempt is stored, nothing is sent"
_UNPROCESSED, _UNANSWERED = "sent, not processed", "processed, not answered"
_UNSTORED, _STORED = "answered, the tokens not stored", "the tokens are stored, but not yet returned"

_unmarked = partial(Step, attempt_is_stored=False, sent=0)
_unsent = partial(Step, _UNSENT, sent=0)
_at_server = partial(Step, is_at_server=True)
_processed = partial(Step, is_processed=True)

STEPS: Final = (
    _unmarked(_UNMARKED, "file", _file(_MADE, _MARK)),
    _unmarked(_UNMARKED, "redis", _redis(_MARK), is_on_its_way=True),
    _unmarked("the attempt is half stored", "file", _file(_RENAMED, _MARK)),
    _unsent("file", _file(_SYNCED, _MARK)),
    _unsent("redis", _redis(_MARK, on_its_way_back=True)),
    *(_at_server(_UNPROCESSED, store, _server()) for store in KINDS),
    *(_at_server(_UNANSWERED, store, _server(after=True), is_processed=True) for store in KINDS),
    _processed(_UNSTORED, "file", _file(_MADE, _TOKENS)),
    _processed(_UNSTORED, "redis", _redis(_TOKENS), is_on_its_way=True),
    _processed("the tokens are half stored", "file", _file(_RENAMED, _TOKENS)),
    _processed(_STORED, "file", _file(_SYNCED, _TOKENS), tokens_are_stored=True),
    _processed(_STORED, "redis", _redis(_TOKENS, on_its_way_back=True), tokens_are_stored=True),
)


def cases() -> Iterator[Case]:
    """Yield each step, killed and standing still."""
    for step in STEPS:
        case = partial(
            Case, fault=f"killed: {step.text}", store=step.store, script=_killed(step), requests=step.requests
        )
        if step.is_lost:
            yield case(
                first="killed",
                other=LOST,
                later=LOST,
                grant="revoked for reuse",
                server=_REUSE_ENDS,
                backends=step.backends,
            )
            yield case(first="killed", other=NEW, later=NEW, server=_GRACE, backends=BACKENDS[:1])
        else:
            yield case(first="killed", other=NEW, later=NEW, backends=step.backends)
    for step in STEPS:
        if step.store == "file":
            yield from _locked(step)
        else:
            yield from _not_locked(step)
    for step in (step for step in STEPS if step.is_on_its_way):
        yield Case(
            fault=f"killed: {step.text}; the write arrives while another process waits",
            store=step.store,
            script=_arriving_late(step),
            first="killed",
            other=NEW,
            later=NEW,
            requests=1,
        )
    for store in KINDS:
        case = partial(Case, store=store, first="killed", backends=BACKENDS[:1])
        unanswered = _step(_UNANSWERED, store)
        yield case(
            fault=f"killed: {_UNANSWERED}; the present token is valid",
            script=_killed(unanswered, then="refresh"),
            other=PRESENT,
            later=NEW,
            requests=2,
            server=_GRACE,
            token_age=DUE,
        )
        yield case(
            fault=f"killed: {_UNANSWERED}; `resend_refresh_token=False`",
            script=_killed(unanswered, resends=False),
            other=LOST,
            later=LOST,
            requests=1,
        )


def _locked(step: Step) -> Iterator[Case]:
    """A process that stands still keeps the lock of a FileStore. Fresh tokens are read without a lock."""
    yield Case(
        fault=f"suspended: {step.text}",
        store=step.store,
        script=_standing_still(step),
        first=NEW,
        other=NEW if step.tokens_are_stored else LOCKED,
        later=NEW,
        requests=1 + (step.text == _UNPROCESSED),
        # A lock that is kept is the same whichever event loop keeps it.
        backends=BACKENDS[:1],
    )


def _not_locked(step: Step) -> Iterator[Case]:
    """It loses the lock of a RedisStore; others wait for its attempt, as though it had been killed."""
    case = partial(
        Case,
        fault=f"suspended: {step.text}",
        store=step.store,
        script=_standing_still(step, refresh_timeout=_SHORT),
        requests=step.requests,
    )
    if not step.is_lost:
        yield case(first=NEW, other=NEW, later=NEW, backends=step.backends)
        return
    yield case(
        first=GONE,
        other=LOST,
        later=EMPTY,
        grant="revoked for reuse",
        server=_REUSE_ENDS,
        backends=step.backends,
    )
    yield case(first=NEW, other=NEW, later=NEW, server=_GRACE, backends=BACKENDS[:1])


def _step(text: str, store: Kind) -> Step:
    return next(step for step in STEPS if step.text == text and step.store == store)


def _stopped(scene: Scene, step: Step, refresh_timeout: float = LONG) -> tuple[Worker, Gate]:
    if step.store == "redis":
        scene.options |= {"lock_seconds": _LOCK_SECONDS}
    worker = scene.start(refresh_timeout=refresh_timeout)
    gate = step.stop(scene, worker)
    worker.send("ask")
    gate.wait()
    return worker, gate


def _killed(step: Step, *, resends: bool = True, then: str = "ask") -> Callable[[Scene], Happened]:
    def script(scene: Scene) -> Happened:
        scene.resends = resends
        worker, gate = _stopped(scene, step, _SHORT)
        worker.kill()
        other = scene.start()
        at_once = other.ask()
        gate.lose()
        return Happened(None, at_once, other.ask(then))

    return script


def _arriving_late(step: Step) -> Callable[[Scene], Happened]:
    def script(scene: Scene) -> Happened:
        # New tokens end the wait of the other process; an attempt begins it.
        worker, gate = _stopped(scene, step, LONG if step.is_processed else _SHORT)
        worker.kill()
        other = scene.start()
        other.send("ask")
        gate.release()
        return Happened(None, other.answer(), other.ask())

    return script


def _standing_still(step: Step, refresh_timeout: float = LONG) -> Callable[[Scene], Happened]:
    def script(scene: Scene) -> Happened:
        worker, gate = _stopped(scene, step, refresh_timeout)
        worker.pause()
        impatient = {"lock_timeout": 0.2} if step.store == "file" else {}
        meanwhile = scene.start(options=impatient).ask()
        worker.resume()
        # What comes from the server comes too late.
        first = worker.answer() if step.is_at_server and refresh_timeout == _SHORT else None
        gate.release()
        return Happened(first or worker.answer(), meanwhile, scene.start().ask())

    return script
