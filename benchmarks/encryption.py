"""SM2 password encryption: in C with the extra `sm2`, in Python without it."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from statistics import median, quantiles
from time import perf_counter
from typing import Final

from .async_clients import Call, our_sign_in
from .lab import Lab, ratio
from .load import cost, rate, repeated
from .worker import Measure

_AT_ONCE: Final = 20
_PROBE_SECONDS: Final = 0.001
_PASSWORD: Final = b"correct horse battery staple"


def alone(lab: Lab) -> None:
    """Measure the encryption in C and in Python, and the event loop's stalls during the latter."""
    workers = {
        "genauth_async, in C": lab.start("encryption:ours_in_c"),
        "genauth_async, in Python": lab.start("encryption:ours_in_python"),
        "gmssl": lab.start("encryption:gmssl"),
    }
    seconds = lab.effort.seconds
    runners = {name: partial(worker.measure, seconds=seconds) for name, worker in workers.items()}
    _, ours, theirs = lab.take_turns("SM2, one encryption", runners, "ms", 1e3).values()
    lab.judge("SM2 in Python, encryption / gmssl", ratio(ours, theirs), "at most", 1.0)

    stalls = lab.start("encryption:stalls")
    runner = partial(stalls.measure, target=lab.target, seconds=5 * seconds)
    found = lab.take_turns(f"SM2 in Python, {_AT_ONCE} sign in at once", {"event-loop stall, p99": runner}, "ms", 1e3)
    lab.judge("SM2 in Python: event-loop stall, p99", median(found["event-loop stall, p99"]), "at most", 10.0, "ms")


def sign_ins_in_c() -> Measure:
    """Measure sign-ins per second, by kind of password encryption."""
    import gmssl_pyx  # noqa: F401 - without it this would measure the other implementation

    loop = asyncio.new_event_loop()
    calls: dict[str, Call] = {}

    def measure(target: dict[str, str], encrypt_type: str, at_once: int, seconds: float) -> float:
        call = calls.setdefault(encrypt_type, our_sign_in(target, target["http"], encrypt_type))
        return loop.run_until_complete(rate(call, at_once, seconds))

    return measure


def ours_in_c() -> Measure:
    """Measure one encryption by this SDK with gmssl-pyx."""
    import gmssl_pyx  # noqa: F401 - without it this would measure the other implementation

    return _ours()


def ours_in_python() -> Measure:
    """Measure one encryption by this SDK in Python."""
    _without_c()
    return _ours()


def gmssl() -> Measure:
    """Measure one encryption by gmssl's own method."""
    from gmssl.sm2 import CryptSM2

    from genauth_async._crypto.sm2 import generate_key_pair

    private_key, key = generate_key_pair()
    cipher = CryptSM2(private_key=f"{private_key:064x}", public_key=key.to_hex())
    return partial(cost, repeated(lambda: cipher.encrypt(_PASSWORD)))


def stalls() -> Measure:
    """Measure the 99th percentile of the event loop's lateness while passwords are encrypted."""
    _without_c()
    loop = asyncio.new_event_loop()

    def measure(target: dict[str, str], seconds: float) -> float:
        return loop.run_until_complete(_stall(our_sign_in(target, target["http"], "sm2"), seconds))

    return measure


async def _stall(sign_in: Call, seconds: float) -> float:
    await sign_in()
    late: list[float] = []

    async def probe() -> None:
        while True:
            start = perf_counter()
            await asyncio.sleep(_PROBE_SECONDS)
            lateness = perf_counter() - start - _PROBE_SECONDS
            late.append(lateness)
            # Tasks that arrive during a stall wait as well: a stall counts by its length.
            while (lateness := lateness - _PROBE_SECONDS) > 0:
                late.append(lateness)

    probing = asyncio.ensure_future(probe())
    end = perf_counter() + seconds
    while perf_counter() < end or len(late) < 2:  # noqa: PLR2004 - quantiles need two
        await asyncio.gather(*(sign_in() for _ in range(_AT_ONCE)))
    probing.cancel()
    return quantiles(late, n=100)[-1]


def _without_c() -> None:
    sys.modules["gmssl_pyx"] = None  # type: ignore[assignment]


def _ours() -> Measure:
    from genauth_async._crypto import sm2

    _, key = sm2.generate_key_pair()
    return partial(cost, repeated(lambda: sm2.encrypt(_PASSWORD, key)))
