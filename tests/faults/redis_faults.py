"""Faults of Redis during a refresh: it is restarted, frozen, gone, or has lost its data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from tests.faults.cases import BACKENDS, DUE, Case, Happened
from tests.faults.outcomes import DOWN, EMPTY, GONE, LOST, NEW, PRESENT
from tests.faults.scene import LONG, Scene
from tests.faults.worker import Answer
from tests.faults.workers import Worker

_KEEPS: Final = {"appendonly": "yes", "appendfsync": "always"}
_FORGETS: Final[dict[str, str]] = {}
_MARK, _TOKENS = 1, 2
_TIMEOUT: Final = 0.6
_SHORT: Final = 1.2

_case = partial(Case, store="redis", redis_options=_KEEPS, requests=1)


def cases() -> Iterator[Case]:
    """During a refresh, and before one."""
    yield _case(
        fault="Redis is restarted during the refresh",
        script=_restarted,
        first=NEW,
        other=NEW,
        later=NEW,
    )
    yield _case(
        fault="Redis is restarted during the refresh, and has lost its data",
        script=_restarted,
        redis_options=_FORGETS,
        first=GONE,
        other=EMPTY,
        later=EMPTY,
        grant="revoked",
    )
    yield _case(
        fault="Redis is restarted after the refresh, and has lost its data",
        script=_forgot,
        redis_options=_FORGETS,
        first=NEW,
        other=EMPTY,
        later=GONE,
    )
    yield _case(
        fault="Redis hangs at the write of the tokens, longer than the lock lives, shorter than `timeout`",
        script=_frozen_shortly,
        first=NEW,
        other=NEW,
        later=NEW,
    )
    yield _case(
        fault="Redis hangs at the write of the attempt, longer than `timeout`",
        script=_frozen(_MARK),
        first=DOWN,
        other=DOWN,
        later=NEW,
    )
    yield _case(
        fault="Redis hangs at the write of the tokens, longer than `timeout`",
        script=_frozen(_TOKENS),
        first=NEW,
        other=DOWN,
        later=NEW,
    )
    yield _case(
        fault="Redis is down during the refresh, and comes back; the same process asks",
        script=_gone_meanwhile(by_other=False),
        first=NEW,
        other=DOWN,
        later=NEW,
    )
    yield _case(
        fault="Redis is down during the refresh, and comes back; another process asks",
        script=_gone_meanwhile(by_other=True),
        first=NEW,
        other=DOWN,
        later=NEW,
    )
    lost = partial(
        _case,
        fault="Redis is down during the refresh, and comes back when the process has ended, too",
        script=_gone_with_process,
        first=NEW,
        other=DOWN,
        requests=2,
        backends=BACKENDS[:1],
    )
    yield lost(later=LOST, grant="revoked for reuse", server="reuse ends the grant")
    yield lost(later=NEW, server="grace window")
    yield _case(
        fault="Redis is down while the token is fresh, and comes back",
        script=_gone_while_fresh,
        first=NEW,
        other=DOWN,
        later=NEW,
    )
    yield _case(
        fault="Redis is down while the token is valid and due for a refresh, and comes back",
        script=_gone_while_valid,
        first=PRESENT,
        other=DOWN,
        later=NEW,
    )
    yield _case(
        fault="Redis is down when the token has expired, and comes back",
        script=_gone_when_expired,
        first=DOWN,
        other=DOWN,
        later=NEW,
    )


def _restarted(scene: Scene) -> Happened:
    gate = scene.hold()
    worker = scene.start()
    worker.send("ask")
    gate.wait()
    scene.redis.restart()
    gate.release()
    first, other = worker.answer(), scene.start()
    return Happened(first, other.ask(), other.ask())


def _forgot(scene: Scene) -> Happened:
    worker = scene.start()
    worker.ask()
    scene.redis.restart()
    return Happened(worker.ask(), scene.start().ask(), worker.ask("refresh"))


def _frozen_shortly(scene: Scene) -> Happened:
    scene.options |= {"lock_seconds": 0.2}
    gate = scene.proxy.gate(_TOKENS)
    worker = scene.start()
    worker.send("ask")
    gate.wait()
    scene.redis.freeze()
    gate.let_go()
    time.sleep(0.3)
    scene.redis.thaw()
    first, other = worker.answer(), scene.start()
    return Happened(first, other.ask(), other.ask())


def _frozen(write: int) -> Callable[[Scene], Happened]:
    def script(scene: Scene) -> Happened:
        scene.options |= {"timeout": _TIMEOUT, "lock_seconds": _TIMEOUT}
        gate = scene.proxy.gate(write)
        worker, other = scene.start(), scene.start()
        worker.send("ask")
        gate.wait()
        scene.redis.freeze()
        gate.let_go()
        other.send("ask")
        first, meanwhile = worker.answer(), other.answer()
        scene.redis.thaw()
        gate.release()
        return Happened(first, meanwhile, worker.ask())

    return script


def _gone_meanwhile(*, by_other: bool) -> Callable[[Scene], Happened]:
    def script(scene: Scene) -> Happened:
        worker, other, first, meanwhile = _gone(scene, LONG)
        scene.redis.start()
        return Happened(first, meanwhile, (other if by_other else worker).ask())

    return script


def _gone_with_process(scene: Scene) -> Happened:
    worker, other, first, meanwhile = _gone(scene, _SHORT)
    worker.kill()
    scene.redis.start()
    return Happened(first, meanwhile, other.ask())


def _gone(scene: Scene, refresh_timeout: float) -> tuple[Worker, Worker, Answer, Answer]:
    # Redis has the lock on its disk, and cannot be told that it is over.
    scene.options |= {"lock_seconds": _TIMEOUT}
    gate = scene.hold()
    worker, other = scene.start(refresh_timeout=refresh_timeout), scene.start()
    worker.send("ask")
    gate.wait()
    scene.redis.stop()
    gate.release()
    return worker, other, worker.answer(), other.ask()


def _gone_while_fresh(scene: Scene) -> Happened:
    worker, other = scene.start(), scene.start()
    worker.ask()
    scene.redis.stop()
    first, meanwhile = worker.ask(), other.ask()
    scene.redis.start()
    return Happened(first, meanwhile, other.ask())


def _gone_while_valid(scene: Scene) -> Happened:
    worker = scene.start(scene.tokens_aged(DUE))
    other = scene.start()
    scene.redis.stop()
    first, meanwhile = worker.ask(), other.ask()
    scene.redis.start()
    return Happened(first, meanwhile, other.ask())


def _gone_when_expired(scene: Scene) -> Happened:
    worker, other = scene.start(), scene.start()
    scene.redis.stop()
    first, meanwhile = worker.ask(), other.ask()
    scene.redis.start()
    return Happened(first, meanwhile, worker.ask())
