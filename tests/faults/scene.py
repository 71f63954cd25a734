"""The scene of a case: an emulator, a store, and the processes that share a session."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Final, Protocol, TypeVar

import anyio

from genauth_async import TokenSet
from genauth_async.emulator import Emulator, User
from genauth_async.emulator.http.hold import Hold
from genauth_async.stores import RedisStore, SessionRecord, TokenStore
from tests.core.sessions import REFRESH
from tests.faults.cases import LIFE
from tests.faults.redis_proxy import RedisProxy
from tests.faults.worker import Plan
from tests.faults.workers import Worker
from tests.stores.redis_server import RedisServer

KEY: Final = "ada"
_LONG: Final = 20.0
_T = TypeVar("_T")


class Gate(Protocol):
    """A point at which a process or its message stands still."""

    def wait(self) -> None:
        """Returns when it is there."""

    def release(self) -> None:
        """Lets it go on."""

    def lose(self) -> None:
        """Lets it go no further, where it is a message that its sender has not handed over."""


class Scene:
    """All that a case needs.

    Args:
        emulator: the server.
        user: whose session it is.
        make_store: gives a store for the inspection.
        place: where the workers' store is.
        options: of the workers' store.
        proxy: before Redis, if that is the store.
        redis: the server that is the store, if one is.
        backend: the workers' event loop.
        token_age: of the session's access token.
    """

    def __init__(
        self,
        emulator: Emulator,
        user: User,
        make_store: Callable[[], TokenStore],
        place: str,
        options: dict[str, object],
        backend: str,
        *,
        token_age: float,
        proxy: RedisProxy | None = None,
        redis: RedisServer | None = None,
    ) -> None:
        self.emulator = emulator
        self.refresh_timeout = _LONG
        self.options = options
        self._place = place
        self._make_store = make_store
        self._backend = backend
        self._proxy = proxy
        self._redis = redis
        self._ending = ExitStack()
        self._issued = emulator.issue_tokens(user)
        self.tokens = self.tokens_aged(token_age)

    @property
    def proxy(self) -> RedisProxy:
        assert self._proxy is not None
        return self._proxy

    @property
    def is_redis(self) -> bool:
        return self._redis is not None

    @property
    def redis(self) -> RedisServer:
        assert self._redis is not None
        return self._redis

    def tokens_aged(self, seconds: float) -> TokenSet:
        """The session's first tokens, as though they had come so long ago."""
        return TokenSet(
            access_token=str(self._issued["access_token"]),
            refresh_token=str(self._issued["refresh_token"]),
            expires_in=int(LIFE),
            obtained_at=time.time() - seconds,
        )

    def prepare(self) -> None:
        """Puts the session into the store."""
        first = SessionRecord(tokens=self.tokens, generation=1)
        assert self._in_store(lambda store: store.compare_and_set(KEY, first, expected=None))

    def stored(self) -> SessionRecord | None:
        """Return the record in the store."""
        return self._in_store(lambda store: store.get(KEY))

    def start(self, tokens: TokenSet | None = None, options: Mapping[str, object] | None = None) -> Worker:
        """A process that has the session.

        Args:
            tokens: what it begins with; None for what the store has.
            options: of its store, besides those of all.
        """
        plan = Plan(
            url=self.emulator.url,
            app_id=self.emulator.app_id,
            app_secret=self.emulator.app_secret,
            place=self._place,
            options={**self.options, **(options or {})},
            key=KEY,
            refresh_timeout=self.refresh_timeout,
            backend=self._backend,
            tokens=None if tokens is None else tokens.to_dict(),
        )
        worker = Worker(plan)
        self._ending.callback(worker.close)
        return worker

    def hold(self, *, after: bool = False) -> Gate:
        """Keeps the next refresh waiting at the server, before or after it is processed."""
        hold = self.emulator.faults.hold(REFRESH, after=after)
        self._ending.callback(hold.release)
        return _ServerGate(hold)

    def close(self) -> None:
        """Ends all processes, whatever state they are in."""
        self._ending.close()

    def _in_store(self, action: Callable[[TokenStore], Awaitable[_T]]) -> _T:
        async def run() -> _T:
            store = self._make_store()
            result = await action(store)
            if isinstance(store, RedisStore):
                await store.aclose()
            return result

        return anyio.run(run)


class _ServerGate:
    def __init__(self, hold: Hold) -> None:
        self._hold = hold

    def wait(self) -> None:
        self._hold.wait_arrived_blocking(timeout=30)

    def release(self) -> None:
        self._hold.release()

    def lose(self) -> None:
        # A request that is inside the server is processed, even if no client waits for the answer.
        self._hold.release()


class FileGate:
    """A gate at which a worker stands still while it writes a file."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def wait(self) -> None:
        self._worker.stopped()

    def release(self) -> None:
        self._worker.send("go on")

    def lose(self) -> None:
        """It was killed."""
