"""A small world in virtual time: a server, processes that run or do not, and a network that loses things."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Final, Literal, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

import anyio
from anyio.abc import TaskGroup

from genauth_async import (
    Clock,
    ConnectionFailedError,
    ConnectionLostError,
    InvalidGrantError,
    NotJSONError,
    OAuthError,
    RequestTimeoutError,
)
from genauth_async._arguments.timeouts import Deadline, Timeout, deadline
from genauth_async._http.attempt import BeforeSend
from genauth_async._session.grants import Grants
from genauth_async.api._shared import Shared
from genauth_async.models.tokens import OIDCTokenResponse
from genauth_async.oidc.tokens import Tokens
from genauth_async.settings import Settings

BEGINNING: Final = 1_000_000.0
LIFE: Final = 100.0
REFRESH_TIMEOUT: Final = 10.0
# Shorter than a refresh may take: sessions do not rely on the lock.
LOCK_LIFE: Final = 3.0
LOCK_WAIT: Final = 60.0
# Two clocks differ by twice this at most; sessions allow for 5 seconds.
SKEW: Final = 2.4

# What may go wrong at each message: with the request for new tokens, with the store, with the process that sends it.
REFUSED: Final = ("refused", "busy")
LOST: Final = ("request lost", "answer lost", "gateway", "slow", "outage", "silence")
STORE: Final = ("store refuses", "store answer lost", "store hangs", "store down")
ROLLED_BACK: Final = ("store restored", "store forgets")
HELD_UP: Final = ("pauses", "lock lost", "suspended")
KINDS: Final = (*REFUSED, *LOST, *STORE, *ROLLED_BACK, *HELD_UP, "dies", "revoked")

# Servers that end a grant at the second use of a refresh token; that refuse it; that give new tokens again; that do not
# rotate.
ServerKind: TypeAlias = Literal["ends", "refuses", "gives again", "same token"]
SERVER_KINDS: Final[tuple[ServerKind, ...]] = ("ends", "refuses", "gives again", "same token")

_T = TypeVar("_T")


class Died(Exception):  # noqa: N818 - no error
    """The process is dead: it sends nothing more, and answers to it are lost."""


class World:
    """A world that the random numbers decide, and so the seed; its log has all that happened.

    Attributes:
        log: all that happened, with the time and the process.
        violations: what must not happen and did.
        fired: how often each kind of fault struck, and what callers did that excuses later trouble.
        faulty: whether faults strike; the end of a schedule is quiet.
        resends: whether clients send a refresh token again after its answer was lost.
        asking: the session for which the present task works.
        seen: the number of the newest tokens that each session has given to a caller.
    """

    asking: ContextVar[object] = ContextVar("asking")

    def __init__(
        self, rng: random.Random, kinds: frozenset[str], rate: float, *, server: ServerKind, resends: bool
    ) -> None:
        self.rng = rng
        self.resends = resends
        self._kinds = kinds
        self._rate = rate
        self.log: list[str] = []
        self.violations: list[str] = []
        self.fired: Counter[str] = Counter()
        self.faulty = True
        self.server = Server(self, server)
        self.seen: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        self.group: TaskGroup

    def note(self, who: str, what: str) -> None:
        """Writes to the log."""
        self.log.append(f"{anyio.current_time():9.3f} {who}: {what}")

    def violate(self, what: str) -> None:
        """Notes that a promise was broken."""
        self.violations.append(what)
        self.note("VIOLATION", what)

    def fault_occurs(self, kind: str) -> bool:
        """Decide if a fault of this kind occurs now, and log it."""
        if not self.faulty or kind not in self._kinds:
            return False
        # There are far fewer refreshes, writes and contested locks than messages.
        rate = min(0.6, 3 * self._rate) if kind in (*REFUSED, *LOST, *ROLLED_BACK, "lock lost") else self._rate
        if self.rng.random() >= rate:
            return False
        self.fired[kind] += 1
        self.note("fault", kind)
        return True

    def has_occurred(self, *kinds: str) -> bool:
        """Return True if one of these has occurred so far."""
        return any(self.fired[kind] for kind in kinds)

    def may_have_lost(self) -> bool:
        """Return True if an answer to a refresh may have been lost so far."""
        # A process that stands still, or waits for the store, may send late, or learn too late that its attempt was
        # stored.
        causes = (*LOST, *HELD_UP, *STORE, *ROLLED_BACK, "timeout", "dies")
        return self.has_occurred(*causes)

    def latency(self) -> float:
        """Seconds that a message is underway."""
        return self.rng.choice((0.0, 0.001, 0.05, self.rng.uniform(0.0, 2.0)))


def number_of(token: str) -> int:
    """Return the how manieth of its grant a token is."""
    return int(token.rpartition("-")[2])


def grant_of(token: str) -> str:
    """Return the grant of a token."""
    return token.split("-")[1]


class Server:
    """The identity server: each sign-in of the user is a grant, and each refresh token is good once, or more often."""

    def __init__(self, world: World, kind: ServerKind) -> None:
        self._world = world
        self._kind = kind
        self._serials: Counter[str] = Counter()
        self._spent: set[str] = set()
        self._under_way: dict[str, float] = {}
        self._down_until = 0.0
        self.revoked: set[str] = set()
        self.refreshes: Counter[str] = Counter()
        self.arrived: dict[str, float] = {}

    def sign_in(self) -> OIDCTokenResponse:
        """Return the first tokens of another grant."""
        return self._issue(str(len(self._serials) + 1))

    def _issue(self, grant: str) -> OIDCTokenResponse:
        self._serials[grant] += 1
        serial = self._serials[grant]
        return OIDCTokenResponse(
            access_token=f"access-{grant}-{serial}",
            token_type="Bearer",
            expires_in=int(LIFE),
            refresh_token=f"refresh-{grant}-{1 if self._kind == 'same token' else serial}",
        )

    def refresh(self, token: str) -> OIDCTokenResponse:
        """Return new tokens, or raise invalid_grant."""
        world, grant = self._world, grant_of(token)
        self.refreshes[grant] += 1
        world.note("server", f"is given {token}")
        if token in self._spent and self._kind in {"ends", "refuses"} and grant not in self.revoked:
            if not world.may_have_lost():
                world.violate(f"{token} was presented twice, and no answer had been lost")
            if self._kind == "ends":
                self.revoked.add(grant)
            raise InvalidGrantError("invalid_grant")
        if world.fault_occurs("revoked"):
            self.revoked.add(grant)
        if grant in self.revoked:
            raise InvalidGrantError("invalid_grant")
        if self._kind != "same token":
            self._spent.add(token)
        return self._issue(grant)

    def revoke(self, token: str) -> bool:
        """End a grant."""
        self._world.note("server", f"revokes {token}")
        self.revoked.add(grant_of(token))
        return True

    def rotates(self) -> bool:
        """Return True if a refresh token replaces another."""
        return self._kind != "same token"

    def may_end_by_reuse(self) -> bool:
        """Return True if a lost answer may cost a session."""
        return self._kind in {"ends", "refuses"} or not self._world.resends

    def is_down(self) -> bool:
        """Return True during an outage, which may begin now."""
        world = self._world
        if world.fault_occurs("outage"):
            self._down_until = anyio.current_time() + world.rng.uniform(0.0, 2.0) * LIFE
        return world.faulty and anyio.current_time() < self._down_until

    @contextmanager
    def under_way(self, token: str, until: float) -> Iterator[None]:
        """Watch a refresh token while it is under way: until its sender has an answer, or gives up.

        Args:
            token: the refresh token.
            until: the time at which its sender gives up, even if it stands still.
        """
        now = anyio.current_time()
        if self._under_way.get(token, now) > now and not self._world.has_occurred(*ROLLED_BACK):
            self._world.violate(f"{token} was under way twice")
        self._under_way[token] = until
        try:
            yield
        except Died:
            raise
        except BaseException:
            self._end(token, until)
            raise
        else:
            self._end(token, until)

    def _end(self, token: str, until: float) -> None:
        if self._under_way.get(token) == until:
            del self._under_way[token]


class Process:
    """Runs, until it dies; may stand still for a while, as on a machine that is suspended."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.dead = False
        self._held_until = 0.0
        self._stopped_at = 0.0
        self.stood_still = 0.0
        self._suspended = 0.0
        self._skew = world.rng.uniform(-SKEW, SKEW)
        self.client = Client(self)

    def note(self, what: str) -> None:
        """Writes to the world's log."""
        self.world.note(self.name, what)

    def monotonic(self) -> float:
        """Return the time without that for which its machine was suspended."""
        return anyio.current_time() - self._suspended

    def wall(self) -> float:
        """Return the time by its machine's clock."""
        return BEGINNING + anyio.current_time() + self._skew

    def last_ran(self) -> float:
        """Return the time at which it last did anything by itself, such as to renew a lock."""
        now = anyio.current_time()
        return self._stopped_at if self.dead or now < self._held_until else now

    async def wait_if_stopped(self) -> None:
        """End a process that is dead, and hold one that stands still."""
        while not self.dead and anyio.current_time() < self._held_until:
            # Nothing reaches who stands still; timeouts and cancellations that came meanwhile follow.
            with anyio.CancelScope(shield=True):
                await anyio.sleep_until(self._held_until)
        if self.dead:
            raise Died

    def resume(self) -> None:
        """It stands still no longer."""
        self._held_until = 0.0

    def _apply_fault(self) -> None:
        now = anyio.current_time()
        if self.world.fault_occurs("dies"):
            self.dead, self._stopped_at = True, now
        elif (suspended := self.world.fault_occurs("suspended")) or self.world.fault_occurs("pauses"):
            seconds = self.world.rng.choice((0.1, 1.0)) * self.world.rng.uniform(0.1, 0.9) * LIFE
            self._held_until = now + seconds
            self._stopped_at = now
            self.stood_still += seconds
            self._suspended += seconds if suspended else 0.0

    async def exchange(self, act: Callable[[], _T], extra: float = 0.0, *, leaves_at_once: bool = False) -> _T:
        """Send a message, which acts where it arrives, and return the answer.

        A message that was sent arrives, whatever becomes of the sender.

        Args:
            act: what it does there.
            extra: seconds for which it is under way besides.
            leaves_at_once: nothing stops the process before it is sent.
        """
        world = self.world
        moment = world.rng.randrange(1 if leaves_at_once else 0, 3)
        if moment == 0:
            self._apply_fault()
        await self.wait_if_stopped()
        there = world.latency() + extra
        if moment == 1:
            self._apply_fault()
        try:
            await anyio.sleep(there)
        except BaseException:
            if world.rng.random() < 0.7:
                world.group.start_soon(self._arrive_late, act, world.rng.uniform(0.0, there))
            raise
        if moment == 2:
            self._apply_fault()
        try:
            answer = act()
        except Exception:
            await self._way_back()
            raise
        await self._way_back()
        return answer

    async def _way_back(self) -> None:
        if back := self.world.latency():
            await anyio.sleep(back)
        await self.wait_if_stopped()

    async def _arrive_late(self, act: Callable[[], object], after: float) -> None:
        await anyio.sleep(after)
        try:
            act()
        except InvalidGrantError:
            self.note("is gone, and the answer is lost")


class Client(Tokens):
    """The part of a client that a session uses."""

    def __init__(self, process: Process) -> None:
        settings = Settings(
            app_id="app",
            app_host="https://example.com",
            issuer="https://example.com/oidc",
            app_secret="secret",
            timeout=deadline(REFRESH_TIMEOUT),
            refresh_timeout=REFRESH_TIMEOUT,
            resend_refresh_token=process.world.resends,
            clock=Clock(monotonic=process.monotonic, wall=process.wall),
        )
        super().__init__(settings, cast("Shared", SimpleNamespace(grants=Grants())))
        self._process = process

    def _without_retries(self) -> Client:
        return self

    async def _refresh(
        self, refresh_token: str, timeout: Timeout | Deadline | None, before_send: BeforeSend | None
    ) -> OIDCTokenResponse:
        """Send a refresh, which may go wrong in all the ways that a session distinguishes."""
        world = self._process.world
        is_sent = False
        assert isinstance(timeout, Deadline)
        assert timeout.end is not None
        assert before_send is not None
        with anyio.CancelScope(deadline=timeout.end):
            await self._connect()
            await before_send()
            is_sent = True
            self._process.note(f"refreshes with {refresh_token}")
            if world.server.rotates() and number_of(refresh_token) < world.seen.get(world.asking.get(), 0):
                world.violate(f"{refresh_token} was sent by a session that had newer ones")
            with world.server.under_way(refresh_token, timeout.end):
                return await self._answered(refresh_token)
        world.fired["timeout"] += is_sent
        raise RequestTimeoutError("the time is up", sent=is_sent)

    async def _connect(self) -> None:
        world = self._process.world
        if world.fault_occurs("refused"):
            raise ConnectionFailedError("the connection was refused", sent=False)
        await self._process.exchange(lambda: None)

    async def _answered(self, refresh_token: str) -> OIDCTokenResponse:
        world, server = self._process.world, self._process.world.server
        failure: Exception | None = None
        if world.fault_occurs("busy"):
            failure = OAuthError("rate_limited", http_status=429, retry_after=world.rng.uniform(0.0, LIFE / 2))
        elif server.is_down():
            failure = OAuthError("server_error", http_status=500)
        elif world.fault_occurs("request lost"):
            failure = ConnectionLostError("the connection broke", sent=True)
        if failure is not None:
            await self._process.exchange(lambda: None, leaves_at_once=True)
            raise failure
        extra = 2 * REFRESH_TIMEOUT if world.fault_occurs("slow") else 0.0
        answer = await self._process.exchange(lambda: server.refresh(refresh_token), extra, leaves_at_once=True)
        if world.fault_occurs("silence"):
            await anyio.sleep(2 * REFRESH_TIMEOUT)
        if world.fault_occurs("gateway"):
            raise NotJSONError("<html>", http_status=503)
        if world.fault_occurs("answer lost"):
            raise ConnectionLostError("the connection broke", sent=True)
        server.arrived[answer.access_token] = anyio.current_time()
        return answer

    async def revoke_token(self, token: str, *, timeout: Timeout | None = None) -> bool:
        """Send a revocation; a client repeats it until the time is up, so that it goes wrong more rarely."""
        world = self._process.world
        with anyio.move_on_after(deadline(timeout or 3 * REFRESH_TIMEOUT).total):
            if world.fault_occurs("refused"):
                raise ConnectionFailedError("the connection was refused", sent=False)
            return await self._process.exchange(lambda: world.server.revoke(token))
        raise RequestTimeoutError("the time is up", sent=True)
