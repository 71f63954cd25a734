"""A token store in Redis, for sessions shared by several machines."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final

from .._arguments.numbers import require_seconds, shown
from ..errors import ConfigurationError, StoreError, StoreUnusableError
from ._codec import RecordCodec
from ._protocol import SessionRecord
from ._redis_clients import RedisClients
from ._redis_lock import RedisLocks

if TYPE_CHECKING:
    import redis
    import redis.asyncio

_DAY: Final = 86400.0
# Seconds by which a record without a refresh token outlives its access token.
_MARGIN: Final = 60.0
# Redis counts in milliseconds.
_SHORTEST: Final = 0.001
_LONGEST: Final = 3650 * _DAY
# The part of a call's timeout for its replicas. Redis ends the wait up to 0.1 s late.
_WAITED: Final = 0.5

# The generation is a field of its own, so that sealed records can be compared.
_COMPARE_AND_SET: Final = """
local expected, generation, life, record = unpack(ARGV)
if (redis.call('HGET', KEYS[1], 'generation') or '') ~= expected then
    return 0
end
redis.call('HSET', KEYS[1], 'generation', generation, 'record', record)
redis.call('PEXPIRE', KEYS[1], life)
return 1
"""

_DELETE: Final = """
local present = redis.call('HGET', KEYS[1], 'generation')
if present and ARGV[1] ~= '' and present ~= ARGV[1] then
    return 0
end
redis.call('DEL', KEYS[1])
return 1
"""

# A sorted set of a user's session keys, by the times until which they live.
_SET_UNTIL: Final = """
local key, now, untl, life, is_new = unpack(ARGV)
local present = redis.call('ZSCORE', KEYS[1], key)
if is_new == '0' and (not present or tonumber(present) < tonumber(now)) then
    return 0
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)
redis.call('ZADD', KEYS[1], untl, key)
if redis.call('PTTL', KEYS[1]) < tonumber(life) then
    redis.call('PEXPIRE', KEYS[1], life)
end
return 1
"""

_REMOVE_SESSION: Final = "return redis.call('ZREM', KEYS[1], ARGV[1])"


class RedisStore:
    """Keeps sessions in Redis, for all processes and machines that use the same server.

    Given a URL, it works on every event loop and in every thread, with its own connections, which `aclose` closes. It
    leaves a given client open. A `redis.asyncio.Redis` works on asyncio only, on its own event loop. The calls of a
    `redis.Redis` run in worker threads.

    If a server refuses commands since it is not the master, the store resolves its address and connects again, so a
    failover behind one address needs no restart. A server, client or record that has to be changed before it can be
    used raises a StoreUnusableError with the remedy; a server that does not answer, or is busy, a StoreError.

    Args:
        client: a URL (`redis://`, `rediss://`, `unix://`), or a redis-py client, also of Sentinel or a cluster.
        prefix: the prefix of all keys in Redis.
        secrets: random texts of at least 32 characters that seal the records; the first seals, all open. Records are in
            clear when None.
        accepts_clear: read records in clear, too, although there are secrets, as during a migration.
        ttl: seconds for which a session is kept after its last write; at least a refresh token's life.
        lock_seconds: seconds after which the lock of a dead process expires. A living process extends it.
        lock_timeout: seconds after which waiting for a lock ends with a StoreError; more than `lock_seconds`, or a
            caller that waits for a dead process gives up too soon.
        timeout: seconds for a call to Redis. A given blocking client keeps its own.
        replicas: the number of replicas that must have a write (WAIT). If fewer have it after half of `timeout`, the
            write raises a StoreError, although the master has made it. Not for clusters.

    Raises:
        ConfigurationError: an argument is invalid.
    """

    def __init__(
        self,
        client: str | redis.Redis | redis.asyncio.Redis,
        *,
        prefix: str = "genauth:session:",
        secrets: str | Sequence[str] | None = None,
        accepts_clear: bool = False,
        ttl: float = 30 * _DAY,
        lock_seconds: float = 30.0,
        lock_timeout: float = 60.0,
        timeout: float = 5.0,
        replicas: int = 0,
    ) -> None:
        times = {"ttl": ttl, "lock_seconds": lock_seconds, "lock_timeout": lock_timeout, "timeout": timeout}
        for name, seconds in times.items():
            require_seconds(name, seconds, least=_SHORTEST, most=_LONGEST, words="from 0.001 to ten years")
        if not isinstance(prefix, str):
            raise ConfigurationError("prefix", f"must be a str, not {type(prefix).__name__}")
        self._prefix = prefix
        self._codec = RecordCodec(secrets, accepts_clear=accepts_clear)
        self._ttl = ttl
        self._clients = RedisClients(client, timeout)
        self._locks = RedisLocks(self._clients, lock_seconds, lock_timeout)
        self._timeout = timeout
        if type(replicas) is not int or replicas < 0:
            raise ConfigurationError("replicas", f"must be an int, 0 or more, not {shown(replicas)}")
        if replicas and self._clients.is_cluster:
            raise ConfigurationError("replicas", "must be 0 for a cluster; set its min-replicas-to-write instead")
        self._replicas = replicas

    def __repr__(self) -> str:
        return f"<RedisStore {self._prefix!r}>"

    async def get(self, key: str) -> SessionRecord | None:
        """Return the record, or None."""
        text = await self._clients.run(self._clients.current().hget, self._name("record", key), "record")
        if text is None:
            return None
        try:
            return self._codec.decode(key, text if isinstance(text, str) else text.decode())
        except ValueError:
            raise StoreUnusableError(
                "The value in Redis under the session's key is not a session's record; choose another prefix, or "
                "delete it, and the user signs in again"
            ) from None

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Write the record if the stored one has this generation (None: if there is none); return True if written."""
        arguments = (
            "" if expected is None else expected,
            record.generation,
            self._life(record),
            self._codec.encode(key, record),
        )
        return await self._run(_COMPARE_AND_SET, self._name("record", key), *arguments)

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Remove the record if it has this generation (None: any); return True if there is none now."""
        return await self._run(_DELETE, self._name("record", key), "" if expected is None else expected)

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the key's lock, exclusively across all processes that share the server."""
        return self._locks.hold(key, self._name("lock", key))

    async def add_session(self, user: str, key: str, *, now: float, until: float) -> None:
        """Add a session to the user's, or set its `until`."""
        await self._set_until(user, key, now, until, is_new=True)

    async def touch_session(self, user: str, key: str, *, now: float, until: float) -> bool:
        """Set the `until` of a session; return False, and do nothing, if it is not there or its `until` has passed."""
        return await self._set_until(user, key, now, until, is_new=False)

    async def remove_session(self, user: str, key: str) -> None:
        """Remove a session from the user's, if it is there."""
        await self._run(_REMOVE_SESSION, self._name("user", user), key)

    async def sessions_of(self, user: str, *, now: float) -> list[str]:
        """Return the keys of the user's sessions whose `until` has not passed."""
        client, name = self._clients.current(), self._name("user", user)
        found = await self._clients.run(client.zrangebyscore, name, repr(now), "+inf")
        return [key if isinstance(key, str) else key.decode() for key in found]

    async def server_info(self) -> Mapping[str, object]:
        """Return the server's INFO, such as its persistence settings."""
        info: Mapping[str, object] = await self._clients.run(self._clients.current().info)
        return info

    async def aclose(self) -> None:
        """Close the store's own connections: the running event loop's, and those of its worker threads."""
        await self._clients.aclose()

    async def _set_until(self, user: str, key: str, now: float, until: float, *, is_new: bool) -> bool:
        life = max(1, math.ceil((until - now) * 1000))
        return await self._run(_SET_UNTIL, self._name("user", user), key, repr(now), repr(until), life, int(is_new))

    async def _run(self, script: str, name: bytes, *arguments: str | int) -> bool:
        """Run a script on a key of Redis; return its result once the replicas have it, too."""
        client = self._clients.current()
        if not self._replicas:
            return bool(await self._clients.run(client.register_script(script), [name], arguments))

        def ask() -> Any:
            # WAIT is about the writes of its own connection.
            pipeline = client.pipeline(transaction=False)
            pipeline.eval(script, 1, name, *arguments)
            pipeline.wait(self._replicas, math.ceil(self._timeout * _WAITED * 1000))
            return pipeline.execute(raise_on_error=False)

        is_done, reached = await self._clients.run(ask)
        if is_done and reached < self._replicas:
            raise StoreError(
                f"The write to Redis reached {reached} replicas, not {self._replicas}, within "
                f"{self._timeout * _WAITED:g} s; the master has made it"
            )
        return bool(is_done)

    def _name(self, kind: str, key: str) -> bytes:
        return f"{self._prefix}{kind}:{key}".encode("utf-8", "surrogatepass")

    def _life(self, record: SessionRecord) -> int:
        """Return the record's remaining life in milliseconds, relative because clocks of machines differ."""
        seconds = self._ttl
        if record.expires_at is not None:
            seconds = min(seconds, record.expires_at - time.time())
        tokens = record.tokens
        if tokens.refresh_token is None and tokens.expires_in is not None and tokens.expires_in > 0:
            seconds = min(seconds, tokens.expires_in + _MARGIN)
        return int(seconds * 1000)
