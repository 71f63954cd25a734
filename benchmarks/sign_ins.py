"""Sign-ins per second."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Final

from .lab import Lab, ratio
from .processes import Worker

_SCHEMES: Final = ("http", "https")
_THREADS: Final = 50
_FEW_TURNS: Final = 3
_SEQUENTIAL_TURNS: Final = 11  # more turns, since the core on which a thread wakes up makes a great difference

_ASYNC: Final = {
    "genauth_async (aiohttp)": "async_clients:ours_over_aiohttp",
    "genauth_async (httpx)": "async_clients:ours_over_httpx",
    "httpx + httpx-aiohttp": "async_clients:httpx_over_aiohttp",
    "httpx-aiohttp's transport alone": "async_clients:aiohttp_transport",
    "httpx.AsyncClient": "async_clients:httpx_client",
    "httpx2.AsyncClient": "async_clients:httpx2_client",
    "aiohttp": "async_clients:aiohttp_session",
}
_VENDOR: Final = "genauth 5.1.0"
_BLOCKING: Final = {
    "genauth_sync": "blocking_clients:ours",
    "httpx.Client": "blocking_clients:httpx_client",
    "httpx + httpx-aiohttp, loop in a thread": "blocking_clients:httpx_over_aiohttp",
    _VENDOR: "blocking_clients:vendor",
}
_OURS, _OURS_OVER_HTTPX, _BARE, _TRANSPORT, _HTTPX = list(_ASYNC)[:5]
_BLOCKING_OURS, _CLIENT, _IN_A_THREAD = list(_BLOCKING)[:3]


def concurrent(lab: Lab) -> None:
    """Measure 1, 50 and 500 concurrent tasks, and the vendor's package in threads."""
    names = {name: worker for name, worker in _ASYNC.items() if "httpx2" not in name or find_spec("httpx2")}
    workers = {name: lab.start(worker) for name, worker in names.items()}
    threads = lab.start(_BLOCKING[_VENDOR])
    for scheme in _SCHEMES:
        _one_at_a_time(lab, scheme, workers)
        for at_once in (50, 500):
            # Longer for 500, so that the end of a turn, with fewer and fewer calls, weighs little.
            here = lab if at_once == 50 else lab.with_turns(3, seconds=0.75)  # noqa: PLR2004
            contestants = {name: (worker, at_once) for name, worker in workers.items() if name != _TRANSPORT}
            in_threads = f"{_VENDOR}, {_THREADS} threads"
            found = _race(here, scheme, f"{at_once} at once", contestants | {in_threads: (threads, _THREADS)})
            for rival, bound in ((_BARE, 0.85), (_HTTPX, 4.0), (in_threads, 2.0)):
                reached = ratio(found[_OURS], found[rival])
                lab.judge(f"async sign-in, {scheme}, {at_once} at once / {rival}", reached, "at least", bound)


def sequential(lab: Lab) -> None:
    """Measure blocking clients, sequentially and by threads."""
    lab = lab.with_turns(_SEQUENTIAL_TURNS)
    workers = {name: lab.start(worker) for name, worker in _BLOCKING.items()}
    for scheme in _SCHEMES:
        found = _race(lab, scheme, "one after another", {name: (worker, 1) for name, worker in workers.items()})
        vendors_bound = {"http": 1.5, "https": 30.0}[scheme]
        for rival, bound in ((_CLIENT, 0.8), (_IN_A_THREAD, 0.9), (_VENDOR, vendors_bound)):
            reached = ratio(found[_BLOCKING_OURS], found[rival])
            lab.judge(f"sync sign-in, {scheme} / {rival}", reached, "at least", bound)
        few = lab.with_turns(_FEW_TURNS)
        for threads in (50, 500):
            contestants = {name: (workers[name], threads) for name in (_BLOCKING_OURS, _CLIENT)}
            _race(few, scheme, f"{threads} threads", contestants)


def encrypted(lab: Lab) -> None:
    """Measure encrypted passwords."""
    worker = lab.start("encryption:sign_ins_in_c")
    common = {"target": lab.target, "at_once": lab.effort.of(50), "seconds": lab.effort.seconds}
    runners = {
        "password as it is": partial(worker.measure, encrypt_type="none", **common),
        "RSA: cryptography": partial(worker.measure, encrypt_type="rsa", **common),
        "SM2: gmssl-pyx": partial(worker.measure, encrypt_type="sm2", **common),
    }
    plain, _, in_c = lab.take_turns("sign-ins, http, 50 at once, encrypted in C", runners, "/s").values()
    lab.judge("SM2 sign-in in C, 50 at once / plain", ratio(in_c, plain), "at least", 0.7)


def growing(lab: Lab) -> None:
    """Measure the cost of one sign-in as concurrency grows."""
    lab = lab.with_turns(_FEW_TURNS)
    worker = lab.start("async_clients:ours_over_aiohttp")

    def cost(callers: int) -> float:
        url, seconds = lab.target["http"], lab.effort.seconds
        return 1 / worker.measure(target=lab.target, url=url, at_once=lab.effort.of(callers), seconds=seconds)

    runners = {f"{callers:,} at once": partial(cost, callers) for callers in (1, 10, 100, 1000)}
    *_, hundred, thousand = lab.take_turns("sign-in", runners, "µs", 1e6).values()
    lab.judge("growth: sign-in, 1,000 at once / 100 at once", ratio(thousand, hundred), "at most", 1.5)


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
