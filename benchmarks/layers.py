"""Processor time of one sign-in, by layer.

A timer interrupts the process a thousand times a second. The processor time since the last interrupt counts for the
layer of the innermost frame that belongs to one. So the layers add up to the whole, and no hook slows any of them.
"""

from __future__ import annotations

import signal
from functools import cache
from time import process_time
from types import FrameType
from typing import Final

from .async_clients import Call, aiohttp_sign_in, hide_aiohttp, measure_calls, our_sign_in
from .lab import Lab
from .load import rate
from .worker import Measure

_AT_ONCE: Final = 50
_TURNS: Final = 16  # a turn's seconds are too few samples
_INTERVAL: Final = 0.001  # a timer of processor time would be as coarse as the system's clock ticks
_WHOLE: Final = "all"
_REST: Final = "other"
_SCOPES: Final = "deadline and limiter"
_LIBRARY: Final = "HTTP library"
_LOOP: Final = "event loop and socket"
_ANYIO: Final = "anyio"  # scopes of the SDK's, or a part of the library that calls it

# A part of a file's path and of a function's name, and the layer. The first that fits counts. Frames that fit none,
# such as those of contextlib and of attrs, belong to their caller's layer.
_LAYERS: Final = (
    ("genauth_async/_core/tracebacks.py", "", "traceback guard"),
    ("genauth_async/_core/shielding.py", "", _SCOPES),
    ("genauth_async/_http/attempt.py", "enter", _SCOPES),
    ("genauth_async/_http/attempt.py", "__init__", _SCOPES),
    ("genauth_async/_arguments/timeouts.py", "", _SCOPES),
    ("genauth_async/_http/retry.py", "", _SCOPES),
    ("genauth_async/_http/carriers/", "", "carrier"),
    ("genauth_async/_http/attempt.py", "", "carrier"),
    ("genauth_async/_http/connections.py", "", "carrier"),
    ("genauth_async/_http/", "", "request and headers"),
    ("genauth_async/_wire/responses.py", "", "DTO in"),
    ("genauth_async/_wire/converter.py", "argument", "arguments, DTO out"),
    ("genauth_async/_wire/converter.py", "", "DTO in"),
    ("genauth_async/_wire/leniency.py", "", "DTO in"),
    ("genauth_async/_wire/request.py", "body", "JSON out"),
    ("genauth_async/", "", "arguments, DTO out"),
    ("/cattrs/", "structure", "DTO in"),
    ("/json/encoder.py", "", "JSON out"),
    ("/json/__init__.py", "dump", "JSON out"),
    ("/json/", "", "JSON in"),
    ("/anyio/", "", _ANYIO),
    ("/asyncio/timeouts.py", "", _ANYIO),
    *((f"/{name}/", "", _LIBRARY) for name in ("aiohttp", "httpx", "httpx2", "httpcore", "httpcore2", "h11")),
    *((f"/{name}/", "", _LIBRARY) for name in ("aiohappyeyeballs", "yarl", "multidict", "frozenlist", "propcache")),
    ("/asyncio/", "", _LOOP),
    ("/selectors.py", "", _LOOP),
    ("/ssl.py", "", _LOOP),
)
_NAMES: Final = (
    *("arguments, DTO out", "JSON out", "request and headers", _SCOPES, "carrier", _LIBRARY),
    *(_LOOP, "JSON in", "DTO in", "traceback guard", _REST),
)
_CONTESTANTS: Final = {
    "genauth_async": "layers:ours",
    "genauth_async without aiohttp": "layers:ours_without_aiohttp",
    "aiohttp": "layers:aiohttp_session",
}


def compared(lab: Lab) -> None:
    """Note each layer's share, over http, 50 at once."""
    for contestant, worker in _CONTESTANTS.items():
        found = lab.start(worker).ask(
            target=lab.target,
            url=lab.target["http"],
            at_once=lab.effort.of(_AT_ONCE),
            seconds=_TURNS * lab.effort.seconds,
        )
        for name, seconds in found.items():
            lab.note(f"processor time of a sign-in, {contestant}", name, 1e6 * seconds, "µs")


def ours() -> Measure:
    """Measure this SDK with the extra `aiohttp`."""
    import aiohttp  # noqa: F401 - without it this would measure the other carrier

    return measure_calls(our_sign_in, _sampled)


def ours_without_aiohttp() -> Measure:
    """Measure this SDK without that extra."""
    hide_aiohttp()
    return measure_calls(our_sign_in, _sampled)


def aiohttp_session() -> Measure:
    """Measure aiohttp by itself: JSON, HTTP, and the event loop."""
    return measure_calls(aiohttp_sign_in, _sampled)


def layer_of(frame: FrameType | None) -> str:
    """Return the layer of the innermost frame that belongs to one."""
    in_anyio = False
    while frame is not None:
        layer = _layer_of_code(frame.f_code.co_filename, frame.f_code.co_name)
        if layer == _ANYIO:
            in_anyio = True
        elif layer is not None:
            return _SCOPES if in_anyio and layer not in {_LIBRARY, _LOOP} else layer
        frame = frame.f_back
    return _REST


@cache
def _layer_of_code(path: str, function: str) -> str | None:
    path = path.replace("\\", "/")
    fitting = (layer for part, name, layer in _LAYERS if part in path and name in function)
    return next(fitting, None)


async def _sampled(call: Call, at_once: int, seconds: float) -> dict[str, float]:
    """Return the seconds of processor time of a call, by layer."""
    done = 0
    last = 0.0
    found = dict.fromkeys(_NAMES, 0.0)

    async def counted() -> None:
        nonlocal done
        await call()
        done += 1

    def sample(_: int, frame: FrameType | None) -> None:
        nonlocal last
        now = process_time()
        found[layer_of(frame)] += now - last
        last = now

    await rate(counted, at_once, 0)  # opens the connections
    done = 0
    signal.signal(signal.SIGALRM, sample)
    last = process_time()
    signal.setitimer(signal.ITIMER_REAL, _INTERVAL, _INTERVAL)
    try:
        await rate(counted, at_once, seconds)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return {_WHOLE: sum(found.values()) / done, **{name: share / done for name, share in found.items()}}
