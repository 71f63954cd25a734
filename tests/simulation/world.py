"""A small world in virtual time: a server, processes that run or do not, and a network that loses things."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

import anyio
from anyio.abc import TaskGroup

from genauth_async import (
    Clock,
    ConnectionFailedError,
    ConnectionLostError,
    InvalidGrantError,
    OAuthError,
    RequestTimeoutError,
)
from genauth_async._session.grants import Grants
from genauth_async.models.tokens import OIDCTokenResponse

BEGINNING: Final = 1_000_000.0
LIFE: Final = 100.0
REFRESH_TIMEOUT: Final = 10.0
LOCK_LIFE: Final = 30.0
SKEW: Final = 3.0

# What may go wrong at each message: with the request for new tokens, with the store, with the process that sends it.
REFUSED: Final = ("refused", "busy", "unavailable")
LOST: Final = ("request lost", "answer lost", "gateway", "slow")
STORE: Final = ("store refuses", "store answer lost", "store hangs", "store down")
ROLLED_BACK: Final = ("store restored", "store forgets")
HELD_UP: Final = ("pauses", "lock lost")
KINDS: Final = (*REFUSED, *LOST, *STORE, *ROLLED_BACK, *HELD_UP, "dies", "revoked")

_T = TypeVar("_T")


class Died(BaseException):
    """The process is dead: it sends nothing more, and answers to it are lost."""


class World:
    """A world that the random numbers decide, and so the seed; its log has all that happened.

    Attributes:
        log: all that happened, with the time and the process.
        violations: what must not happen and did.
        fired: how often each kind of fault struck, and what callers did that excuses later trouble.
        faulty: whether faults strike; the end of a schedule is quiet.
        asking: the session for which the present task works.
        seen: the number of the newest tokens that each session has given to a caller.
    """

    asking: ContextVar[object] = ContextVar("asking")

    def __init__(self, rng: random.Random, kinds: frozenset[str], rate: float) -> None:
        self.rng = rng
        self._kinds = kinds
        self._rate = rate
        self.log: list[str] = []
        self.violations: list[str] = []
        self.fired: Counter[str] = Counter()
        self.faulty = True
        self.server = Server(self)
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
        # There are far fewer refreshes and writes than messages.
        rate = min(0.6, 3 * self._rate) if kind in (*REFUSED, *LOST, *ROLLED_BACK) else self._rate
        if self.rng.random() >= rate:
            return False
        self.fired[kind] += 1
        self.note("fault", kind)
        return True

    def has_occurred(self, *kinds: str) -> bool:
        """Return True if one of these has occurred so far."""
        return any(self.fired[kind] for kind in kinds)

    def latency(self) -> float:
        """Seconds that a message is underway."""
        return self.rng.choice((0.0, 0.001, 0.05, self.rng.uniform(0.0, 2.0)))


def number_of(token: str) -> int:
    """The how manieth of its grant a token is."""
    return int(token.rpartition("-")[2])


class Server:
    """One user's grant at the identity server: each refresh token is good once, and its second use revokes all."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._serial = 0
        self._spent: set[str] = set()
        self.revoked = False
        self.in_flight = 0
        self.refreshes = 0
        self.arrived: dict[str, float] = {}
        self.refresh_token = ""

    def issue(self) -> OIDCTokenResponse:
        """The next tokens of the grant."""
        self._serial += 1
        self.refresh_token = f"refresh-{self._serial}"
        return OIDCTokenResponse(
            access_token=f"access-{self._serial}",
            token_type="Bearer",
            expires_in=int(LIFE),
            refresh_token=self.refresh_token,
        )

    def refresh(self, token: str) -> OIDCTokenResponse:
        """Rotates the token, or answers invalid_grant."""
        world = self._world
        self.refreshes += 1
        world.note("server", f"is given {token}")
        if token in self._spent:
            # A grant that is dead already takes no harm.
            if not self.revoked and not self.is_excused():
                world.violate(f"{token} was presented twice without a caller's consent")
            self.revoked = True
        if world.fault_occurs("revoked"):
            self.revoked = True
        self._spent.add(token)
        if self.revoked:
            raise InvalidGrantError("invalid_grant")
        return self.issue()

    def is_excused(self) -> bool:
        """Return True if a caller took the risk of sending a token twice, or the store lost its mark."""
        return self._world.has_occurred("resend", "logout", *ROLLED_BACK)

    def revoke(self, token: str) -> bool:
        """Ends the grant."""
        self._world.note("server", f"revokes {token}")
        self.revoked = True
        return True

    @contextmanager
    def seen(self) -> Iterator[None]:
        """Count a refresh for as long as it is underway."""
        self.in_flight += 1
        if self.in_flight > 1 and not self.revoked and not self.is_excused():
            self._world.violate("two refreshes of one grant were underway")
        try:
            yield
        finally:
            self.in_flight -= 1


class Process:
    """Runs, until it dies; may stand still for a while, as on a machine that is suspended."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.dead = False
        self._held_until = 0.0
        self._stopped_at = 0.0
        self.stood_still = 0.0
        self.client = Client(self)

    def note(self, what: str) -> None:
        """Writes to the world's log."""
        self.world.note(self.name, what)

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
        elif self.world.fault_occurs("pauses"):
            self._held_until = now + self.world.rng.uniform(0.5, 3) * LOCK_LIFE
            self._stopped_at = now
            self.stood_still += self._held_until - now

    async def exchange(self, act: Callable[[], _T], extra: float = 0.0) -> _T:
        """Sends a message, which acts where it arrives, and gives the answer.

        A message that was sent arrives, whatever becomes of the sender.
        """
        world = self.world
        moment = world.rng.randrange(3)
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


class Client:
    """The part of a client that a session uses."""

    def __init__(self, process: Process) -> None:
        skew = process.world.rng.uniform(-SKEW, SKEW)
        clock = Clock(monotonic=anyio.current_time, wall=lambda: BEGINNING + anyio.current_time() + skew)
        self._process = process
        self._settings = SimpleNamespace(clock=clock, refresh_timeout=REFRESH_TIMEOUT)
        self._shared = SimpleNamespace(grants=Grants())

    async def get_new_access_token_by_refresh_token(self, refresh_token: str, *, timeout: float) -> OIDCTokenResponse:
        """Sends a refresh, which may go wrong in all the ways that a session tells apart."""
        world = self._process.world
        self._process.note(f"refreshes with {refresh_token}")
        if number_of(refresh_token) < world.seen.get(world.asking.get(), 0):
            world.violate(f"{refresh_token} was sent by a session that had newer ones")
        with world.server.seen(), anyio.move_on_after(timeout):
            await self._before_the_server(refresh_token)
            extra = 2 * timeout if world.fault_occurs("slow") else 0.0
            answer = await self._process.exchange(lambda: world.server.refresh(refresh_token), extra)
            if world.fault_occurs("gateway"):
                raise OAuthError("server_error", http_status=500)
            if world.fault_occurs("answer lost"):
                raise ConnectionLostError("the connection broke", sent=True)
            world.server.arrived[answer.access_token] = anyio.current_time()
            return answer
        world.fired["timeout"] += 1
        raise RequestTimeoutError("the time is up", sent=True)

    async def _before_the_server(self, refresh_token: str) -> None:
        world = self._process.world
        failure: Exception | None = None
        if world.fault_occurs("refused"):
            failure = ConnectionFailedError("the connection was refused", sent=False)
        elif world.fault_occurs("busy"):
            failure = OAuthError("rate_limited", http_status=429, retry_after=world.rng.uniform(0.0, 6 * LIFE))
        elif world.fault_occurs("unavailable"):
            failure = OAuthError("temporarily_unavailable", http_status=503)
        elif world.fault_occurs("request lost"):
            failure = ConnectionLostError("the connection broke", sent=True)
        if failure is not None:
            self._process.note(f"has no luck with {refresh_token}")
            await self._process.exchange(lambda: None)
            raise failure

    async def revoke_token(self, token: str, *, timeout: float = 3 * REFRESH_TIMEOUT) -> bool:
        """Sends a revocation; a client repeats it until the time is up, so that it goes wrong more rarely."""
        world = self._process.world
        with anyio.move_on_after(timeout):
            if world.fault_occurs("refused"):
                raise ConnectionFailedError("the connection was refused", sent=False)
            return await self._process.exchange(lambda: world.server.revoke(token))
        raise RequestTimeoutError("the time is up", sent=True)
