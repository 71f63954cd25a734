"""Processes that are killed, or stand still, at each step of a refresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen

from tests.faults.cases import BACKENDS, DUE, KINDS, Case, Happened, Kind
from tests.faults.outcomes import ENDED, LOCKED, MARKED, NEW, PRESENT, Outcome
from tests.faults.scene import FileGate, Gate, Scene
from tests.faults.worker import StopAt
from tests.faults.workers import Worker

# What the interpreter says of a record that is written: the new file is made, it gets the record's name, and the
# directory is opened to be synchronised.
_MADE, _RENAMED, _SYNCED = "tempfile.mkstemp", "os.rename", "open"
_MARK, _TOKENS = 1, 2
_LOCK_SECONDS: Final = 0.4


@frozen
class Step:
    """A step of a refresh at which the process is stopped.

    Attributes:
        text: for the reader.
        stop: has the worker stop there.
        mark_is_stored: whether others find the mark of a refresh that was sent.
        tokens_are_stored: whether others find the new tokens.
        sent: how many refreshes were sent.
        is_on_its_way: whether it is a message to the store that stands still.
    """

    text: str
    store: Kind
    stop: Callable[[Scene, Worker], Gate]
    mark_is_stored: bool = True
    tokens_are_stored: bool = False
    sent: int = 1
    is_on_its_way: bool = False

    @property
    def backends(self) -> tuple[str, ...]:
        """The blocking client runs the same code on an event loop of its own: two steps of it are enough."""
        return (*BACKENDS, "sync") if self.text in {_UNANSWERED, _UNSTORED} else BACKENDS

    @property
    def found(self) -> Outcome:
        """The outcome for a process that has the lock while the other one is stopped here."""
        return MARKED if self.mark_is_stored and not self.tokens_are_stored else NEW


def _file(event: str, write: int) -> Callable[[Scene, Worker], Gate]:
    def stop(_: Scene, worker: Worker) -> Gate:
        worker.send(StopAt(event, write))
        return FileGate(worker)

    return stop


def _redis(write: int, *, on_its_way_back: bool = False) -> Callable[[Scene, Worker], Gate]:
    return lambda scene, _: scene.proxy.gate(write, on_its_way_back=on_its_way_back)


def _server(*, after: bool = False) -> Callable[[Scene, Worker], Gate]:
    return lambda scene, _: scene.hold(after=after)


_UNMARKED, _UNSENT = "before the mark is stored", "the mark is stored, nothing is sent"
_UNPROCESSED, _UNANSWERED = "sent, not processed", "processed, not answered"
_UNSTORED, _STORED = "answered, the tokens not stored", "the tokens are stored, but not yet returned"

STEPS: Final = (
    Step(_UNMARKED, "file", _file(_MADE, _MARK), mark_is_stored=False, sent=0),
    Step(_UNMARKED, "redis", _redis(_MARK), mark_is_stored=False, sent=0, is_on_its_way=True),
    Step("the mark is half stored", "file", _file(_RENAMED, _MARK), mark_is_stored=False, sent=0),
    Step(_UNSENT, "file", _file(_SYNCED, _MARK), sent=0),
    Step(_UNSENT, "redis", _redis(_MARK, on_its_way_back=True), sent=0),
    Step(_UNPROCESSED, "file", _server()),
    Step(_UNPROCESSED, "redis", _server()),
    Step(_UNANSWERED, "file", _server(after=True)),
    Step(_UNANSWERED, "redis", _server(after=True)),
    Step(_UNSTORED, "file", _file(_MADE, _TOKENS)),
    Step(_UNSTORED, "redis", _redis(_TOKENS), is_on_its_way=True),
    Step("the tokens are half stored", "file", _file(_RENAMED, _TOKENS)),
    Step(_STORED, "file", _file(_SYNCED, _TOKENS), tokens_are_stored=True),
    Step(_STORED, "redis", _redis(_TOKENS, on_its_way_back=True), tokens_are_stored=True),
)


def cases() -> Iterator[Case]:
    """Each step, killed and standing still."""
    for step in STEPS:
        yield Case(
            fault=f"killed: {step.text}",
            store=step.store,
            script=_killed(step),
            first="killed",
            other=step.found,
            later=step.found,
            requests=step.sent + (not step.mark_is_stored),
            backends=step.backends,
        )
    for step in STEPS:
        # A process that stands still keeps the lock of a FileStore, and loses that of a RedisStore. Fresh tokens are
        # read without a lock.
        yield Case(
            fault=f"stands still: {step.text}",
            store=step.store,
            script=_standing_still(step),
            first=NEW,
            other=LOCKED if step.store == "file" and not step.tokens_are_stored else step.found,
            later=NEW,
            requests=1,
            # A lock that is kept is the same whichever event loop keeps it.
            backends=BACKENDS[:1] if step.store == "file" else step.backends,
        )
    for step in (step for step in STEPS if step.is_on_its_way):
        yield Case(
            fault=f"killed: {step.text}; the write arrives late",
            store=step.store,
            script=_killed(step, arrives_late=True),
            first="killed",
            other=step.found,
            later=NEW,
            requests=1,
        )
    for store in KINDS:
        yield Case(
            fault=f"killed: {_UNANSWERED}; the present token is valid",
            store=store,
            script=_killed(_step(_UNANSWERED, store)),
            first="killed",
            other=PRESENT,
            later=PRESENT,
            requests=1,
            token_age=DUE,
        )
    for store in KINDS:
        yield Case(
            fault="killed before anything is sent; then `refresh(resend=True)`",
            store=store,
            script=_killed(_step(_UNSENT, store), then="resend"),
            first="killed",
            other=MARKED,
            later=NEW,
            requests=1,
        )
        yield Case(
            fault="killed when the answer is under way; then `refresh(resend=True)`",
            store=store,
            script=_killed(_step(_UNANSWERED, store), then="resend"),
            first="killed",
            other=MARKED,
            later=ENDED,
            requests=2,
            grant="revoked for reuse",
        )


def _step(text: str, store: Kind) -> Step:
    return next(step for step in STEPS if step.text == text and step.store == store)


def _stopped(scene: Scene, step: Step) -> tuple[Worker, Gate]:
    if step.store == "redis":
        scene.options |= {"lock_seconds": _LOCK_SECONDS}
    worker = scene.start()
    gate = step.stop(scene, worker)
    worker.send("ask")
    gate.wait()
    return worker, gate


def _killed(step: Step, *, arrives_late: bool = False, then: str = "ask") -> Callable[[Scene], Happened]:
    def script(scene: Scene) -> Happened:
        worker, gate = _stopped(scene, step)
        worker.kill()
        other = scene.start()
        at_once = other.ask()
        if arrives_late:
            gate.release()
        else:
            gate.lose()
        return Happened(None, at_once, other.ask(then))

    return script


def _standing_still(step: Step) -> Callable[[Scene], Happened]:
    def script(scene: Scene) -> Happened:
        worker, gate = _stopped(scene, step)
        worker.pause()
        impatient = {"lock_timeout": 0.2} if step.store == "file" else {}
        meanwhile = scene.start(options=impatient).ask()
        worker.resume()
        gate.release()
        return Happened(worker.answer(), meanwhile, scene.start().ask())

    return script
