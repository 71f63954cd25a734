"""Faults of the server, or of the network before it, during a refresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.core.sessions import REFRESH
from tests.faults.cases import BACKENDS, DUE, KINDS, Case, Happened
from tests.faults.outcomes import EMPTY, LOST, NEW, PRESENT, REFUSED, UNANSWERED
from tests.faults.scene import Scene

_PAGE = {"body": "<html>Please wait</html>"}


def cases() -> Iterator[Case]:
    """Yield the cases of lost and of refused refreshes."""
    unprocessed = {
        "the connection breaks, nothing is processed": _with_fault(drop=True),
        "the server answers 500": _with_fault(status=500),
        "a gateway answers 502": _with_fault(status=502),
        "the server answers 503": _with_fault(status=503),
        "a gateway answers 504": _with_fault(status=504),
        "a gateway answers 200 with a page": _with_fault(status=200, **_PAGE),
        "a gateway answers 404 with a page": _with_fault(status=404, **_PAGE),
        "a gateway redirects to a page": _with_fault(status=302, headers={"location": "/sorry"}),
        "the server is restarted during the refresh": _restarted_meanwhile,
    }
    processed = {
        "the connection breaks, the refresh is processed": _with_fault(lose_reply=True),
        "half of the answer comes": _with_fault(truncate=True),
        "half of the answer comes as though it were all": _with_fault(truncate="json"),
    }
    for store in KINDS:
        # The event loop decides what carries the requests; that is tried with one store.
        case = partial(Case, store=store, backends=BACKENDS if store == "file" else BACKENDS[:1])
        for fault, script in unprocessed.items():
            yield case(fault=fault, script=script, first=NEW, other=NEW, later=NEW, requests=2)
        for fault, script in processed.items():
            yield case(
                fault=fault,
                script=script,
                first=LOST,
                other=EMPTY,
                later=LOST,
                requests=2,
                grant="revoked for reuse",
                server="reuse ends the grant",
            )
            yield case(fault=fault, script=script, first=NEW, other=NEW, later=NEW, requests=2, server="grace window")
        yield case(
            fault="the answer comes after `refresh_timeout`",
            script=_late,
            first=UNANSWERED,
            other=LOST,
            later=LOST,
            requests=2,
            grant="revoked for reuse",
            server="reuse ends the grant",
        )
        yield case(
            fault="the answer comes after `refresh_timeout`",
            script=_late,
            first=UNANSWERED,
            other=NEW,
            later=NEW,
            requests=2,
            server="grace window",
        )
        yield case(
            fault="the server answers 500, twice",
            script=_with_fault(status=500, times=2),
            first=UNANSWERED,
            other=NEW,
            later=NEW,
            requests=3,
        )
        yield case(
            fault="the server answers 500, twice; the present token is valid",
            script=_failing_while_valid,
            first=PRESENT,
            other=NEW,
            later=NEW,
            requests=3,
            token_age=DUE,
        )
        yield case(
            fault="the server answers 429, with a Retry-After beyond `refresh_timeout`",
            script=_with_fault(status=429, retry_after=60, body={"error": "slow_down"}),
            first=REFUSED,
            other=NEW,
            later=NEW,
            requests=2,
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


def _failing_while_valid(scene: Scene) -> Happened:
    scene.emulator.faults.add(REFRESH, status=500, times=2)
    first, other = scene.start().ask(), scene.start()
    return Happened(first, other.ask("refresh"), other.ask())


def _late(scene: Scene) -> Happened:
    gate = scene.hold(after=True)
    first, other = scene.start(refresh_timeout=1.0).ask(), scene.start()
    at_once = other.ask()
    gate.release()
    return Happened(first, at_once, other.ask())


def _restarted_meanwhile(scene: Scene) -> Happened:
    gate = scene.hold(drop=True)
    worker = scene.start()
    worker.send("ask")
    gate.wait()
    worker.pause()
    scene.emulator.stop()
    scene.emulator.start()
    worker.resume()
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
