"""Locks by key among all who share a Redis server: redis-py's own, kept alive while they are held."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, TypeVar

import anyio
from redis.exceptions import LockError

from .._core.shielding import finish
from ..errors import StoreError
from ._local_locks import LocalLocks
from ._redis_clients import RedisClients

_K = TypeVar("_K")
_V = TypeVar("_V")

_random: Final = secrets.SystemRandom()
_log: Final = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 0.005
_LONGEST_PAUSE: Final = 0.1
_REMEMBERED: Final = 1024


class RedisLocks:
    """A lock for each key.

    Args:
        clients: the connections.
        seconds: a lock's life, should its holder die; while it is held, it is extended every third of that.
        timeout: seconds after which waiting for a lock ends with a StoreError.
    """

    def __init__(self, clients: RedisClients, seconds: float, timeout: float) -> None:
        self._clients = clients
        self._seconds = seconds
        self._timeout = timeout
        self._local = LocalLocks()
        # When a try for a lock failed, by its name.
        self._failed: OrderedDict[bytes, float] = OrderedDict()
        # Tokens of locks that may be left behind, since Redis did not answer: with them they are found to be ours.
        self._left: OrderedDict[tuple[int, bytes], bytes] = OrderedDict()

    @asynccontextmanager
    async def hold(self, key: str, name: bytes) -> AsyncIterator[None]:
        """Holds the lock of a key, which has this name in Redis."""
        async with AsyncExitStack() as stack:
            lock = None
            with anyio.move_on_after(self._timeout):
                lock = await self._taken(stack, key, name)
            if lock is None:
                raise StoreError(
                    f"The session's lock was not to be had within {self._timeout:g} s: its holder is alive and hangs"
                )
            failure: BaseException | None = None
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep_alive, lock)
                try:
                    yield
                except BaseException as error:  # noqa: BLE001 - raised below, since the group would wrap it
                    failure = error
                tasks.cancel_scope.cancel()
            if failure is not None:
                try:
                    raise failure
                finally:
                    del failure  # its traceback has this frame: a cycle

    async def _taken(self, stack: AsyncExitStack, key: str, name: bytes) -> Any:
        asked = time.monotonic()
        # In this process one at a time asks Redis.
        await stack.enter_async_context(self._local.hold(key))
        if self._failed.get(name, 0.0) > asked:
            # Who waited for a try that failed shares its fate: a try of each, in turn, would take for ever.
            raise StoreError("Redis cannot be used now, as others who waited for the same lock have found")
        lock = self._clients.current().lock(name, timeout=self._seconds, blocking=False, thread_local=False)
        # Known from the beginning, so that a lock which was taken and whose answer was lost is known for ours. A forked
        # child takes nothing for its own that its parent left.
        token = self._left.pop((os.getpid(), name), None) or secrets.token_hex(16).encode()
        lock.local.token = token
        stack.push_async_callback(self._release, lock, token)
        pause = _FIRST_PAUSE
        try:
            while not await finish(partial(self._try, lock)):  # both of its calls, or none
                await anyio.sleep(pause * _random.uniform(0.5, 1.0))
                pause = min(2 * pause, _LONGEST_PAUSE)
        except StoreError:
            remember(self._failed, name, time.monotonic())
            raise
        return lock

    async def _try(self, lock: Any) -> bool:
        # A client that tries again by itself after a lost answer finds the lock taken: by itself.
        if await self._clients.run(partial(lock.acquire, token=lock.local.token)):
            return True
        try:
            await self._extend(lock)
        except LockError:
            return False
        return True

    async def _extend(self, lock: Any) -> None:
        await self._clients.run(partial(lock.extend, self._seconds, replace_ttl=True))

    async def _keep_alive(self, lock: Any) -> None:
        while True:
            await anyio.sleep(self._seconds / 3)
            try:
                await self._extend(lock)
            except LockError:
                # The work goes on: what it writes is compared first.
                _log.warning("A session's lock was lost while it was held: Redis lost it, or this process stood still")
                return
            except Exception as error:  # noqa: BLE001 - nothing of this may end the work that is under way
                _log.warning("A session's lock could not be extended (%s)", type(error).__name__)

    async def _release(self, lock: Any, token: bytes) -> None:
        try:
            await self._clients.run(lock.release)
        except LockError:
            pass  # It ran out, or was never ours.
        except StoreError as error:
            _log.warning("A session's lock could not be released, and ends by itself: %s", error)
            remember(self._left, (os.getpid(), lock.name), token)


def remember(some: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    """Notes something, and forgets the oldest where there is too much."""
    some[key] = value
    some.move_to_end(key)
    if len(some) > _REMEMBERED:
        some.popitem(last=False)
