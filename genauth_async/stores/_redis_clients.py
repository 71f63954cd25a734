"""The connections of a RedisStore: one awaitable interface to blocking and async clients."""

from __future__ import annotations

import codecs
import inspect
from collections.abc import Callable
from functools import cached_property, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import anyio
from sniffio import current_async_library

from .._core.per_loop import PerLoop
from .._core.shielding import run_shielded
from .._core.worker_threads import Threads
from ..errors import ConfigurationError
from ._given import kind_of

try:
    import redis
    import redis.asyncio
    from redis.asyncio.client import Pipeline as AsyncPipeline
    from redis.asyncio.retry import Retry as AsyncRetry
    from redis.backoff import NoBackoff
    from redis.client import Pipeline
    from redis.exceptions import MasterDownError
    from redis.retry import Retry

    from ._redis_errors import is_about_role, redis_errors
except ImportError as error:  # pragma: no cover - tried in an environment of its own
    raise ImportError("RedisStore needs the package redis: pip install 'genauth-async[redis]'") from error

Client: TypeAlias = Any
"""A client of redis-py, blocking or of asyncio, for one server, Sentinel or a cluster."""

_HEALTH_SECONDS: Final = 30
# redis-py hands any option of a URL to the connection, as text where it expects an object.
_OPTIONS: Final = (
    "client_name",
    "db",
    "decode_responses",
    "encoding",
    "health_check_interval",
    "legacy_responses",
    "max_connections",
    "password",
    "protocol",
    "retry_on_timeout",
    "socket_connect_timeout",
    "socket_keepalive",
    "socket_read_size",
    "socket_timeout",
    "timeout",
    "username",
)
_THREADS: Final = 16
# The first may get a connection to the former master that another task had at that time.
_RETRIES: Final = 2

# Newer versions of redis-py read their own version from the disk for each connection, unless it is given.
_DRIVER: Final = (
    {"driver_info": import_module("redis.driver_info").DriverInfo(lib_version=redis.__version__)}
    if find_spec("redis.driver_info")
    else {}
)


class RedisClients:
    """Provides the client for the running event loop, and awaits its calls.

    Args:
        given: a client, or the URL to create clients from.
        timeout: seconds that a call may take.

    Raises:
        ConfigurationError: it is neither a client nor the URL of a Redis server.
    """

    def __init__(self, given: str | Client, timeout: float) -> None:
        self._timeout = timeout
        self._threads = Threads(_THREADS)
        self._url = given if isinstance(given, str) else None
        self._given = None if isinstance(given, str) else given
        if self._url is not None:
            _check_url(self._url)
        elif not _is_client(given):
            raise ConfigurationError(
                "client", f"must be a URL, a redis.Redis or a redis.asyncio.Redis, not {kind_of(given)}"
            )
        self._starting = PerLoop(lambda: anyio.Lock(fast_acquire=True))
        self._of_loop = PerLoop(partial(self._made, redis.asyncio.Redis))

    @property
    def is_cluster(self) -> bool:
        """Return True for a given client of a cluster."""
        return isinstance(self._given, (redis.RedisCluster, redis.asyncio.RedisCluster))

    def current(self) -> Client:
        """Return the client for the running event loop."""
        if self._given is not None:
            if _is_async(self._given) and current_async_library() != "asyncio":
                raise ConfigurationError("client", "must be a URL or a redis.Redis on trio, not a redis.asyncio.Redis")
            return self._given
        return self._of_loop.get() if current_async_library() == "asyncio" else self._blocking

    async def run(self, call: Callable[..., Any], *arguments: object) -> Any:
        """Call a method of the current client, within the timeout.

        A cancelled caller waits for the answer, too: a command that was sent may take effect, and redis-py would
        swallow some cancellations.

        Args:
            call: the method, or a function that asks several commands at once. It is called again, on new connections,
                after the server refused it since it is not the master.
            arguments: of the method.

        Raises:
            StoreError: Redis did not answer, or not now.
            StoreUnusableError: Redis, or the client, has to be changed first.
            LockError: the lock is not in the state that the call requires.
        """
        client = self.current()
        asked = partial(call, *arguments)
        if _is_async(client):
            return await run_shielded(lambda: self._asked(client, asked))
        return await run_shielded(lambda: self._threads.run(partial(_asked_by_thread, client, asked)))

    async def _asked(self, client: Client, call: Callable[[], Any]) -> Any:
        with redis_errors(), anyio.fail_after(self._timeout):
            if isinstance(client, redis.asyncio.RedisCluster):
                # Many first calls at once would close connections of each other, and bind a lock to their loop.
                async with self._starting.get():
                    await client.initialize()
            left = _RETRIES
            while True:
                try:
                    return _checked(await call())
                except redis.RedisError as error:
                    if not is_about_role(error):
                        raise
                    await _disconnect_idle(client)
                    if not left:
                        raise
                left -= 1

    async def aclose(self) -> None:
        """Close the running event loop's own client, and the blocking one."""
        client = self._of_loop.pop() if current_async_library() == "asyncio" else None
        if client is not None:
            await client.aclose()
        blocking = self.__dict__.pop("_blocking", None)
        if blocking is not None:
            blocking.close()

    @cached_property
    def _blocking(self) -> Client:
        return self._made(redis.Redis)

    def _made(self, kind: Any) -> Client:
        retry = (AsyncRetry if kind is redis.asyncio.Redis else Retry)(
            # One retry after a broken connection, which an idle one often is, and on a new one after an answer of a
            # former master. All commands here are safe to repeat. No retry after a timeout: the server would not answer
            # at once.
            NoBackoff(),
            1,
            supported_errors=(redis.ConnectionError, redis.ReadOnlyError, MasterDownError),
        )
        assert self._url is not None  # noqa: S101 - else a client was given
        options: dict[str, Any] = {"socket_timeout": self._timeout, "retry": retry, **_DRIVER}
        if not self._url.startswith("unix:"):
            options |= {"socket_connect_timeout": self._timeout, "socket_keepalive": True}
        # This pool lets callers wait for a connection; the default one raises when all are in use.
        pool: Any = (redis.asyncio if kind is redis.asyncio.Redis else redis).BlockingConnectionPool
        return kind.from_pool(
            pool.from_url(self._url, timeout=self._timeout, health_check_interval=_HEALTH_SECONDS, **options)
        )


def _asked_by_thread(client: Client, call: Callable[[], Any]) -> Any:
    with redis_errors():
        left = _RETRIES
        while True:
            try:
                return _checked(call())
            except redis.RedisError as error:
                if not is_about_role(error):
                    raise
                _disconnect_idle_now(client)
                if not left:
                    raise
            left -= 1


def _checked(answer: Any) -> Any:
    """Raise the first error among the answers to several commands."""
    for error in answer if isinstance(answer, list) else ():
        if isinstance(error, Exception):
            raise error
    return answer


def _disconnect_idle_now(client: Client) -> None:
    if hasattr(client, "connection_pool"):  # a cluster's has none, and finds its masters by itself
        try:
            client.connection_pool.disconnect(inuse_connections=False)
        except TypeError:  # redis-py 6's blocking pool has no choice
            client.connection_pool.disconnect()


async def _disconnect_idle(client: Client) -> None:
    # The pool's own method waits for each connection, which another task may take and open meanwhile.
    idle: list[Any] = list(getattr(getattr(client, "connection_pool", None), "_available_connections", ()))
    for connection in idle:
        await connection.disconnect(nowait=True)


def _check_url(url: str) -> None:
    """Check a URL as redis-py does only when it connects.

    Raises:
        ConfigurationError: it is not the URL of a Redis server. The message does not quote it: a password with a `?` or
            `/` in it looks like an option.
    """
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigurationError("client", "must be the URL of a Redis server: redis://, rediss:// or unix://")
    try:
        url.encode()
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        codecs.lookup(options.get("encoding", "utf-8"))
        pool: Any = redis.BlockingConnectionPool
        pool.from_url(url, **_DRIVER).make_connection()  # without connecting
        database = parts.path.strip("/")
        is_address = bool(database) if parts.scheme == "unix" else not database or database.isdecimal()
        is_known = all(name in _OPTIONS or name.startswith("ssl_") for name in options)
    except (TypeError, ValueError, AttributeError, LookupError, OSError, redis.RedisError):
        is_address = is_known = False
    if not (is_address and is_known):
        raise ConfigurationError(
            "client",
            f"is a URL with an invalid address, database or option; its options may be {', '.join(_OPTIONS)}, and "
            "ssl_... of rediss://. Special characters of a password must be percent-encoded",
        )


def _is_client(given: object) -> bool:
    if isinstance(given, (type, Pipeline, AsyncPipeline)):
        return False
    return callable(getattr(given, "execute_command", None)) and callable(getattr(given, "lock", None))


def _is_async(client: Client) -> bool:
    return inspect.iscoroutinefunction(client.execute_command)
