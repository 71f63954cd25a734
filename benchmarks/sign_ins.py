"""Sign-ins per second."""

from __future__ import annotations

from functools import partial
from typing import Final

from .lab import Lab, ratio
from .worker import Worker

_AT_ONCE: Final = 50
_FEW_TURNS: Final = 3
_SEQUENTIAL_TURNS: Final = 11  # more turns, since the core on which a thread wakes up makes a great difference

_ASYNC: Final = {
    "genauth_async (aiohttp)": "async_clients:ours_over_aiohttp",
    "genauth_async (httpx)": "async_clients:ours_over_httpx",
    "httpx + httpx-aiohttp": "async_clients:httpx_over_aiohttp",
    "httpx.AsyncClient": "async_clients:httpx_client",
    "aiohttp": "async_clients:aiohttp_session",
}
_VENDOR: Final = "genauth 5.1.0"
_BLOCKING: Final = {
    "genauth_sync": "blocking_clients:ours",
    "httpx.Client": "blocking_clients:httpx_client",
    _VENDOR: "blocking_clients:vendor",
}
_OURS, _OURS_OVER_HTTPX, _BARE, _HTTPX = list(_ASYNC)[:4]
_BLOCKING_OURS, _CLIENT = list(_BLOCKING)[:2]


def concurrent(lab: Lab) -> None:
    """Measure 1 and 50 concurrent tasks, and the vendor's package in threads."""
    workers = {name: lab.start(worker) for name, worker in _ASYNC.items()}
    found = _race(lab, "https, one at a time", workers, 1)
    for ours, bare in ((_OURS, _BARE), (_OURS_OVER_HTTPX, _HTTPX)):
        reached = ratio(found[ours], found[bare])
        lab.judge(f"async sign-in, https, one at a time: {ours} / {bare}", reached, "at least", 0.9)

    in_threads = f"{_VENDOR}, {_AT_ONCE} threads"
    vendor = {in_threads: lab.start(_BLOCKING[_VENDOR])}
    found = _race(lab, "https, 50 at once", workers | vendor, _AT_ONCE)
    for rival, bound in ((_BARE, 0.85), (_HTTPX, 4.0)):
        lab.judge(f"async sign-in, https, 50 at once / {rival}", ratio(found[_OURS], found[rival]), "at least", bound)

    # Over https the vendor's handshakes hide the rest of the difference.
    found = _race(lab, "http, 50 at once", {_OURS: workers[_OURS], **vendor}, _AT_ONCE)
    reached = ratio(found[_OURS], found[in_threads])
    lab.judge(f"async sign-in, http, 50 at once / {in_threads}", reached, "at least", 2.0)


def sequential(lab: Lab) -> None:
    """Measure blocking clients, sequentially and by threads."""
    lab = lab.with_turns(_SEQUENTIAL_TURNS)
    workers = {name: lab.start(worker) for name, worker in _BLOCKING.items()}
    found = _race(lab, "https, one after another", workers, 1)
    for rival, bound in ((_CLIENT, 0.8), (_VENDOR, 30.0)):
        lab.judge(f"sync sign-in, https / {rival}", ratio(found[_BLOCKING_OURS], found[rival]), "at least", bound)

    in_threads = {name: workers[name] for name in (_BLOCKING_OURS, _CLIENT)}
    _race(lab.with_turns(_FEW_TURNS), "https, 50 threads", in_threads, _AT_ONCE)

    found = _race(lab, "http, one after another", {name: workers[name] for name in (_BLOCKING_OURS, _VENDOR)}, 1)
    lab.judge(f"sync sign-in, http / {_VENDOR}", ratio(found[_BLOCKING_OURS], found[_VENDOR]), "at least", 1.5)


def encrypted(lab: Lab) -> None:
    """Measure encrypted passwords."""
    worker = lab.start("encryption:sign_ins_in_c")
    common = {"target": lab.target, "at_once": lab.effort.of(_AT_ONCE), "seconds": lab.effort.seconds}
    runners = {
        "password as it is": partial(worker.measure, encrypt_type="none", **common),
        "RSA: cryptography": partial(worker.measure, encrypt_type="rsa", **common),
        "SM2: gmssl-pyx": partial(worker.measure, encrypt_type="sm2", **common),
    }
    plain, _, in_c = lab.take_turns("sign-ins, http, 50 at once, encrypted in C", runners, "/s").values()
    lab.judge("SM2 sign-in in C, 50 at once / plain", ratio(in_c, plain), "at least", 0.7)


def _race(lab: Lab, case: str, workers: dict[str, Worker], at_once: int) -> dict[str, list[float]]:
    url = lab.target[case.partition(",")[0]]
    common = {"target": lab.target, "url": url, "at_once": lab.effort.of(at_once), "seconds": lab.effort.seconds}
    runners = {name: partial(worker.measure, **common) for name, worker in workers.items()}
    return lab.take_turns(f"sign-ins, {case}", runners, "/s")
