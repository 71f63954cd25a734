"""What tokens cost, beside json.loads and joserfc; and as there are more of them, or longer ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Final

from .lab import Lab, ratio

_GROWTH_TURNS: Final = 3
_PADDINGS: Final = {"1 kB": 300, "4 kB": 2500, "16 kB": 11500}  # characters that make a token about so long


def costs(lab: Lab) -> None:
    """Handing out, verifying, decoding."""
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
    """More sessions, more keys, longer tokens."""
    lab = lab.with_turns(_GROWTH_TURNS)
    seconds = lab.effort.seconds
    worker = lab.start("tokens:handing_out")
    found = []
    for size in (1, 100, 10_000, 100_000):  # in this order, as the worker keeps those that it has
        runner = partial(worker.measure, size=lab.effort.of(size), seconds=seconds)
        found.append(_cost(lab, "access_token()", f"{size:,} sessions", runner))
    lab.judge("growth: access_token(), 100,000 sessions / 1", found[-1] / found[0], "at most", 3.0)

    worker, work = lab.start("tokens:verifying"), "verify_access_token first"
    verify = partial(worker.measure, again=False, padding=0, seconds=seconds)
    found = [_cost(lab, work, f"{keys} keys", partial(verify, keys=keys)) for keys in (1, 10, 50)]
    lab.judge(f"growth: {work}, 50 keys / 1", found[-1] / found[0], "at most", 1.25)

    decoding = lab.start("tokens:decoding")
    works: dict[str, Callable[..., float]] = {
        work: partial(worker.measure, again=False, keys=1),
        "verify_access_token again": partial(worker.measure, again=True, keys=1),
        "answer to DTO": partial(decoding.measure, dto=True),
    }
    for work, measure in works.items():
        found = [
            _cost(lab, work, f"token of {length}", partial(measure, padding=padding, seconds=seconds))
            for length, padding in _PADDINGS.items()
        ]
        lab.judge(f"growth: {work}, token of 16 kB / 1 kB", found[-1] / found[0], "at most", 16.0)


def _cost(lab: Lab, work: str, how_many: str, runner: Callable[[], float]) -> float:
    return median(lab.take_turns(work, {how_many: runner}, "µs", 1e6)[how_many])
