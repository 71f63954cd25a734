"""The cost of idle clients and sessions."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import tracemalloc
from functools import partial
from statistics import median
from time import perf_counter

from .answers import APP_ID, APP_SECRET
from .lab import Lab
from .load import cost
from .worker import Measure

_SESSIONS = 10_000


def clients(lab: Lab) -> None:
    """Measure a second client, ready to send over https."""
    worker = lab.start("holding:second_client")
    found = lab.take_turns("holding", {"second client": partial(worker.measure, seconds=lab.effort.seconds)}, "ms", 1e3)
    lab.judge("a second client, https", median(found["second client"]), "at most", 1.0, "ms")


def sessions(lab: Lab) -> None:
    """Measure idle sessions."""
    held: dict[str, float] = lab.start("holding:idle_sessions").ask(size=lab.effort.of(_SESSIONS))
    lab.note(f"{_SESSIONS:,} idle sessions", "bytes beyond the tokens, each", held["bytes"], "B")
    lab.judge("idle sessions: bytes beyond the tokens, each", held["bytes"], "at most", 3 * 1024.0, "B")
    lab.judge("idle sessions: tasks and threads", held["tasks"] + held["threads"], "at most", 0.0, "")


def second_client() -> Measure:
    """Measure the creation of a client that lacks only a connection."""
    from genauth_async import AuthenticationClient

    loop = asyncio.new_event_loop()

    async def opened(times: int) -> float:
        start = perf_counter()
        for _ in range(times):
            async with AuthenticationClient(APP_ID, "https://sign-in.test", APP_SECRET) as client:
                # No public method opens without connecting, whose time is the server's.
                await client._shared.transport._provider.opened()  # noqa: SLF001
        return perf_counter() - start

    def measure(seconds: float) -> float:
        loop.run_until_complete(opened(1))
        return cost(lambda times: loop.run_until_complete(opened(times)), seconds)

    return measure


def idle_sessions() -> Measure:
    """Count bytes, tasks and threads."""
    from genauth_async import AuthenticationClient

    async def held(size: int) -> dict[str, float]:
        client = AuthenticationClient(APP_ID, "https://sign-in.test", APP_SECRET)
        await client.session(_tokens(-1)).access_token()  # creates the shared parts once
        tasks, threads = len(asyncio.all_tasks()), threading.active_count()
        all_tokens = [_tokens(index) for index in range(size)]
        gc.collect()
        tracemalloc.start()
        sessions = [client.session(tokens) for tokens in all_tokens]
        for session in sessions:
            await session.access_token()
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return {
            "bytes": (taken - sys.getsizeof(sessions)) / size,
            "tasks": len(asyncio.all_tasks()) - tasks,
            "threads": threading.active_count() - threads,
        }

    return lambda size: asyncio.new_event_loop().run_until_complete(held(size))


def _tokens(index: int) -> dict[str, object]:
    """Build tokens that exist before the memory is measured, so that their own size is not counted."""
    return {
        "access_token": f"access-{index}",
        "id_token": f"id-{index}",
        "refresh_token": f"refresh-{index}",
        "token_type": "Bearer",
        "scope": "openid profile offline_access",
        "expires_in": 14 * 24 * 3600,
    }
