"""A token store in Redis, for sessions shared by several machines."""

from __future__ import annotations

import secrets as random_secrets
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from attrs import frozen

from .._arguments.numbers import require_seconds
from ..errors import ConfigurationError, StoreError
from ._codec import RecordCodec
from ._protocol import SessionRecord
from ._redis_clients import RedisClients
from ._redis_lock import RedisLocks, remember

if TYPE_CHECKING:
    import redis
    import redis.asyncio

_DAY: Final = 86400.0
# Seconds by which a record without a refresh token outlives its access token.
_MARGIN: Final = 60.0
# Redis counts in milliseconds.
_SHORTEST: Final = 0.001
_LONGEST: Final = 3650 * _DAY

# The generation is a field of its own, so that sealed records can be compared. `write` distinguishes a write repeated
# after a lost answer from another process's write of the same generation.
_COMPARE_AND_SET: Final = """
local present = redis.call('HMGET', KEYS[1], 'generation', 'write')
local expected, generation, write, life, record = unpack(ARGV)
if (present[1] or '') ~= expected then
    return (present[1] == generation and present[2] == write) and 1 or 0
end
redis.call('HSET', KEYS[1], 'generation', generation, 'write', write, 'record', record)
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


@frozen
class _Write:
    record: SessionRecord
    expected: int | None
    id: str


class RedisStore:
    """Keeps sessions in Redis, for all processes and machines that use the same server.

    Given a URL, it works on every event loop and in every thread, with its own connections, which `aclose` closes. It
    leaves a given client open. A `redis.asyncio.Redis` works on asyncio only, on its own event loop. The calls of a
    `redis.Redis` run in worker threads.

    `compare_and_set` may be repeated after an error: if the failed write had succeeded, the store recognises its own
    write and returns True.

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
        # Failed writes that may have succeeded in Redis.
        self._doubtful: OrderedDict[str, _Write] = OrderedDict()

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
            raise StoreError("The value in Redis under the session's key is not a session's record") from None

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Write the record if the stored one has this generation (None: if there is none); return True if written."""
        write = self._doubtful.pop(key, None)
        if write is None or write.record != record or write.expected != expected:
            write = _Write(record, expected, random_secrets.token_hex(8))
        arguments = (
            "" if expected is None else expected,
            record.generation,
            write.id,
            self._life(record),
            self._codec.encode(key, record),
        )
        script = self._clients.current().register_script(_COMPARE_AND_SET)
        try:
            return bool(await self._clients.run(script, [self._name("record", key)], arguments))
        except BaseException:
            remember(self._doubtful, key, write)
            raise

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        """Remove the record if it has this generation (None: any); return True if there is none now."""
        script = self._clients.current().register_script(_DELETE)
        arguments = ["" if expected is None else expected]
        return bool(await self._clients.run(script, [self._name("record", key)], arguments))

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold the key's lock, exclusively across all processes that share the server."""
        return self._locks.hold(key, self._name("lock", key))

    async def server_info(self) -> Mapping[str, object]:
        """Return the server's INFO, such as its persistence settings."""
        info: Mapping[str, object] = await self._clients.run(self._clients.current().info)
        return info

    async def aclose(self) -> None:
        """Close the store's own connections: the running event loop's, and those of its worker threads."""
        await self._clients.aclose()

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
