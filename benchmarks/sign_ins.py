"""Sign-ins per second."""

from __future__ import annotations

from functools import partial
from typing import Final

from .lab import Lab, ratio
from .worker import Worker

_AT_ONCE: Final = 50
_MANY: Final = 500
_SEQUENTIAL_TURNS: Final = 11  # more turns, since the core on which a thread wakes up makes a great difference

_OURS: Final = "genauth_async"
_OURS_WITHOUT: Final = "genauth_async without aiohttp"
_AIOHTTP: Final = "aiohttp"
_HTTPX2: Final = "httpx2.AsyncClient"
_HTTPX: Final = "httpx.AsyncClient"
_AT_LEAST: Final = {_HTTPX2: 1.2, _HTTPX: 2.5}
_ASYNC: Final = {
    _OURS: "async_clients:ours_over_aiohttp",
    _AIOHTTP: "async_clients:aiohttp_session",
    _OURS_WITHOUT: "async_clients:ours_without_aiohttp",
    _HTTPX2: "async_clients:httpx2_client",
    _HTTPX: "async_clients:httpx_client",
}
_BLOCKING_OURS: Final = "genauth_sync"
_CLIENT: Final = "httpx.Client"
_VENDOR: Final = "genauth 5.1.0"
_BLOCKING: Final = {
    _BLOCKING_OURS: "blocking_clients:ours",
    _CLIENT: "blocking_clients:httpx_client",
    _VENDOR: "blocking_clients:vendor",
}


def concurrent(lab: Lab) -> None:
    """Measure 1, 50 and 500 concurrent tasks, and the vendor's package in threads."""
    workers = {name: lab.start(worker) for name, worker in _ASYNC.items()}
    in_threads = f"{_VENDOR}, {_AT_ONCE} threads"
    vendor = {in_threads: lab.start(_BLOCKING[_VENDOR])}
    for scheme, bound in (("http", 0.65), ("https", 0.6)):
        for at_once in (1, _AT_ONCE, _MANY):
            case = f"{scheme}, {_concurrency(at_once)}"
            # Over https the vendor's handshakes hide the rest of the difference.
            beside = vendor if (scheme, at_once) == ("http", _AT_ONCE) else {}
            found = _race(lab, case, {name: workers[name] for name in (_OURS, _AIOHTTP)} | beside, at_once)
            lab.judge(f"async sign-in, {case} / {_AIOHTTP}", ratio(found[_OURS], found[_AIOHTTP]), "at least", bound)
            for slow in beside:
                reached = ratio(found[_OURS], found[slow])
                lab.judge(f"async sign-in, {case} / {slow}", reached, "at least", 2.0)

    without = {name: workers[name] for name in (_OURS_WITHOUT, _HTTPX2, _HTTPX)}
    for scheme in ("http", "https"):
        for at_once, bounds in ((1, {_HTTPX: 0.9}), (_AT_ONCE, _AT_LEAST), (_MANY, _AT_LEAST)):
            case = f"{scheme}, {_concurrency(at_once)}"
            found = _race(lab, case, without, at_once)
            for rival, least in bounds.items():
                reached = ratio(found[_OURS_WITHOUT], found[rival])
                lab.judge(f"async sign-in without aiohttp, {case} / {rival}", reached, "at least", least)


def sequential(lab: Lab) -> None:
    """Measure blocking clients, sequentially and by threads."""
    lab = lab.with_turns(_SEQUENTIAL_TURNS)
    workers = {name: lab.start(worker) for name, worker in _BLOCKING.items()}
    for scheme, beyond_vendor in (("http", 1.5), ("https", 30.0)):
        found = _race(lab, f"{scheme}, one after another", workers, 1)
        for rival, bound in ((_CLIENT, 0.85), (_VENDOR, beyond_vendor)):
            reached = ratio(found[_BLOCKING_OURS], found[rival])
            lab.judge(f"sync sign-in, {scheme}, one after another / {rival}", reached, "at least", bound)

    in_threads = {name: workers[name] for name in (_BLOCKING_OURS, _CLIENT)}
    case = f"https, {_AT_ONCE} threads"
    found = _race(lab, case, in_threads, _AT_ONCE)
    reached = ratio(found[_BLOCKING_OURS], found[_CLIENT])
    lab.judge(f"sync sign-in, {case} / {_CLIENT}", reached, "at least", 2.0)


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


def _concurrency(at_once: int) -> str:
    return "one at a time" if at_once == 1 else f"{at_once} at once"


def _race(lab: Lab, case: str, workers: dict[str, Worker], at_once: int) -> dict[str, list[float]]:
    url = lab.target[case.partition(",")[0]]
    common = {"target": lab.target, "url": url, "at_once": lab.effort.of(at_once), "seconds": lab.effort.seconds}
    runners = {name: partial(worker.measure, **common) for name, worker in workers.items()}
    return lab.take_turns(f"sign-ins, {case}", runners, "/s")
