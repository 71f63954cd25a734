"""TokenSession with callers that leave, event loops and clients that end, and callbacks that take too long."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    Clock,
    MemoryStore,
    RefreshUnavailableError,
    RetryPolicy,
    TokenSession,
    TokenSet,
)
from genauth_async import (
    session as session_module,
)
from genauth_async.emulator import Emulator, User
from genauth_async.emulator.http.hold import Hold
from genauth_async.errors import StoreError
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, emulators_time, gathered, settled, shown

pytestmark = [pytest.mark.anyio, pytest.mark.backends]


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator, carrier: Any) -> AuthenticationClient:
    return make_client(**carrier, clock=emulators_time(emulator), retry=RetryPolicy(backoff=0.0))


@pytest.fixture
def expired(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> TokenSession:
    session = client.session(tokens)
    emulator.clock.advance(LIFE)
    return session


Call = Callable[[], Coroutine[Any, Any, object]]
When = Callable[[], Awaitable[None]]
Leave = Callable[[Call, When], Awaitable[None]]


async def leave_by_scope(call: Call, when: When) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await when()
        group.cancel_scope.cancel()


async def leave_by_task_cancel(call: Call, when: When) -> None:
    task = asyncio.ensure_future(call())
    await when()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def leave_by_wait_for(call: Call, when: When) -> None:
    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await when()
            await anyio.sleep_forever()

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(both(), 0.1)


class StuckLock(MemoryStore):
    """A store whose lock never comes."""

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        assert key
        await anyio.sleep_forever()
        yield


async def test_a_lock_that_never_comes_ends_no_session(
    make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    client = make_client(clock=emulators_time(emulator), refresh_timeout=0.2)
    session = client.session(tokens, store=StuckLock(), key="k")
    emulator.clock.advance(LIFE)
    with anyio.fail_after(60), suppress(StoreError):
        assert await session.access_token() == session.tokens.access_token != tokens["access_token"]


PROCESSED = pytest.mark.parametrize("processed", [False, True], ids=["before the server has it", "after it has it"])


@PROCESSED
async def test_a_caller_that_leaves_loses_no_token(processed: bool, expired: TokenSession, emulator: Emulator) -> None:
    await leave_during_refresh(leave_by_scope, expired, emulator, processed=processed)


@PROCESSED
@pytest.mark.parametrize("leave", [leave_by_task_cancel, leave_by_wait_for])
@pytest.mark.backends("asyncio", "uvloop")
async def test_a_caller_cancelled_by_asyncio_loses_no_token(
    leave: Leave, processed: bool, expired: TokenSession, emulator: Emulator
) -> None:
    await leave_during_refresh(leave, expired, emulator, processed=processed)


async def leave_during_refresh(leave: Leave, expired: TokenSession, emulator: Emulator, *, processed: bool) -> None:
    """Leave while the refresh is held: a caller that waited for it would wait for ever."""
    old = expired.tokens
    with anyio.fail_after(60), emulator.faults.hold(REFRESH, after=processed) as hold:
        await leave(expired.access_token, hold.wait_arrived)
        for _ in range(5):
            with anyio.move_on_after(0) as scope:
                await expired.access_token()
            assert scope.cancelled_caught
    await settled(expired)
    assert expired.tokens != old
    assert set(await gathered(5, expired)) == {expired.tokens.access_token}
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


async def test_a_refresh_that_no_caller_waits_for_is_stored(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store, received = MemoryStore(), list[TokenSet]()
    session = client.session(tokens, store=store, key="k", on_tokens=received.append)
    emulator.clock.advance(LIFE)
    with emulator.faults.hold(REFRESH) as hold:
        await leave_by_scope(session.access_token, hold.wait_arrived)
    await settled(session)
    assert received == [session.tokens] == [shown(await store.get("k")).tokens]


async def test_a_refresh_has_a_deadline_of_its_own(make_client: MakeClient, tokens: Any, emulator: Emulator) -> None:
    clock = Clock(monotonic=emulator.clock.now, wall=emulator.clock.now)
    session = make_client(clock=clock, refresh_timeout=2, timeout=60.0).session(tokens)
    emulator.clock.advance(LIFE)
    with emulator.faults.hold(REFRESH), pytest.raises(RefreshUnavailableError) as caught:
        await session.access_token()
    assert caught.value.outcome_unknown


async def test_on_tokens_does_not_block_all_callers_for_ever(
    make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    async def hangs(_: TokenSet) -> None:
        await anyio.sleep_forever()

    session = make_client(refresh_timeout=2).session(tokens, on_tokens=hangs)
    with pytest.raises(RefreshUnavailableError, match="on_tokens"):
        await session.refresh()
    assert await session.access_token() == session.tokens.access_token != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1


def release_later(hold: Hold) -> None:
    """Release from another thread, some time after the end has begun."""
    timer = threading.Timer(0.3, hold.release)
    timer.daemon = True
    timer.start()


@PROCESSED
async def test_closing_the_client_waits_for_a_refresh(
    processed: bool, make_client: MakeClient, tokens: Any, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_EARLY_SECONDS", 0.01)
    client, store = make_client(clock=emulators_time(emulator)), MemoryStore()
    session = client.session(tokens, store=store, key="k")
    emulator.clock.advance(LIFE - 30)
    hold = emulator.faults.hold(REFRESH, after=processed)
    assert await session.access_token() == tokens["access_token"]
    await hold.wait_arrived()
    release_later(hold)
    await client.aclose()
    assert shown(await store.get("k")).tokens.access_token != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1


@PROCESSED
@pytest.mark.parametrize("early", [True, False], ids=["early", "expired"])
@pytest.mark.parametrize("is_dropped", [False, True], ids=["kept", "dropped"])
@pytest.mark.parametrize("backend", ["asyncio", "trio", "uvloop"])
def test_the_end_of_the_loop_waits_for_a_refresh(
    backend: str,
    is_dropped: bool,
    early: bool,
    processed: bool,
    emulator: Emulator,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_module, "_EARLY_SECONDS", 0.01)
    store, kept = MemoryStore(), list[object]()
    hold = emulator.faults.hold(REFRESH, after=processed)
    tokens = emulator.issue_tokens(user)

    async def main() -> None:
        client = AuthenticationClient(
            emulator.app_id, emulator.url, emulator.app_secret, clock=emulators_time(emulator)
        )
        session = client.session(tokens, store=store, key="k")
        emulator.clock.advance(LIFE - 30 if early else LIFE)
        if not is_dropped:
            kept.extend((client, session))
        async with anyio.create_task_group() as group:
            group.start_soon(session.access_token)
            await hold.wait_arrived()
            group.cancel_scope.cancel()
        release_later(hold)

    options = {"use_uvloop": True} if backend == "uvloop" else {}
    anyio.run(main, backend="trio" if backend == "trio" else "asyncio", backend_options=options)
    assert store._records["k"].tokens.access_token != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1
    kept.clear()
    gc.collect()  # an open connection would warn now


@PROCESSED
def test_a_loop_that_is_killed_does_not_block_the_next(processed: bool, emulator: Emulator, user: User) -> None:
    """Closes a loop as a program does that is interrupted and handles it badly."""
    client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
    session = client.session({**emulator.issue_tokens(user), "obtained_at": 0}, store=MemoryStore(), key="k")
    hold = emulator.faults.hold(REFRESH, after=processed)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    caller = loop.create_task(session.access_token())
    loop.run_until_complete(hold.wait_arrived())
    loop.close()
    caller._log_destroy_pending = False  # type: ignore[attr-defined]

    async def ask() -> str:
        with anyio.fail_after(60):
            return await session.access_token()

    if processed:
        with pytest.raises(Exception, match="the answer to a refresh was lost"):
            asyncio.run(ask())
    else:
        assert asyncio.run(ask()) == session.tokens.access_token
    assert emulator.requests[REFRESH] == 2
    hold.release()
