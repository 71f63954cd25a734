"""A store on a machine of its own, as the simulated processes reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import anyio

from genauth_async import SessionRecord
from genauth_async.errors import StoreError
from genauth_async.stores._local_locks import LocalLocks
from tests.simulation.world import LIFE, LOCK_LIFE, LOCK_WAIT, REFRESH_TIMEOUT, Process, World

_T = TypeVar("_T")


class Lease:
    """A lock that one process has for as long as it runs, and a while longer."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.since = 0.0
        self.held = False

    def has_expired(self) -> bool:
        """Return True if others may take the lock; a holder that never got the answer does not renew it."""
        renewed = self._process.last_ran() if self.held else self.since
        return anyio.current_time() > renewed + LOCK_LIFE


class Machine:
    """The shared machine that has the records.

    Attributes:
        stored: every access token that was in the store at any time.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.records: dict[str, SessionRecord] = {}
        self._snapshots: list[dict[str, SessionRecord]] = []
        self._leases: dict[str, Lease] = {}
        self.stored: set[str] = set()
        self.down_until = 0.0

    def write(self, key: str, record: SessionRecord, expected: int | None) -> bool:
        """Writes if the generation is the expected one."""
        world = self._world
        # Once at most: who restores a store twice within seconds may lose what was written in between.
        if self._snapshots and not world.has_occurred("store restored") and world.fault_occurs("store restored"):
            self.records = dict(world.rng.choice(self._snapshots))
        if world.fault_occurs("store forgets"):
            self.records.pop(key, None)
        present = self.records.get(key)
        if (None if present is None else present.generation) != expected:
            return False
        if present is not None and record.generation <= present.generation:
            world.violate(f"the stored generation went back from {present.generation} to {record.generation}")
        self.records[key] = record
        self.stored.add(record.tokens.access_token)
        self._snapshots.append(dict(self.records))
        attempt = "" if record.attempt is None else f", {record.attempt}"
        world.note("store", f"has {record.tokens.access_token}, generation {record.generation}{attempt}")
        return True

    def delete(self, key: str, expected: int | None) -> bool:
        """Removes a record."""
        present = self.records.get(key)
        if present is not None and expected not in (None, present.generation):
            return False
        self._world.note("store", "deletes")
        self.records.pop(key, None)
        return True

    def acquire(self, key: str, lease: Lease) -> bool:
        """Takes the lock if it is free."""
        present = self._leases.get(key)
        if present not in (None, lease) and not present.has_expired() and not self._world.fault_occurs("lock lost"):
            return False
        lease.since = anyio.current_time()
        self._leases[key] = lease
        return True

    def release(self, key: str, lease: Lease) -> None:
        """Gives the lock back, if it is still this one."""
        if self._leases.get(key) is lease:
            del self._leases[key]


class SharedStore:
    """One process's way to the machine."""

    def __init__(self, machine: Machine, process: Process) -> None:
        self._machine = machine
        self._process = process
        self._world = process.world
        self._among_tasks = LocalLocks(LOCK_WAIT)

    async def get(self, key: str) -> SessionRecord | None:
        """The record, or None."""
        return await self._ask(lambda: self._machine.records.get(key))

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Writes the record if the stored one has this generation."""
        return await self._ask(lambda: self._machine.write(key, record, expected))

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Removes the record if it has this generation."""
        return await self._ask(lambda: self._machine.delete(key, expected))

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        """Held by one at a time among all processes, unless one stands still past the lock's life."""
        async with self._among_tasks.hold(key):
            lease = Lease(self._process)
            give_up = anyio.current_time() + LOCK_WAIT
            pause = self._world.rng.uniform(0.1, 0.5)
            while not await self._ask(lambda: self._machine.acquire(key, lease)):
                if anyio.current_time() > give_up:
                    raise StoreError("the holder does not release the session's lock")
                await anyio.sleep(pause)
                pause *= 1.5
            lease.held = True
            try:
                yield
            finally:
                lease.held = False
                with anyio.CancelScope(shield=True), suppress(StoreError, OSError):
                    await self._ask(lambda: self._machine.release(key, lease))

    async def _ask(self, act: Callable[[], _T]) -> _T:
        world, machine = self._world, self._machine
        if world.fault_occurs("store down"):
            machine.down_until = anyio.current_time() + world.rng.uniform(0.0, 2.0) * LIFE
        if world.fault_occurs("store refuses") or (world.faulty and anyio.current_time() < machine.down_until):
            await self._process.exchange(lambda: None)
            raise world.rng.choice((StoreError, OSError))("the store has no time")
        hangs = world.fault_occurs("store hangs")
        answer = await self._process.exchange(act, 2 * REFRESH_TIMEOUT if hangs else 0.0)
        if world.fault_occurs("store answer lost"):
            raise StoreError("the store's answer was lost")
        return answer
