"""The scene of a case: an emulator, a store, and the processes that share a session."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Final, Protocol, TypeVar

import anyio

from genauth_async import AuthenticationClient, TokenSession, TokenSet
from genauth_async._session.token_sets import TokensLike
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
LONG: Final = 20.0
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
        self.resends = True
        self.options = options
        self._place = place
        self._make_store = make_store
        self._backend = backend
        self._proxy = proxy
        self._redis = redis
        self._ending = ExitStack()
        self._user = user
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
        app_id, app_host = self.emulator.app_id, self.emulator.url
        first = SessionRecord(tokens=self.tokens, generation=1, app_id=app_id, app_host=app_host)
        assert self._in_store(lambda store: store.compare_and_set(KEY, first, expected=None))

    def stored(self) -> SessionRecord | None:
        """Return the record in the store."""
        return self._in_store(lambda store: store.get(KEY))

    def start(
        self,
        tokens: TokenSet | None = None,
        options: Mapping[str, object] | None = None,
        refresh_timeout: float = LONG,
    ) -> Worker:
        """Start a process that has the session.

        Args:
            tokens: what it begins with; None for what the store has.
            options: of its store, besides those of all.
            refresh_timeout: of its client; others wait that long for an attempt of this process.
        """
        plan = Plan(
            url=self.emulator.url,
            app_id=self.emulator.app_id,
            app_secret=self.emulator.app_secret,
            place=self._place,
            options={**self.options, **(options or {})},
            key=KEY,
            refresh_timeout=refresh_timeout,
            resends=self.resends,
            backend=self._backend,
            tokens=None if tokens is None else tokens.to_dict(),
        )
        worker = Worker(plan)
        self._ending.callback(worker.close)
        return worker

    def hold(self, *, after: bool = False, drop: bool = False) -> Gate:
        """Keep the next refresh waiting at the server, before or after it is processed; it may then be dropped."""
        hold = Hold()
        self.emulator.faults.add(REFRESH, hold=None if after else hold, hold_reply=hold if after else None, drop=drop)
        self._ending.callback(hold.release)
        return _ServerGate(hold)

    def await_processing(self, refreshes: int) -> None:
        """Return once the server has processed so many refreshes, for which no client may wait any more."""
        give_up = time.monotonic() + LONG
        while sum(self.emulator.grants.presented().values()) < refreshes:
            assert time.monotonic() < give_up, "the server does not process a refresh"
            time.sleep(0.01)

    def close(self) -> None:
        """Ends all processes, whatever state they are in."""
        self._ending.close()

    def sign_in_again(self) -> None:
        """Store another sign-in under the session's key."""
        self._elsewhere(self.emulator.issue_tokens(self._user), TokenSession.access_token)

    def log_out(self) -> None:
        """Log the user out."""
        self._elsewhere(None, TokenSession.logout)

    def _elsewhere(self, tokens: TokensLike | None, act: Callable[[TokenSession], Awaitable[object]]) -> None:
        async def run(store: TokenStore) -> None:
            async with AuthenticationClient(
                self.emulator.app_id, self.emulator.url, self.emulator.app_secret
            ) as client:
                await act(client.session(tokens, store=store, key=KEY))

        self._in_store(run)

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
