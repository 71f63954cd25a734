"""Forged tokens against a key server that hangs: the number of fetches, and the times of good tokens meanwhile.

Run it by `python -m benchmarks.floods`; it takes half a minute.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from statistics import quantiles
from time import perf_counter

import httpx

from genauth_async import AuthenticationClient, TokenVerificationError

from .answers import APP_ID, APP_SECRET, access_token, key_set

_FORGED = 10_000
_PER_SECOND = 2_000
_BATCH = 20
_PAUSE = 0.002
_UNKNOWN = urlsafe_b64encode(b'{"alg":"RS256","kid":"unknown","typ":"JWT"}').rstrip(b"=").decode()


async def _refused(client: AuthenticationClient, token: str) -> None:
    try:
        await client.verify_access_token(token)
    except TokenVerificationError:
        return
    raise AssertionError("a forged token was accepted")


async def _flood(client: AuthenticationClient, forged: Sequence[str]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for first in range(0, _FORGED, _BATCH):
            for token in forged[first : first + _BATCH]:
                tasks.create_task(_refused(client, token))
            await asyncio.sleep(_BATCH / _PER_SECOND)


async def _measured(forged: Sequence[str], good: Sequence[str]) -> tuple[int, list[float]]:
    """Verify good tokens one after another during a flood; return the number of fetches and the seconds of each."""
    fetches = 0
    times: list[float] = []

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal fetches
        fetches += 1
        if fetches > 1:
            await asyncio.Event().wait()
        return httpx.Response(200, json=key_set())

    transport = httpx.MockTransport(answer)
    async with AuthenticationClient(APP_ID, "https://sign-in.test", APP_SECRET, transport=transport) as client:
        await client.fetch_keys()
        flood = asyncio.create_task(_flood(client, forged))
        for token in itertools.cycle(good):
            start = perf_counter()
            await client.verify_access_token(token)
            times.append(perf_counter() - start)
            await asyncio.sleep(_PAUSE)
            if flood.done():
                break
        await flood
    return fetches - 1, times


def main() -> None:
    """Print a line for each kind of forged token."""
    logging.disable()
    good = [access_token() for _ in range(1500)]  # more than a client remembers
    payloads = [access_token().split(".")[1] for _ in range(_FORGED)]
    known = good[0].partition(".")[0]
    floods: dict[str, list[str]] = {
        "no forged tokens": [],
        "unknown keys": [f"{_UNKNOWN}.{payload}.{'A' * 342}" for payload in payloads],
        "wrong signatures": [f"{known}.{payload}.{'A' * 342}" for payload in payloads],
    }
    for name, forged in floods.items():
        fetches, times = asyncio.run(_measured(forged, good))
        cuts = quantiles(times, n=100)
        figures = f"{fetches} fetches; good tokens p50 {cuts[49] * 1e6:.0f} µs, p99 {cuts[98] * 1e6:.0f} µs"
        sys.stdout.write(f"{len(forged):6} {name:17} {figures}\n")


if __name__ == "__main__":
    main()
