"""Many processes, and those that are replaced while they refresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tests.faults.cases import BACKENDS, KINDS, Case, Happened
from tests.faults.outcomes import EMPTY, GONE, NEW, REPLACED
from tests.faults.scene import LONG, Scene
from tests.faults.worker import Answer
from tests.faults.workers import Worker

_MANY: Final = 8
_FEW: Final = 4
_REPLACED: Final = 4
_SHORT: Final = 1.2
_FACES: Final = (*BACKENDS, "sync")


def cases() -> Iterator[Case]:
    """A crowd, and a rolling restart."""
    for store in KINDS:
        yield Case(
            fault=f"{_MANY} processes find the token expired at once",
            store=store,
            script=_at_once,
            first=NEW,
            other=NEW,
            later=NEW,
            requests=1,
            backends=_FACES,
        )
        yield Case(
            fault=f"the refreshing one of {_FEW} processes is killed while the others wait",
            store=store,
            script=_killed_before_waiting_ones,
            first="killed",
            other=NEW,
            later=NEW,
            requests=2,
            backends=BACKENDS[:1] if store == "file" else _FACES[1:],
            server="grace window",
        )
        yield Case(
            fault=f"{_REPLACED} workers in turn get SIGTERM during a refresh, and are replaced",
            store=store,
            script=_rolling_restart,
            first="ends by itself",
            other=NEW,
            later=NEW,
            requests=2 * _REPLACED,
            backends=_FACES,
        )
        yield Case(
            fault="another process stores another sign-in under the key during the refresh",
            store=store,
            script=_meanwhile(Scene.sign_in_again),
            first=REPLACED,
            other=NEW,
            later=REPLACED,
            requests=1,
        )
        yield Case(
            fault="another process logs out during the refresh",
            store=store,
            script=_meanwhile(Scene.log_out),
            first=GONE,
            other=EMPTY,
            later=GONE,
            requests=1,
            grant="revoked",
        )


def _meanwhile(act: Callable[[Scene], None]) -> Callable[[Scene], Happened]:
    def script(scene: Scene) -> Happened:
        gate = scene.hold()
        worker = scene.start()
        worker.send("ask")
        gate.wait()
        act(scene)
        gate.release()
        return Happened(worker.answer(), scene.start().ask(), worker.ask())

    return script


def _killed_before_waiting_ones(scene: Scene) -> Happened:
    scene.options |= {"lock_seconds": 0.4} if scene.is_redis else {}
    gate = scene.hold(after=True)
    worker, *others = [scene.start(refresh_timeout=seconds) for seconds in (_SHORT, *(_FEW - 1) * [LONG])]
    worker.send("ask")
    gate.wait()
    for other in others:
        other.send("ask")
    worker.kill()
    answers = [other.answer() for other in others]
    assert len({answer.token for answer in answers}) == 1
    gate.release()
    return Happened(None, answers[0], others[0].ask())


def _at_once(scene: Scene) -> Happened:
    workers = [scene.start() for _ in range(_MANY)]
    for worker in workers:
        worker.send("ask")
    answers = [worker.answer() for worker in workers]
    assert len({answer.token for answer in answers}) == 1
    return Happened(answers[0], answers[1], workers[0].ask())


def _rolling_restart(scene: Scene) -> Happened:
    workers, given = [scene.start()], list[Answer]()
    for _ in range(_REPLACED):
        workers.append(_replaced(scene, workers[-1]))
        given.append(workers[-1].ask("refresh"))
    assert len({answer.token for answer in given}) == _REPLACED
    return Happened(None, given[0], workers[-1].ask())


def _replaced(scene: Scene, worker: Worker) -> Worker:
    """Return the successor of a worker that is told to end while its refresh is under way."""
    gate = scene.hold()
    worker.send("refresh")
    gate.wait()
    worker.terminate()
    successor = scene.start()
    gate.release()
    assert worker.ended() == 0
    return successor
