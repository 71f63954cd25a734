"""The connections of a RedisStore: whichever kind of client there is, a call is awaited in the same way."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

import anyio
from sniffio import current_async_library

from .._core.per_loop import PerLoop
from .._core.shielding import finish
from .._core.worker_threads import Threads
from ..errors import ConfigurationError, StoreError

try:
    import redis
    import redis.asyncio
    from redis.asyncio.retry import Retry as AsyncRetry
    from redis.backoff import NoBackoff
    from redis.exceptions import LockError, ResponseError
    from redis.retry import Retry
except ImportError as error:  # pragma: no cover - tried in an environment of its own
    raise ImportError("RedisStore needs the package redis: pip install 'genauth-async[redis]'") from error

Client: TypeAlias = Any
"""A client of redis-py, blocking or of asyncio, for one server, Sentinel or a cluster."""

_HEALTH_SECONDS: Final = 30
_THREADS: Final = 16

# Newer versions of the library look for their number on the disk with each connection, unless they are told.
_DRIVER: Final = (
    {"driver_info": import_module("redis.driver_info").DriverInfo(lib_version=redis.__version__)}
    if find_spec("redis.driver_info")
    else {}
)


class RedisClients:
    """Gives the client for the running event loop, and awaits its calls.

    Args:
        given: a client, or the URL to make clients from.
        timeout: seconds that a call may take.

    Raises:
        ConfigurationError: it is no client, or no URL of a Redis server.
    """

    def __init__(self, given: str | Client, timeout: float) -> None:
        self._timeout = timeout
        self._threads = Threads(_THREADS)
        self._url = given if isinstance(given, str) else None
        self._given = None if isinstance(given, str) else given
        if self._url is not None:
            try:
                redis.ConnectionPool.from_url(self._url)
            except ValueError:
                # The library's own words may quote the URL, and so the password.
                message = "is no URL of a Redis server: redis://, rediss:// or unix://"
                raise ConfigurationError("client", message) from None
        elif not (callable(getattr(given, "execute_command", None)) and callable(getattr(given, "lock", None))):
            raise ConfigurationError("client", "is a URL, a redis.Redis or a redis.asyncio.Redis")
        self._of_loop = PerLoop(partial(self._made, redis.asyncio.Redis))

    def current(self) -> Client:
        """The client to use here."""
        if self._given is not None:
            if _is_async(self._given) and current_async_library() != "asyncio":
                raise ConfigurationError("client", "works on asyncio only; give the URL, or a redis.Redis")
            return self._given
        return self._of_loop.get() if current_async_library() == "asyncio" else self._blocking

    async def run(self, call: Callable[..., Any], *arguments: object) -> Any:
        """What a method of the current client answers, within the time that it has.

        A caller that is cancelled meanwhile waits for the answer, too: a command that went out may have its effect, and
        redis-py would take some cancellations for its own, and say nothing of them.

        Raises:
            StoreError: Redis did not answer, or with an error.
            LockError: the lock is not what the call takes it for.
        """
        try:
            return await finish(lambda: self._asked(partial(call, *arguments)))
        except LockError:
            raise
        except ResponseError as error:
            # An unknown command is answered with its arguments, a record among them.
            cause = None if "args" in str(error) else error
            raise StoreError("Redis refused what the session's store asked for") from cause
        except (redis.RedisError, OSError) as error:
            raise StoreError(f"Redis cannot be used now ({type(error).__name__})") from error

    async def _asked(self, call: Callable[[], Any]) -> Any:
        if not _is_async(self.current()):
            return await self._threads.run(call)
        with anyio.fail_after(self._timeout):
            return await call()

    async def aclose(self) -> None:
        """Closes what was made here for the running event loop, and the blocking client."""
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
            # Once more after a broken connection, which an idle one often is. Nothing here does harm when it comes
            # twice. A server that does not answer in time will not do so at once.
            NoBackoff(),
            1,
            supported_errors=(redis.ConnectionError,),
        )
        assert self._url is not None  # noqa: S101 - or there is a client that was given
        options: dict[str, Any] = {"socket_timeout": self._timeout, "retry": retry, **_DRIVER}
        if not self._url.startswith("unix:"):
            options |= {"socket_connect_timeout": self._timeout, "socket_keepalive": True}
        # Which has callers wait for a connection; the usual pool has errors for them when there are too many.
        pool: Any = (redis.asyncio if kind is redis.asyncio.Redis else redis).BlockingConnectionPool
        return kind.from_pool(
            pool.from_url(self._url, timeout=self._timeout, health_check_interval=_HEALTH_SECONDS, **options)
        )


def _is_async(client: Client) -> bool:
    return inspect.iscoroutinefunction(client.execute_command)
