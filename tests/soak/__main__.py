"""Hundreds of sessions for a while, against a server whose answers are faulty, and which is down at times: make soak

The server gives new tokens again for a refresh token that was used, as within a grace window. It ends with status 1 if
a session was lost, a refresh token was under way twice, or anything leaked.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable

import anyio

from genauth_async import AuthenticationClient, MemoryStore, TokenStore
from genauth_async.stores import FileStore, RedisStore
from tests.soak.measuring import Held, held
from tests.soak.people import Person
from tests.soak.server import REFRESH_TIMEOUT, TWICE, Server, server

_WARM_UP_SECONDS = 3.0
# What may differ at the end: caches that fill up once, such as type annotations that were resolved.
_BLOCKS = 3000


def main() -> int:
    """Parses, runs, judges."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sessions", type=int, default=300)
    parser.add_argument("--faults", type=float, default=0.05, help="the share of requests that go wrong")
    parser.add_argument("--token-seconds", type=int, default=6, help="an access token's life")
    parser.add_argument("--store", default="memory", help="memory, file, or a Redis URL")
    parser.add_argument("--backend", default="asyncio", choices=("asyncio", "trio"))
    options = parser.parse_args()
    outage_seconds = min(max(options.seconds / 10, 1.0), 5.0)
    logging.getLogger("genauth_async").setLevel(logging.ERROR)  # the faults are meant
    with (
        server(options.sessions, options.token_seconds, options.faults, outage_seconds) as serving,
        tempfile.TemporaryDirectory() as folder,
    ):

        def run(seconds: float, sessions: int) -> Counter[str]:
            counts: Counter[str] = Counter()
            anyio.run(_live, serving, _store(options.store, folder), seconds, sessions, counts, backend=options.backend)
            return counts

        run(_WARM_UP_SECONDS, min(options.sessions, 50))
        before = held()
        counts = run(options.seconds, options.sessions)
        after = held()
        statistics = serving.statistics()
    for what, times in sorted({**counts, **{f"server: {name}": n for name, n in statistics.items()}}.items()):
        print(f"{times:8}  {what}")
    return _judged(before, after, counts, statistics)


def _store(name: str, folder: str) -> Callable[[], TokenStore]:
    if name == "memory":
        return MemoryStore
    return lambda: FileStore(f"{folder}/sessions") if name == "file" else RedisStore(name)


async def _live(
    serving: Server, make_store: Callable[[], TokenStore], seconds: float, sessions: int, counts: Counter[str]
) -> None:
    store = make_store()
    ends_at = time.monotonic() + seconds
    async with AuthenticationClient(
        serving.app_id, serving.url, serving.app_secret, refresh_timeout=REFRESH_TIMEOUT
    ) as client:
        people = [Person(number, client, store if number % 2 else None, counts) for number in range(sessions)]
        async with anyio.create_task_group() as group:
            for person in people:
                group.start_soon(person.live, lambda: time.monotonic() > ends_at)
            await _watch(ends_at)
    if isinstance(store, RedisStore):
        await store.aclose()


async def _watch(ends_at: float) -> None:
    seconds = ends_at - time.monotonic()
    for _ in range(5):
        await anyio.sleep(seconds / 5)
        now = held()
        print(
            f"after {seconds - (ends_at - time.monotonic()):5.0f} s: {now.tasks} tasks, {now.threads} threads, "
            f"{now.descriptors} descriptors, {now.blocks} blocks, {now.resident or 0:.0f} MiB",
            flush=True,
        )


def _judged(before: Held, after: Held, counts: Counter[str], statistics: dict[str, int]) -> int:
    faults = [what for what in counts if what.startswith(("LOST", "REFUSED"))]
    faults += [TWICE] if statistics[TWICE] else []
    if not counts["got a token"]:
        faults.append("no caller got a token")
    for name in ("descriptors", "threads", "tasks"):
        if getattr(after, name) is not None and getattr(after, name) > getattr(before, name):
            faults.append(f"{name}: {getattr(before, name)} before, {getattr(after, name)} after")
    if after.blocks > before.blocks + _BLOCKS:
        faults.append(f"memory: {after.blocks - before.blocks} blocks more after than before")
    print(f"before: {before}\nafter:  {after}")
    print("nothing lost, nothing leaked" if not faults else "WRONG: " + "; ".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
