"""A store in Redis, for sessions that several machines share."""

from __future__ import annotations

import secrets as random_secrets
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from attrs import frozen

from ..errors import ConfigurationError, StoreError
from ._codec import RecordCodec
from ._protocol import SessionRecord
from ._redis_clients import RedisClients
from ._redis_lock import RedisLocks, remember

if TYPE_CHECKING:
    import redis
    import redis.asyncio

_DAY: Final = 86400.0
# An access token's last user need not be as punctual as Redis is.
_MARGIN: Final = 60.0
# Redis counts in milliseconds.
_SHORTEST: Final = 0.001
_LONGEST: Final = 3650 * _DAY

# The generation stands beside the record, so that sealed records can be compared. `write` tells a write that comes
# again, because its answer was lost, from somebody else's of the same generation.
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

    With a URL it works on every event loop and in every thread, with connections of its own, which `aclose` closes; a
    client that it is given it leaves open. A `redis.asyncio.Redis` works on asyncio, on the one event loop that it
    belongs to; the calls of a `redis.Redis` run in worker threads.

    `compare_and_set` may be repeated after an error: a write that had happened all the same is known for this store's
    own, and succeeds.

    Args:
        client: a URL (`redis://`, `rediss://`, `unix://`), or a client of redis-py, also one of Sentinel or a cluster.
        prefix: what the names of all keys in Redis begin with.
        secrets: random texts of 32 characters or more that seal the records; the first seals, all open. Records are in
            clear when None.
        accepts_clear: whether records in clear are read although there are secrets, as after an upgrade.
        ttl: seconds from its last write for which a session is kept; should not be less than a refresh token's life.
        lock_seconds: after what time the lock of a process that died is free. A living one extends it.
        lock_timeout: seconds after which waiting for a lock ends with a StoreError; more than `lock_seconds`, or who
            waits for a dead process gives up too soon.
        timeout: seconds that a call to Redis may take. A blocking client that is given has its own.

    Raises:
        ConfigurationError: an argument cannot be meant.
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
            if not _SHORTEST <= seconds <= _LONGEST:
                raise ConfigurationError(name, f"is in seconds, {_SHORTEST} at least, ten years at most: {seconds!r}")
        self._prefix = prefix
        self._codec = RecordCodec(secrets, accepts_clear=accepts_clear)
        self._ttl = ttl
        self._clients = RedisClients(client, timeout)
        self._locks = RedisLocks(self._clients, lock_seconds, lock_timeout)
        # Writes that failed, and may have happened.
        self._doubtful: OrderedDict[str, _Write] = OrderedDict()

    def __repr__(self) -> str:
        return f"<RedisStore {self._prefix!r}>"

    async def get(self, key: str) -> SessionRecord | None:
        """The record, or None."""
        text = await self._clients.run(self._clients.current().hget, self._name("record", key), "record")
        if text is None:
            return None
        try:
            return self._codec.decode(key, text if isinstance(text, str) else text.decode())
        except ValueError:
            raise StoreError("What Redis has under the session's key is not a session's record") from None

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        """Writes the record if the stored one has this generation (None: if there is none); tells whether it did."""
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
        """Removes the record if it has this generation (None: any); tells whether there is none now."""
        script = self._clients.current().register_script(_DELETE)
        arguments = ["" if expected is None else expected]
        return bool(await self._clients.run(script, [self._name("record", key)], arguments))

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Held by one at a time among all who share the server."""
        return self._locks.hold(key, self._name("lock", key))

    async def server_info(self) -> Mapping[str, object]:
        """What the server says of itself (INFO), such as how it keeps what is written."""
        info: Mapping[str, object] = await self._clients.run(self._clients.current().info)
        return info

    async def aclose(self) -> None:
        """Closes the connections that the store made for the running event loop, and those of its worker threads."""
        await self._clients.aclose()

    def _name(self, kind: str, key: str) -> bytes:
        return f"{self._prefix}{kind}:{key}".encode("utf-8", "surrogatepass")

    def _life(self, record: SessionRecord) -> int:
        """For how many milliseconds from now the record is to be kept: clocks of other machines need not agree."""
        seconds = self._ttl
        if record.expires_at is not None:
            seconds = min(seconds, record.expires_at - time.time())
        tokens = record.tokens
        if tokens.refresh_token is None and tokens.expires_in is not None and tokens.expires_in > 0:
            seconds = min(seconds, tokens.expires_in + _MARGIN)
        return int(seconds * 1000)
