"""The cost of tokens, beside json.loads and joserfc, and its growth with their number and length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Final

from .lab import Lab, ratio

_GROWTH_TURNS: Final = 3
_KEYS: Final = (1, 10, 50)  # of which the SDK keeps 32
_PADDINGS: Final = {"1 kB": 300, "4 kB": 2500, "16 kB": 11500}  # characters that make a token about so long


def costs(lab: Lab) -> None:
    """Measure handing out, verifying and decoding tokens."""
    seconds = lab.effort.seconds
    handing_out, ours = lab.start("tokens:handing_out"), lab.start("tokens:verifying")
    by_hand, decoding = lab.start("tokens:verifying_by_hand"), lab.start("tokens:decoding")

    found = lab.take_turns(
        "tokens", {"access_token()": partial(handing_out.measure, size=1, seconds=seconds)}, "µs", 1e6
    )
    lab.judge("session.access_token() while fresh", median(found["access_token()"]), "at most", 3.0, "µs")

    verify = partial(ours.measure, padding=0, keys=1, seconds=seconds)
    runners = {
        "verify_access_token, first": partial(verify, again=False),
        "joserfc": partial(by_hand.measure, padding=0, seconds=seconds),
        "verify_access_token, again": partial(verify, again=True),
    }
    found = lab.take_turns("tokens", runners, "µs", 1e6)
    first = ratio(found["verify_access_token, first"], found["joserfc"])
    lab.judge("verify_access_token, first / joserfc", first, "at most", 1.15)
    again = median(found["verify_access_token, again"])
    lab.judge("verify_access_token, again", again, "at most", 5.0, "µs")

    decode = partial(decoding.measure, padding=0, seconds=seconds)
    runners = {"answer to DTO": partial(decode, dto=True), "json.loads": partial(decode, dto=False)}
    found = lab.take_turns("tokens", runners, "µs", 1e6)
    beyond = [dto - bare for dto, bare in zip(found["answer to DTO"], found["json.loads"], strict=True)]
    lab.judge("sign-in answer to DTO, beyond json.loads", median(beyond), "at most", 15.0, "µs")


def growing(lab: Lab) -> None:
    """Measure more sessions, more keys, and longer tokens."""
    lab = lab.with_turns(_GROWTH_TURNS)
    seconds = lab.effort.seconds
    worker = lab.start("tokens:handing_out")
    handing_out: list[float] = []
    opening: list[float] = []
    for size in (1, 100, 10_000, 100_000):  # in this order, since the worker keeps its sessions
        measure = partial(worker.measure, size=lab.effort.of(size), seconds=seconds)
        many = f"{size:,} sessions"
        handing_out.append(median(lab.take_turns("access_token()", {many: measure}, "µs", 1e6)[many]))
        one_more = {many: partial(measure, opened=True)}
        opening.append(median(lab.take_turns("one more session and its token", one_more, "µs", 1e6)[many]))
    lab.judge("growth: access_token() among 100,000 sessions", handing_out[-1], "at most", 3.0, "µs")
    lab.judge("growth: one more session, 100,000 sessions / 1", opening[-1] / opening[0], "at most", 3.0)

    verifying = lab.start("tokens:verifying")
    first = partial(verifying.measure, again=False, padding=0, seconds=seconds)
    _grown(lab, "verify_access_token first", {f"{keys} keys": partial(first, keys=keys) for keys in _KEYS}, 1.25)
    fetch = partial(lab.start("tokens:fetching_keys").measure, seconds=seconds)
    _grown(lab, "fetch_keys", {f"{keys} keys": partial(fetch, keys=keys) for keys in _KEYS}, 8.0)

    works: dict[str, Callable[..., float]] = {
        "verify_access_token first": partial(verifying.measure, again=False, keys=1),
        "verify_access_token again": partial(verifying.measure, again=True, keys=1),
        "answer to DTO": partial(lab.start("tokens:decoding").measure, dto=True),
    }
    for work, measured in works.items():
        runners = {
            f"token of {length}": partial(measured, padding=n, seconds=seconds) for length, n in _PADDINGS.items()
        }
        _grown(lab, work, runners, 4.0)


def _grown(lab: Lab, work: str, runners: Mapping[str, Callable[[], float]], bound: float) -> None:
    found = lab.take_turns(work, runners, "µs", 1e6)
    (smallest, of_smallest), *_, (largest, of_largest) = found.items()
    lab.judge(f"growth: {work}, {largest} / {smallest}", ratio(of_largest, of_smallest), "at most", bound)
