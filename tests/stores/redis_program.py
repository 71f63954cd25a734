"""A process that shares sessions in Redis with others.

python -m tests.stores.redis_program URL PREFIX win|count|hold asyncio|trio
"""

from __future__ import annotations

import sys

import anyio
import anyio.lowlevel
import anyio.to_thread
import redis

from genauth_async.stores import RedisStore
from tests.stores.redis_stores import record

GENERATIONS = 40
STEPS = 30
LIFE = 0.6  # seconds of a lock whose holder is gone


async def win(store: RedisStore) -> None:
    """Prints the generations that this process wrote."""
    await wait_for_line()
    present = await store.get("ada")
    while present is not None and present.generation < GENERATIONS:
        generation = present.generation + 1
        if await store.compare_and_set("ada", record(generation), expected=generation - 1):
            print(generation, flush=True)
        present = await store.get("ada")


async def count(store: RedisStore, url: str, prefix: str) -> None:
    """Counts in a way that loses steps, unless one process at a time does it."""
    await wait_for_line()
    with redis.Redis.from_url(url) as client:
        for _ in range(STEPS):
            async with store.lock("ada"):
                value = int(client.get(f"{prefix}counter") or 0)
                await anyio.lowlevel.checkpoint()
                client.set(f"{prefix}counter", value + 1)


async def hold(store: RedisStore) -> None:
    """Hold the lock until the parent process orders the write; print the result."""
    async with store.lock("ada"):
        present = await store.get("ada")
        print("held", flush=True)
        await wait_for_line()
        assert present is not None
        mine = record(present.generation + 1, "mine")
        print(await store.compare_and_set("ada", mine, expected=present.generation), flush=True)


async def wait_for_line() -> None:
    """Wait for a line from the parent process."""
    await anyio.to_thread.run_sync(sys.stdin.readline)


async def main(url: str, prefix: str, what: str) -> None:
    store = RedisStore(url, prefix=prefix, lock_seconds=LIFE)
    if what == "win":
        await win(store)
    elif what == "count":
        await count(store, url, prefix)
    else:
        await hold(store)
    await store.aclose()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3], backend=sys.argv[4])
