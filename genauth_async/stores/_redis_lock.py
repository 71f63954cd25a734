"""Locks by key across all processes that share a Redis server: redis-py's, extended while they are held."""

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

from .._core.background import unlist_current_task
from .._core.shielding import run_shielded
from ..errors import StoreError, StoreLockedError
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
    """One lock per key.

    Args:
        clients: the connections.
        seconds: a lock's lifetime if its holder dies; a living holder extends it every third of that.
        timeout: seconds after which waiting for a lock ends with a StoreError.
    """

    def __init__(self, clients: RedisClients, seconds: float, timeout: float) -> None:
        self._clients = clients
        self._seconds = seconds
        self._timeout = timeout
        self._local = LocalLocks(timeout)
        # The time and error of the last failed attempt, by the lock's name.
        self._failed: OrderedDict[bytes, tuple[float, type[StoreError], str]] = OrderedDict()
        # Tokens of locks that may still exist, since Redis did not answer their release: they prove them ours.
        self._left: OrderedDict[tuple[int, bytes], bytes] = OrderedDict()

    @asynccontextmanager
    async def hold(self, key: str, name: bytes) -> AsyncIterator[None]:
        """Hold the lock of a key, which has this name in Redis."""
        async with AsyncExitStack() as stack:
            lock = None
            with anyio.move_on_after(self._timeout):
                lock = await self._taken(stack, key, name)
            if lock is None:
                raise StoreLockedError(
                    f"Could not acquire the session lock within {self._timeout:g} s; its holder is stuck"
                )
            failure: BaseException | None = None
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep_alive, lock)
                try:
                    yield
                except BaseException as error:  # noqa: BLE001 - raised below, since the task group would wrap it
                    failure = error
                tasks.cancel_scope.cancel()
            if failure is not None:
                try:
                    raise failure
                finally:
                    del failure  # breaks the cycle of its traceback and this frame

    async def _taken(self, stack: AsyncExitStack, key: str, name: bytes) -> Any:
        asked = time.monotonic()
        # One task per process asks Redis.
        await stack.enter_async_context(self._local.hold(key))
        at, kind, message = self._failed.get(name, (0.0, StoreError, ""))
        if at > asked:
            # Callers that waited for a failed attempt fail with it: one attempt each, in turn, would take too long.
            raise kind(f"Another caller's attempt for the same lock has just failed. {message}")
        lock = self._clients.current().lock(name, timeout=self._seconds, blocking=False, thread_local=False)
        # The token is known beforehand, so that a lock whose answer was lost is recognised as ours. A forked child does
        # not claim locks of its parent.
        token = self._left.pop((os.getpid(), name), None) or secrets.token_hex(16).encode()
        lock.local.token = token
        stack.push_async_callback(self._release, lock, token)
        pause = _FIRST_PAUSE
        try:
            while not await run_shielded(partial(self._try, lock)):  # both of its calls, or none
                await anyio.sleep(pause * _random.uniform(0.5, 1.0))
                pause = min(2 * pause, _LONGEST_PAUSE)
        except StoreError as error:
            remember(self._failed, name, (time.monotonic(), type(error), str(error)))
            raise
        return lock

    async def _try(self, lock: Any) -> bool:
        # A client that retries after a lost answer finds the lock held: by itself.
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
        unlist_current_task()  # its end would end the refresh under way
        while True:
            await anyio.sleep(self._seconds / 3)
            try:
                await self._extend(lock)
            except LockError:
                # The work continues: compare_and_set protects its writes.
                _log.warning("A session lock expired while it was held: Redis lost it, or this process was suspended")
                return
            except Exception as error:  # noqa: BLE001 - no failure here may end the work in progress
                _log.warning("A session lock could not be extended (%s)", type(error).__name__)

    async def _release(self, lock: Any, token: bytes) -> None:
        try:
            await self._clients.run(lock.release)
        except LockError:
            pass  # it expired, or was never ours
        except StoreError as error:
            _log.warning("A session lock could not be released; it expires by itself: %s", error)
            remember(self._left, (os.getpid(), lock.name), token)


def remember(some: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    """Add an entry and evict the oldest beyond the limit."""
    some[key] = value
    some.move_to_end(key)
    if len(some) > _REMEMBERED:
        some.popitem(last=False)
