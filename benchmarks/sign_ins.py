"""Sign-ins a second."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from statistics import median
from typing import Final

from .lab import Lab, ratio
from .processes import Worker

_SCHEMES: Final = ("http", "https")
_THREADS: Final = 50
_GROWTH_TURNS: Final = 3

_ASYNC: Final = {
    "genauth_async (aiohttp)": "async_clients:ours_over_aiohttp",
    "genauth_async (httpx)": "async_clients:ours_over_httpx",
    "httpx + httpx-aiohttp": "async_clients:httpx_over_aiohttp",
    "httpx.AsyncClient": "async_clients:httpx_client",
    "httpx2.AsyncClient": "async_clients:httpx2_client",
    "aiohttp": "async_clients:aiohttp_session",
}
_VENDOR: Final = "genauth 5.1.0"
_BLOCKING: Final = {
    "genauth_sync": "blocking_clients:ours",
    "httpx.Client": "blocking_clients:httpx_client",
    _VENDOR: "blocking_clients:vendor",
}
_OURS, _OURS_OVER_HTTPX, _BARE, _HTTPX = list(_ASYNC)[:4]


def concurrent(lab: Lab) -> None:
    """By tasks, 1, 50 and 500 at once; and by the vendor's package in threads."""
    names = {name: worker for name, worker in _ASYNC.items() if "httpx2" not in name or find_spec("httpx2")}
    workers = {name: lab.start(worker) for name, worker in names.items()}
    threads = lab.start(_BLOCKING[_VENDOR])
    for scheme in _SCHEMES:
        _one_at_a_time(lab, scheme, workers)
        for at_once in (50, 500):
            # httpx alone needs a second and more for each of 500.
            here = lab if at_once == 50 else lab.with_turns(4)  # noqa: PLR2004
            contestants = {name: (worker, at_once) for name, worker in workers.items()}
            in_threads = f"{_VENDOR}, {_THREADS} threads"
            found = _race(here, scheme, f"{at_once} at once", contestants | {in_threads: (threads, _THREADS)})
            for rival, bound in ((_BARE, 0.85), (_HTTPX, 4.0), (in_threads, 2.0)):
                reached = ratio(found[_OURS], found[rival])
                lab.judge(f"async sign-in, {scheme}, {at_once} at once / {rival}", reached, "at least", bound)


def sequential(lab: Lab) -> None:
    """Blocking, one after another."""
    workers = {name: (lab.start(worker), 1) for name, worker in _BLOCKING.items()}
    for scheme in _SCHEMES:
        found = _race(lab, scheme, "one after another", workers)
        vendors_bound = {"http": 1.5, "https": 30.0}[scheme]
        for rival, bound in (("httpx.Client", 0.8), (_VENDOR, vendors_bound)):
            reached = ratio(found["genauth_sync"], found[rival])
            lab.judge(f"sync sign-in, {scheme} / {rival}", reached, "at least", bound)


def encrypted(lab: Lab) -> None:
    """With the password encrypted by SM2 in C."""
    worker = lab.start("encryption:sign_ins_in_c")
    runners = {
        f"password encryption {kind}": partial(
            worker.measure, target=lab.target, encrypt_type=kind, at_once=lab.effort.of(50), seconds=lab.effort.seconds
        )
        for kind in ("none", "sm2")
    }
    found = lab.take_turns("SM2 in C, sign-ins, 50 at once", runners, "/s")
    reached = ratio(found["password encryption sm2"], found["password encryption none"])
    lab.judge("SM2 sign-in in C, 50 at once / plain", reached, "at least", 0.7)


def growing(lab: Lab) -> None:
    """More and more at once: what each then costs."""
    lab = lab.with_turns(_GROWTH_TURNS)
    worker = lab.start("async_clients:ours_over_aiohttp")
    costs: list[float] = []
    for at_once in (1, 10, 100, 1000):

        def cost(callers: int = lab.effort.of(at_once)) -> float:
            url, seconds = lab.target["http"], lab.effort.seconds
            return 1 / worker.measure(target=lab.target, url=url, at_once=callers, seconds=seconds)

        found = lab.take_turns(f"sign-in, {at_once} at once", {"genauth_async": cost}, "µs", 1e6)
        costs.append(median(found["genauth_async"]))
    lab.judge("growth: sign-in, 1,000 at once / 100 at once", costs[-1] / costs[-2], "at most", 1.5)


def _one_at_a_time(lab: Lab, scheme: str, workers: dict[str, Worker]) -> None:
    found = _race(lab, scheme, "one at a time", {name: (worker, 1) for name, worker in workers.items()})
    for ours, bare in ((_OURS, _BARE), (_OURS_OVER_HTTPX, _HTTPX)):
        reached = ratio(found[ours], found[bare])
        lab.judge(f"async sign-in, {scheme}, one at a time: {ours} / {bare}", reached, "at least", 0.9)


def _race(lab: Lab, scheme: str, how: str, contestants: dict[str, tuple[Worker, int]]) -> dict[str, list[float]]:
    common = {"target": lab.target, "url": lab.target[scheme], "seconds": lab.effort.seconds}
    runners = {
        name: partial(worker.measure, at_once=lab.effort.of(at_once), **common)
        for name, (worker, at_once) in contestants.items()
    }
    return lab.take_turns(f"sign-ins, {scheme}, {how}", runners, "/s")
