"""Faults of the server, or of the network before it, during a refresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.core.sessions import REFRESH
from tests.faults.cases import BACKENDS, DUE, KINDS, Case, Happened
from tests.faults.outcomes import MARKED, NEW, PRESENT, REFUSED, UNANSWERED
from tests.faults.scene import Scene


def cases() -> Iterator[Case]:
    """Yield the cases of lost and of refused refreshes."""
    lost = {
        "the connection breaks, nothing is processed": _with_fault(drop=True),
        "the connection breaks, the refresh is processed": _with_fault(lose_reply=True),
        "half of the answer comes": _with_fault(truncate=True),
        "half of the answer comes as though it were all": _with_fault(truncate="json"),
        "the server answers 500": _with_fault(status=500),
        "a gateway answers 502": _with_fault(status=502),
        "a gateway answers 504": _with_fault(status=504),
        "the answer comes after `refresh_timeout`": _late,
        "the server is restarted during the refresh": _restarted_meanwhile,
    }
    refused = {
        "the server answers 503": _with_fault(status=503),
        "the server answers 429, with a Retry-After beyond `refresh_timeout`": _with_fault(status=429, retry_after=60),
    }
    for store in KINDS:
        # The event loop decides what carries the requests; that is tried with one store.
        case = partial(Case, store=store, backends=BACKENDS if store == "file" else BACKENDS[:1])
        for fault, script in lost.items():
            yield case(fault=fault, script=script, first=UNANSWERED, other=MARKED, later=MARKED, requests=1)
        for fault, script in refused.items():
            yield case(fault=fault, script=script, first=REFUSED, other=NEW, later=NEW, requests=2)
        yield case(
            fault="the answer is lost; the present token is valid",
            script=_with_fault(lose_reply=True),
            first=PRESENT,
            other=PRESENT,
            later=PRESENT,
            requests=1,
            token_age=DUE,
        )
        yield case(
            fault="the server answers 503; the present token is valid",
            script=_refused_once,
            first=PRESENT,
            other=NEW,
            later=NEW,
            requests=2,
            token_age=DUE,
        )
        yield case(
            fault="the server is down, and comes back",
            script=_down,
            first=REFUSED,
            other=REFUSED,
            later=NEW,
            requests=1,
        )
        yield case(
            fault="the server is restarted between two refreshes",
            script=_restarted_between,
            first=NEW,
            other=NEW,
            later=NEW,
            requests=2,
        )


def _with_fault(**fault: Any) -> Callable[[Scene], Happened]:
    def script(scene: Scene) -> Happened:
        scene.emulator.faults.add(REFRESH, **fault)
        worker, other = scene.start(), scene.start()
        return Happened(worker.ask(), other.ask(), worker.ask())

    return script


def _refused_once(scene: Scene) -> Happened:
    scene.emulator.faults.add(REFRESH, status=503)
    first, other = scene.start().ask(), scene.start()
    return Happened(first, other.ask(), other.ask())


def _late(scene: Scene) -> Happened:
    scene.refresh_timeout = 1.0
    gate = scene.hold(after=True)
    worker = scene.start()
    first, at_once = worker.ask(), scene.start().ask()
    gate.release()
    return Happened(first, at_once, worker.ask())


def _restarted_meanwhile(scene: Scene) -> Happened:
    gate = scene.hold()
    worker = scene.start()
    worker.send("ask")
    gate.wait()
    scene.emulator.stop()
    scene.emulator.start()
    return Happened(worker.answer(), scene.start().ask(), worker.ask())


def _down(scene: Scene) -> Happened:
    worker, other = scene.start(), scene.start()
    scene.emulator.stop()
    first, meanwhile = worker.ask(), other.ask()
    scene.emulator.start()
    return Happened(first, meanwhile, worker.ask())


def _restarted_between(scene: Scene) -> Happened:
    worker, other = scene.start(), scene.start()
    first, at_once = worker.ask(), other.ask()
    scene.emulator.stop()
    scene.emulator.start()
    return Happened(first, at_once, worker.ask("refresh"))
