"""TokenSession with callers that are cancelled, and with callbacks and locks that take too long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    Clock,
    RefreshUnavailableError,
    RetryPolicy,
    TokenSession,
    TokenSet,
)
from genauth_async.emulator import Emulator
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, emulators_time, gathered

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


PROCESSED = pytest.mark.parametrize("processed", [False, True], ids=["before the server has it", "after it has it"])


@PROCESSED
async def test_a_caller_that_leaves_loses_no_token(
    processed: bool, expired: TokenSession, tokens: Any, emulator: Emulator
) -> None:
    await leave_during_refresh(leave_by_scope, expired, emulator, processed=processed)
    assert expired.tokens.access_token != tokens["access_token"]


@PROCESSED
@pytest.mark.parametrize("leave", [leave_by_task_cancel, leave_by_wait_for])
@pytest.mark.backends("asyncio", "uvloop")
async def test_a_caller_cancelled_by_asyncio_loses_no_token(
    leave: Leave, processed: bool, expired: TokenSession, tokens: Any, emulator: Emulator
) -> None:
    await leave_during_refresh(leave, expired, emulator, processed=processed)
    assert expired.tokens.access_token != tokens["access_token"]


async def leave_during_refresh(leave: Leave, expired: TokenSession, emulator: Emulator, *, processed: bool) -> None:
    hold = emulator.faults.hold(REFRESH, after=processed)

    async def arrived() -> None:
        await hold.wait_arrived()
        # Released only after the cancellation was requested, and by another thread: the refresh finishes by itself.
        timer = threading.Timer(0.2, hold.release)
        timer.daemon = True
        timer.start()

    await leave(expired.access_token, arrived)
    assert expired._stored.grant.pending is None
    assert set(await gathered(5, expired)) == {expired.tokens.access_token}
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


async def test_a_waiter_that_times_out_does_not_stop_the_refresh(expired: TokenSession, emulator: Emulator) -> None:
    with emulator.faults.hold(REFRESH) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(expired.access_token)
            await hold.wait_arrived()
            # A waiter owns no refresh: it is cancelled at once.
            for _ in range(5):
                with anyio.move_on_after(0) as scope:
                    await expired.access_token()
                assert scope.cancelled_caught
            hold.release()
    assert emulator.requests[REFRESH] == 1


async def test_a_refresh_has_a_deadline_of_its_own(make_client: MakeClient, tokens: Any, emulator: Emulator) -> None:
    clock = Clock(monotonic=emulator.clock.now, wall=emulator.clock.now)
    client = make_client(clock=clock, refresh_timeout=0.1, timeout=60.0)
    session = client.session(tokens)
    emulator.clock.advance(LIFE)
    with emulator.faults.hold(REFRESH), pytest.raises(RefreshUnavailableError) as caught:
        await session.access_token()
    assert caught.value.outcome_unknown


async def test_on_tokens_does_not_block_all_callers_for_ever(
    make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    async def hangs(_: TokenSet) -> None:
        await anyio.sleep_forever()

    session = make_client(refresh_timeout=0.5).session(tokens, on_tokens=hangs)
    with pytest.raises(RefreshUnavailableError, match="on_tokens"):
        await session.refresh()
    assert await session.access_token() == session.tokens.access_token != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1
