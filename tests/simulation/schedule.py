"""Carries a plan out, and watches that all promises are kept."""

from __future__ import annotations

import asyncio
import random
from typing import Final, cast
from weakref import WeakKeyDictionary

import anyio
from sniffio import current_async_library

from genauth_async import GenAuthError, RefreshUnavailableError, SessionExpiredError, TokenSession, TokenSet
from genauth_async._session.token_sets import token_set
from genauth_async.oidc.tokens import Tokens
from tests.simulation.plans import LAST_MOMENT, Plan, Step
from tests.simulation.shared_store import Machine, SharedStore
from tests.simulation.virtual_time import RUNNERS
from tests.simulation.world import (
    BEGINNING,
    KINDS,
    LIFE,
    LOST,
    ROLLED_BACK,
    SKEW,
    STORE,
    Died,
    Process,
    World,
    number_of,
)

_QUIET_AT: Final = LAST_MOMENT + 2 * LIFE
# By then each waiting caller has an answer: it can wait for other processes' locks, and for the longest fault.
_LONGEST_WAIT: Final = 4 * LIFE
_KEY: Final = "ada"


def carry_out(plan: Plan, backend: str) -> World:
    """Runs a plan; the world tells what happened, and what should not have."""
    rng = random.Random(plan.seed)
    world = World(rng, plan.kinds, plan.rate)
    RUNNERS[backend](_Schedule(plan, world).run, plan.seed)
    return world


class _Member:
    """A process, and the sessions that it keeps."""

    def __init__(self, process: Process, store: SharedStore) -> None:
        self.process = process
        self.store = store
        self.sessions: dict[int, TokenSession] = {}


class _Schedule:
    def __init__(self, plan: Plan, world: World) -> None:
        self._plan = plan
        self._world = world
        self._machine = Machine(world)
        self._members: list[_Member] = []
        # Weak: sessions that are made for one call end with it.
        self._rejected: WeakKeyDictionary[TokenSession, dict[str, float]] = WeakKeyDictionary()
        self._waiting = len(plan.steps)
        self._is_final = False

    async def run(self) -> None:
        world = self._world
        world.faulty = False
        self._first = token_set(dict(world.server.issue()), BEGINNING)
        world.server.arrived[self._first.access_token] = anyio.current_time()
        self._all_went = anyio.Event()
        if not self._waiting:
            self._all_went.set()
        async with anyio.create_task_group() as world.group:
            for number in range(self._plan.processes):
                self._add_member(f"process {number}")
            if self._plan.named != "tokens":
                # A user has signed in, and the tokens are in the store.
                await self._session(self._members[0], 0, "first tokens").access_token()
            world.faulty = True
            async with anyio.create_task_group() as callers:
                for step in self._plan.steps:
                    callers.start_soon(self._call, step)
                callers.start_soon(self._bound, callers.cancel_scope)
            await self._end_quietly()
            world.group.cancel_scope.cancel()

    def _add_member(self, name: str) -> _Member:
        process = Process(self._world, name)
        member = _Member(process, SharedStore(self._machine, process))
        self._members.append(member)
        return member

    async def _bound(self, callers: anyio.CancelScope) -> None:
        with anyio.move_on_after(_QUIET_AT):
            await self._all_went.wait()
        self._make_quiet()
        with anyio.move_on_after(_LONGEST_WAIT):
            await self._all_went.wait()
        if self._waiting:
            self._world.violate(f"{self._waiting} callers wait for ever")
            callers.cancel()

    def _make_quiet(self) -> None:
        self._world.faulty = False
        self._machine.down_until = 0.0
        for member in self._members:
            member.process.resume()

    def _session(self, member: _Member, number: int | None, made_from: str) -> TokenSession:
        session = None if number is None else member.sessions.get(number)
        if session is None:
            session = self._new_session(member, made_from)
            if number is not None:
                member.sessions[number] = session
        return session

    def _new_session(self, member: _Member, made_from: str) -> TokenSession:
        named, process = self._plan.named, member.process
        tokens: TokenSet | None = self._first
        if made_from == "key" and named == "key":
            tokens = None
        elif made_from == "newest tokens" and 0 in member.sessions:
            tokens = member.sessions[0]._stored.tokens

        async def on_tokens(new: TokenSet) -> None:
            self._check_stored(new.access_token)
            await anyio.sleep(self._world.latency())
            await process.wait_if_stopped()

        return TokenSession(
            cast("Tokens", process.client),
            tokens,
            store=None if named == "memory" else member.store,
            key=_KEY if named == "key" else None,
            leeway=LIFE / 5,
            on_tokens=on_tokens,
        )

    async def _call(self, step: Step) -> None:
        await anyio.sleep_until(step.at)
        member = self._members[step.process]
        try:
            await member.process.wait_if_stopped()
            session = self._session(member, step.session, step.made_from)
            member.process.note(f"{step.act} on session {step.session} from {step.made_from}")
            await self._act_and_leave(step, session, member.process)
        except Died:
            member.process.note("is dead")
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._all_went.set()

    async def _act_and_leave(self, step: Step, session: TokenSession, process: Process) -> None:
        if step.leaves_after is None:
            await self._act(step.act, session, process)
        elif step.abruptly and current_async_library() == "asyncio":
            task = asyncio.ensure_future(self._act(step.act, session, process))
            timer = asyncio.get_running_loop().call_later(step.leaves_after, task.cancel)
            await asyncio.wait((task,))
            timer.cancel()
            if not task.cancelled():
                task.result()
        else:
            with anyio.move_on_after(step.leaves_after) as scope:
                await self._act(step.act, session, process)
            if scope.cancelled_caught:
                process.note("a caller left")

    async def _act(self, act: str, session: TokenSession, process: Process) -> str:
        world = self._world
        world.asking.set(session)
        try:
            if act in {"access_token", "refresh", "resend"}:
                return await self._ask(act, session, process)
            if act == "invalidate":
                if session._stored.tokens is not None:
                    token = session.tokens.access_token
                    await session.invalidate(token)
                    self._rejected.setdefault(session, {}).setdefault(token, anyio.current_time())
            else:
                world.fired["logout"] += 1
                await session.logout()
                if not world.has_occurred(*KINDS) and not world.server.revoked:
                    world.violate("a logout without faults left the grant alive")
        except Exception as error:  # noqa: BLE001 - which ones a caller may meet is what is checked
            process.note(f"got {error!r}")
            self._check_error(act, session, error)
            return type(error).__name__
        return ""

    async def _ask(self, act: str, session: TokenSession, process: Process) -> str:
        seen, failures = self._world.seen, self._machine.failures
        began, stood_still, newest = anyio.current_time(), process.stood_still, seen.get(session, 0)
        if act == "access_token":
            token = await session.access_token()
        else:
            if act == "resend":
                self._world.fired["resend"] += 1
            token = (await session.refresh(resend=act == "resend")).access_token
        process.note(f"was given {token}")
        grace = process.stood_still - stood_still
        self._check_handed(session, token, began, grace)
        # While the store fails, a valid token is given all the same, and stored when it can be.
        if session._stored.grant.pending is None or (failures == self._machine.failures and not grace):
            self._check_stored(token)
        if number_of(token) < newest:
            self._world.violate(f"{token} was given by a session that had newer ones")
        seen[session] = max(seen.get(session, 0), number_of(token))
        return token

    def _check_handed(self, session: TokenSession, token: str, began: float, grace: float) -> None:
        world = self._world
        arrived = world.server.arrived.get(token)
        if arrived is None:
            world.violate(f"{token} was handed out and never arrived")
        elif anyio.current_time() > arrived + LIFE + 2 * SKEW + grace:
            world.violate(f"{token} was handed out {anyio.current_time() - arrived:.0f} s after it had arrived")
        if self._rejected.get(session, {}).get(token, began) < began and not world.has_occurred(*ROLLED_BACK):
            world.violate(f"{token} was handed out again by a session that knew it was refused")

    def _check_stored(self, token: str) -> None:
        # What the first session was made with is nothing new: it is given to its callers while the store is down.
        known = token == self._first.access_token or token in self._machine.stored
        if self._plan.named != "memory" and not known:
            self._world.violate(f"{token} was given to a caller before it was stored")

    def _check_error(self, act: str, session: TokenSession, error: Exception) -> None:
        world = self._world
        if isinstance(error, SessionExpiredError):
            if not (world.server.revoked or world.has_occurred("logout", *ROLLED_BACK)):
                world.violate(f"a user was told without need to sign in again: {error}")
        elif isinstance(error, RefreshUnavailableError):
            if act == "access_token" and session._stored.life.is_valid():
                world.violate(f"a token that is valid was not given: {error}")
            if error.outcome_unknown and not self._may_be_unknown():
                world.violate("an outcome was said to be unknown, and no answer had been lost")
            elif not world.has_occurred(*KINDS):
                world.violate(f"a caller met an error without a fault: {error}")
        elif isinstance(error, GenAuthError):
            if act != "logout" or not world.has_occurred(*KINDS):
                world.violate(f"a caller met {error!r}")
        elif not (isinstance(error, OSError) and world.has_occurred(*STORE)):
            world.violate(f"a caller met {error!r}")

    def _may_be_unknown(self) -> bool:
        world = self._world
        # Who stands still, or waits for the store, may learn too late that the mark was written.
        if world.has_occurred(*LOST, "timeout", "dies", "pauses", "store hangs", "store answer lost", "store restored"):
            return True
        if world.server.revoked:
            return True
        if self._is_final:
            # What a store refused is written later, even if the session was made for one call.
            return False
        return world.has_occurred("store refuses", "store down") or (world.faulty and world.has_occurred("lock lost"))

    async def _end_quietly(self) -> None:
        """After all faults each session works, or says why it does not."""
        self._make_quiet()
        self._world.note("world", "is quiet")
        if self._plan.named != "memory":
            self._session(self._add_member("a new process"), 0, "key")
        # When all tokens have expired; then when it is time for an early refresh.
        for seconds, final in ((LIFE + 2 * SKEW, False), (0.9 * LIFE, True)):
            await anyio.sleep(seconds)
            self._is_final = final
            await self._take_turn()

    async def _take_turn(self) -> None:
        """All ask at once. In the final turn nothing is left of the faults but what they did for good."""
        world, began = self._world, anyio.current_time()
        before = world.server.refreshes
        answers: list[str] = []

        async def ask(session: TokenSession, process: Process) -> None:
            act = world.rng.choice(("access_token", "refresh")) if self._is_final else "access_token"
            answers.append(await self._act(act, session, process))

        with anyio.move_on_after(_LONGEST_WAIT) as scope:
            async with anyio.create_task_group() as group:
                for member in self._members:
                    if not member.process.dead:
                        # The last word has one session of each process, since a schedule takes time.
                        sessions = list(member.sessions.values()) or [self._session(member, 0, "key")]
                        for session in sessions[:1] if self._is_final else sessions:
                            group.start_soon(ask, session, member.process)
        if scope.cancelled_caught:
            world.violate("after all faults, callers wait for ever")
        given = {answer for answer in answers if answer.startswith("access-")}
        if world.server.refreshes - before > 1 and not (world.server.revoked or world.server.is_excused()):
            world.violate("more than one refresh for those who asked at the same time")
        if self._is_final:
            self._check_last_words(answers, given, began)

    def _check_last_words(self, answers: list[str], given: set[str], began: float) -> None:
        world = self._world
        if given and world.server.revoked:
            world.violate("a token of a grant that is dead was handed out")
        if any(world.server.arrived[token] < began for token in given):
            world.violate("a token that should have been refreshed early was handed out")
        if not set(answers) <= {*given, "SessionExpiredError", "RefreshUnavailableError"}:
            world.violate(f"trouble after all faults: {answers}")
