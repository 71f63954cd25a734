"""Carries a plan out, and watches that all promises are kept."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

import anyio
from attrs import evolve
from sniffio import current_async_library

from genauth_async import GenAuthError, RefreshUnavailableError, SessionExpiredError, TokenSession, TokenSet
from genauth_async._session.driver import Driver
from genauth_async._session.state import GrantState
from genauth_async._session.token_sets import token_set
from genauth_async.errors._sessions import EndReason
from tests.simulation.plans import LAST_MOMENT, Plan, Step
from tests.simulation.shared_store import Machine, SharedStore
from tests.simulation.virtual_time import RUNNERS
from tests.simulation.world import (
    BEGINNING,
    KINDS,
    LIFE,
    LOCK_WAIT,
    ROLLED_BACK,
    SKEW,
    STORE,
    Client,
    Died,
    Process,
    World,
    grant_of,
    number_of,
)

_QUIET_AT: Final = LAST_MOMENT + 2 * LIFE
# By then each waiting caller has an answer: it can wait for other processes' locks, and for the longest fault.
_LONGEST_WAIT: Final = 4 * LIFE
_KEY: Final = "ada"


def carry_out(plan: Plan, backend: str) -> World:
    """Runs a plan; the world tells what happened, and what should not have."""
    rng = random.Random(plan.seed)
    world = World(rng, plan.kinds, plan.rate, server=plan.server, resends=plan.resends)
    RUNNERS[backend](_Schedule(plan, world).run, plan.seed)
    return world


class _Session(TokenSession):
    """A session whose random numbers are the world's, so that a seed replays exactly."""

    def __init__(self, client: Client, tokens: TokenSet | None, world: World, **options: Any) -> None:
        super().__init__(client, tokens, **options)
        self._world = world

    def _driver(self) -> Driver:
        driver, rng = super()._driver(), self._world.rng
        return evolve(driver, limits=evolve(driver.limits, new_id=lambda: f"{rng.random()}", draw=rng.random))


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
        self._grants: WeakKeyDictionary[TokenSession, str] = WeakKeyDictionary()
        self._waiting = len(plan.steps)
        self._is_final = False

    async def run(self) -> None:
        world = self._world
        world.faulty = False
        self._given: set[str] = set()
        self._first = self._sign_in(BEGINNING)
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

    def _sign_in(self, now: float) -> TokenSet:
        tokens = token_set(dict(self._world.server.sign_in()), now)
        self._world.server.arrived[tokens.access_token] = anyio.current_time()
        self._given.add(tokens.access_token)
        return tokens

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

    def _new_session(self, member: _Member, made_from: str, tokens: TokenSet | None = None) -> TokenSession:
        named, process = self._plan.named, member.process
        if tokens is None and not (made_from == "key" and named == "key"):
            tokens = self._first
            # Processes that share a store have to name a key, or it differs after a refresh.
            is_misuse = named == "tokens" and self._plan.processes > 1
            if made_from == "newest tokens" and 0 in member.sessions and not is_misuse:
                with suppress(SessionExpiredError):
                    tokens = member.sessions[0].tokens

        async def on_tokens(new: TokenSet) -> None:
            if _state_of(session).is_stored:
                self._check_stored(new.access_token)
            await anyio.sleep(self._world.latency())
            await process.wait_if_stopped()

        session = _Session(
            process.client,
            tokens,
            self._world,
            store=None if named == "memory" else member.store,
            key=_KEY if named == "key" else None,
            leeway=LIFE / 5,
            on_tokens=on_tokens,
        )
        if tokens is not None:
            self._grants[session] = grant_of(tokens.access_token)
        return session

    async def _call(self, step: Step) -> None:
        await anyio.sleep_until(step.at)
        member = self._members[step.process]
        try:
            await member.process.wait_if_stopped()
            if step.act == "sign in":
                self._world.fired["sign in"] += 1
                session = self._new_session(member, "", self._sign_in(member.process.wall()))
                member.sessions[step.session or 0] = session
            else:
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
            if act == "invalidate":
                with suppress(SessionExpiredError):
                    token = session.tokens.access_token
                    await session.invalidate(token)
                    self._rejected.setdefault(session, {}).setdefault(token, anyio.current_time())
            elif act == "logout":
                world.fired["logout"] += 1
                await session.logout()
                world.fired["logged out"] += 1
            else:
                return await self._ask(act, session, process)
        except Died:
            process.note("is dead")
        except Exception as error:  # noqa: BLE001 - which ones a caller may meet is what is checked
            process.note(f"got {error!r}")
            if not process.dead:
                self._check_error(act, session, error)
            return type(error).__name__
        return ""

    async def _ask(self, act: str, session: TokenSession, process: Process) -> str:
        seen = self._world.seen
        began, stood_still, newest = anyio.current_time(), process.stood_still, seen.get(session, 0)
        token = (await session.refresh()).access_token if act == "refresh" else await session.access_token()
        if process.dead:
            return ""
        process.note(f"was given {token}")
        if self._grants.setdefault(session, grant_of(token)) != grant_of(token):
            self._world.violate(f"{token} is of another sign-in than the session's")
        grace = process.stood_still - stood_still
        self._check_handed(session, token, began, grace)
        # What the store did not take is given all the same, and stored when it can be.
        if _state_of(session).is_stored:
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
        # What a session was made with is nothing new: it is given to its callers while the store is down.
        known = token in self._given or token in self._machine.stored
        if self._plan.named != "memory" and not known:
            self._world.violate(f"{token} was given to a caller before it was stored")

    def _check_error(self, act: str, session: TokenSession, error: Exception) -> None:
        world = self._world
        if isinstance(error, SessionExpiredError):
            self._check_end(session, error.reason)
        elif isinstance(error, RefreshUnavailableError):
            if act == "access_token" and session in self._grants and _state_of(session).is_valid():
                world.violate(f"a token that is valid was not given: {error}")
            # What another process has under way may be lost as well.
            if error.outcome_unknown and not (world.may_have_lost() or self._plan.processes > 1):
                world.violate("an outcome was said to be unknown, and no answer had been lost")
            elif not world.has_occurred(*KINDS):
                world.violate(f"a caller met an error without a fault: {error}")
        elif isinstance(error, GenAuthError):
            if act != "logout" or not world.has_occurred(*KINDS):
                world.violate(f"a caller met {error!r}")
        elif not (isinstance(error, OSError) and world.has_occurred(*STORE)):
            world.violate(f"a caller met {error!r}")

    def _check_end(self, session: TokenSession, reason: EndReason) -> None:
        """Only invalid_grant, a logout and a newer sign-in end a session, or a store that has lost it."""
        world = self._world
        may_be_lost = world.may_have_lost() and world.server.may_end_by_reuse()
        is_revoked = bool(world.server.revoked) or may_be_lost
        is_removed = is_revoked or world.has_occurred("logout", *ROLLED_BACK)
        possible: dict[EndReason, bool] = {
            "revoked": is_revoked,
            "lost_answer": world.may_have_lost() and is_revoked,
            "logged_out": is_removed,
            "replaced_by_new_sign_in": world.has_occurred("sign in", *ROLLED_BACK),
            "not_signed_in": is_removed and session not in self._grants,
            "no_refresh_token": False,
        }
        if not possible[reason]:
            world.violate(f"a session ended without need: {reason}")

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
        world = self._world
        if world.has_occurred("logged out") and not (world.has_occurred(*KINDS, "sign in") or world.server.revoked):
            world.violate("a logout without faults left the grant alive")

    async def _take_turn(self) -> None:
        """All ask at once. In the final turn nothing is left of the faults but what they did for good."""
        world, began = self._world, anyio.current_time()
        before = world.server.refreshes.copy()
        answers: list[str] = []
        asking: list[TokenSession] = []
        acts: Counter[str] = Counter()

        async def ask(session: TokenSession, process: Process) -> None:
            asking.append(session)
            act = world.rng.choice(("access_token", "refresh")) if self._is_final else "access_token"
            acts[act] += 1
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
        again = world.server.refreshes - before
        # Tokens whose write failed are stored late, and have expired by then; who is refused finds newer ones.
        is_excused = world.has_occurred(*ROLLED_BACK, *STORE)
        is_excused = is_excused or (world.may_have_lost() and world.server.may_end_by_reuse())
        if max(again.values(), default=0) > acts["refresh"] + bool(acts["access_token"]) and not is_excused:
            world.violate("more than one refresh for those who asked at the same time")
        if not set(answers) <= {*given, "SessionExpiredError"}:
            world.violate(f"trouble after all faults: {answers}")
        if self._is_final:
            if any(grant_of(token) in world.server.revoked for token in given):
                world.violate("a token of a grant that is dead was handed out")
            await self._check_early_refreshes(asking, began)

    async def _check_early_refreshes(self, sessions: list[TokenSession], began: float) -> None:
        """An early refresh goes on when its callers have the present token."""
        await anyio.sleep(LOCK_WAIT)
        for state in (_state_of(session) for session in sessions if session in self._grants):
            if state.ended is None and self._world.server.arrived[state.latest.tokens.access_token] < began:
                self._world.violate("a token was not refreshed early")


def _state_of(session: TokenSession) -> GrantState:
    assert session._grant is not None
    return session._grant.state
