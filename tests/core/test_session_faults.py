"""What a TokenSession does when the refresh fails, is lost, or its caller goes away."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    Clock,
    GenAuthError,
    MemoryStore,
    RefreshUnavailableError,
    RetryPolicy,
    SessionExpiredError,
    SessionRecord,
    TokenSession,
    TokenSet,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import BACKENDS, MakeClient
from tests.core.test_session import LIFE, REFRESH, gathered

pytestmark = pytest.mark.anyio


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator, carrier: Any) -> AuthenticationClient:
    clock = Clock(monotonic=emulator.clock.now, wall=emulator.clock.now)
    return make_client(**carrier, clock=clock, retry=RetryPolicy(backoff=0.0))


@pytest.fixture
def tokens(emulator: Emulator, user: User) -> dict[str, Any]:
    return dict(emulator.issue_tokens(user))


@pytest.fixture
def expired(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> TokenSession:
    session = client.session(tokens)
    emulator.clock.advance(LIFE)
    return session


LOST = [{"drop": True}, {"lose_reply": True}, {"truncate": True}, {"truncate": "json"}, {"status": 200, "body": "<p>"}]
REFUSED: list[dict[str, Any]] = [
    {"status": 500, "body": {"error": "server_error"}},
    {"status": 503, "body": "<html>maintenance</html>"},
    {"status": 502, "body": ""},
    {"status": 429, "retry_after": 60},
    {"status": 401, "body": {"error": "invalid_client"}},
    {"envelope": {"statusCode": 499, "message": "blocked"}},
    {"status": 302, "headers": {"location": "/login"}},
]


def named(fault: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}"[:20] for key, value in fault.items())


@pytest.mark.parametrize("fault", REFUSED, ids=named)
async def test_a_refusal_keeps_the_session(fault: Any, expired: TokenSession, emulator: Emulator) -> None:
    emulator.faults.add(REFRESH, **fault)
    with pytest.raises(RefreshUnavailableError) as caught:
        await expired.access_token()
    assert not caught.value.outcome_unknown
    assert caught.value.retry_after == fault.get("retry_after")
    assert caught.value.__cause__ is not None
    assert await expired.access_token() == expired.tokens.access_token
    assert emulator.requests[REFRESH] == 2
    assert emulator.grants.revoked == 0


@pytest.mark.parametrize("fault", LOST, ids=named)
async def test_a_lost_answer_is_not_asked_for_again_by_itself(
    fault: Any, expired: TokenSession, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    emulator.faults.add(REFRESH, **fault)
    for _ in range(3):
        with pytest.raises(RefreshUnavailableError) as caught:
            await expired.access_token()
        assert caught.value.outcome_unknown
    # Nor by another session of the same grant.
    with pytest.raises(RefreshUnavailableError, match="resend=True"):
        await client.session(tokens).access_token()
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0

    processed = not fault.get("drop") and fault.get("status") is None
    if processed:
        with pytest.raises(SessionExpiredError):
            await expired.refresh(resend=True)
        assert emulator.grants.revoked == 1
    else:
        assert (await expired.refresh(resend=True)).access_token == await expired.access_token()
    assert emulator.requests[REFRESH] == 2


async def test_a_valid_token_is_handed_out_while_the_refresh_fails(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    session = client.session(tokens)
    emulator.clock.advance(LIFE - 30)
    emulator.faults.add(REFRESH, status=503, times=None)
    for _ in range(10):
        assert await session.access_token() == tokens["access_token"]
    assert emulator.requests[REFRESH] == 1
    emulator.clock.advance(6)
    assert set(await gathered(10, session)) == {tokens["access_token"]}
    assert emulator.requests[REFRESH] == 2
    with pytest.raises(RefreshUnavailableError):
        await session.refresh()
    assert emulator.requests[REFRESH] == 3
    emulator.clock.advance(24)
    with pytest.raises(RefreshUnavailableError):
        await session.access_token()
    emulator.faults.clear()
    assert await session.access_token() != tokens["access_token"]


async def test_those_who_waited_get_the_one_error(expired: TokenSession, emulator: Emulator) -> None:
    failures: list[GenAuthError] = []

    async def ask() -> None:
        try:
            await expired.access_token()
        except GenAuthError as error:
            failures.append(error)

    fault = emulator.faults.add(REFRESH, status=503, times=None)
    hold = emulator.faults.hold(REFRESH)
    emulator.faults.remove(fault)
    emulator.faults.add(REFRESH, status=503, times=None)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(ask)
        await hold.wait_arrived()
        emulator.faults.clear()
        hold.release()
    # The held request is answered; nobody else sent one.
    assert emulator.requests[REFRESH] == 1
    assert failures == []

    await expired.invalidate(expired.tokens.access_token)
    emulator.faults.add(REFRESH, status=503, latency=0.05, times=None)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(ask)
    assert emulator.requests[REFRESH] == 2
    assert len(failures) == 20
    assert {type(error) for error in failures} == {RefreshUnavailableError}
    assert len({id(error) for error in failures}) == 20, "a shared exception would collect everybody's traceback"
    emulator.faults.clear()
    assert await expired.access_token()


async def test_invalid_grant_ends_the_session_for_all(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    first, second = (client.session(tokens, store=store, key="k") for _ in range(2))
    await second.access_token()
    await first.refresh()
    emulator.revoke_grant(tokens["refresh_token"])
    await first.invalidate(first.tokens.access_token)
    for _ in range(2):
        with pytest.raises(SessionExpiredError, match="no longer accepts"):
            await first.access_token()
    assert await store.get("k") is None
    await second.invalidate(tokens["access_token"])
    with pytest.raises(SessionExpiredError):
        await second.access_token()
    with pytest.raises(SessionExpiredError):
        await second.refresh()
    assert emulator.requests[REFRESH] == 2


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
@pytest.mark.parametrize("anyio_backend", [b for b in BACKENDS if b.id != "trio"])
async def test_a_caller_that_leaves_in_asyncios_own_ways_loses_no_token(
    leave: Leave, processed: bool, expired: TokenSession, tokens: Any, emulator: Emulator
) -> None:
    await leave_during_refresh(leave, expired, emulator, processed=processed)
    assert expired.tokens.access_token != tokens["access_token"]


async def leave_during_refresh(leave: Leave, expired: TokenSession, emulator: Emulator, *, processed: bool) -> None:
    hold = emulator.faults.hold(REFRESH, after=processed)

    async def arrived() -> None:
        await hold.wait_arrived()
        # Let go only once the cancellation is on its way, and not by this loop: it has to finish without our help.
        timer = threading.Timer(0.2, hold.release)
        timer.daemon = True
        timer.start()

    await leave(expired.access_token, arrived)
    assert expired._unstored is None
    assert set(await gathered(5, expired)) == {expired.tokens.access_token}
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


async def test_a_caller_with_a_timeout_leaves_in_time_to_wait_and_others_go_on(
    expired: TokenSession, emulator: Emulator
) -> None:
    with emulator.faults.hold(REFRESH) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(expired.access_token)
            await hold.wait_arrived()
            # Waiters only wait: they leave at once.
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


async def test_on_tokens_does_not_hold_everybody_up_for_ever(
    make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    async def hangs(_: TokenSet) -> None:
        await anyio.sleep_forever()

    session = make_client(refresh_timeout=0.5).session(tokens, on_tokens=hangs)
    with pytest.raises(RefreshUnavailableError, match="on_tokens"):
        await session.refresh()
    assert await session.access_token() == session.tokens.access_token != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1


class FailingStore(MemoryStore):
    """Fails on the writes that it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = itertools.count(1)
        self.failing: set[int] = set()

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        if next(self.writes) in self.failing:
            raise OSError("disk full")
        return await super().compare_and_set(key, record, expected=expected)


async def test_tokens_that_could_not_be_stored_are_not_lost(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = FailingStore()
    session = client.session(tokens, store=store, key="k")
    # 1: the tokens handed in; 2: the mark before sending; 3: the rotated tokens.
    store.failing = {3}
    with pytest.raises(OSError, match="disk full"):
        await session.refresh()
    renewed = await session.access_token()
    assert renewed != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1
    await session.refresh()
    record = await store.get("k")
    assert record is not None
    assert record.tokens == session.tokens
    assert emulator.requests[REFRESH] == 2
    assert emulator.grants.revoked == 0


@pytest.mark.parametrize("failing", [1, 2])
async def test_a_store_that_fails_before_the_refresh_stops_it(
    failing: int, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = FailingStore()
    store.failing = {failing}
    session = client.session(tokens, store=store, key="k")
    with pytest.raises(OSError, match="disk full"):
        await session.refresh()
    assert emulator.requests[REFRESH] == 0
    await session.refresh()
    assert emulator.requests[REFRESH] == 1


async def test_a_process_that_died_while_refreshing_is_noticed(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    present = TokenSet(**tokens_as_attributes(tokens), obtained_at=emulator.clock.now())
    await store.compare_and_set("k", SessionRecord(tokens=present, generation=7, refresh_sent=True), expected=None)
    survivor = client.session(None, store=store, key="k")
    assert await survivor.access_token() == tokens["access_token"]
    emulator.clock.advance(LIFE)
    with pytest.raises(RefreshUnavailableError) as caught:
        await survivor.access_token()
    assert caught.value.outcome_unknown
    assert emulator.requests[REFRESH] == 0
    await survivor.refresh(resend=True)
    record = await store.get("k")
    assert record is not None
    assert (record.generation, record.refresh_sent) == (9, False)


def tokens_as_attributes(tokens: dict[str, Any]) -> dict[str, Any]:
    return {name: tokens[name] for name in ("access_token", "refresh_token", "id_token")} | {"expires_in": LIFE}


async def overwrite(store: MemoryStore, tokens: TokenSet) -> SessionRecord:
    """What somebody does who has the lock, while the former holder is paused in the middle of its refresh."""
    record = await store.get("k")
    assert record is not None
    assert record.refresh_sent
    overwritten = SessionRecord(tokens=tokens, generation=record.generation + 5)
    assert await store.compare_and_set("k", overwritten, expected=record.generation)
    return overwritten


async def test_who_lost_the_lock_does_not_overwrite(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    """A holder that is paused past its lock's life finds newer tokens in the store."""
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    newer = TokenSet(**tokens_as_attributes(dict(emulator.issue_tokens(user))), obtained_at=emulator.clock.now())
    overwritten: SessionRecord | None = None
    with emulator.faults.hold(REFRESH) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(session.refresh)
            await hold.wait_arrived()
            overwritten = await overwrite(store, newer)
            hold.release()
    assert await store.get("k") == overwritten
    assert await session.access_token() == newer.access_token


async def test_who_lost_the_lock_and_the_race_does_not_end_the_session(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    newer = TokenSet(**tokens_as_attributes(dict(emulator.issue_tokens(user))), obtained_at=emulator.clock.now())
    overwritten: SessionRecord | None = None
    with emulator.faults.hold(REFRESH) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(session.refresh)
            await hold.wait_arrived()
            emulator.revoke_grant(tokens["refresh_token"])
            overwritten = await overwrite(store, newer)
            hold.release()
    assert await session.access_token() == newer.access_token
    assert await store.get("k") == overwritten


STATES = ["fresh", "stale", "expired"]
OUTCOMES: dict[str, dict[str, Any] | None] = {"ok": None, "transient": {"status": 503}, "rejected": {}}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_restored_sessions(
    state: str, outcome: str, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    await client.session(tokens, store=store, key="k").access_token()
    emulator.clock.advance({"fresh": 10, "stale": LIFE - 30, "expired": LIFE + 10}[state])
    fault = OUTCOMES[outcome]
    if fault:
        emulator.faults.add(REFRESH, **fault)
    elif fault is not None:
        emulator.revoke_grant(tokens["refresh_token"])
    session = client.session(None, store=store, key="k")
    expected: type[GenAuthError] | None = None
    if state != "fresh" and outcome == "rejected":
        expected = SessionExpiredError
    elif state == "expired" and outcome == "transient":
        expected = RefreshUnavailableError
    if expected is None:
        renewed = await session.access_token() != tokens["access_token"]
        assert renewed is (state != "fresh" and outcome == "ok")
    else:
        with pytest.raises(expected):
            await session.access_token()
    assert (await store.get("k") is None) is (expected is SessionExpiredError)


async def test_the_generation_never_goes_back(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    seen: list[int] = []

    class Watched(MemoryStore):
        async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
            written = await super().compare_and_set(key, record, expected=expected)
            if written:
                seen.append(record.generation)
            return written

    store = Watched()
    sessions = [client.session(tokens, store=store, key="k") for _ in range(4)]
    for fault in ({"status": 503}, {"retry_after": 30}, {"status": 500}):
        emulator.faults.add(REFRESH, **fault)  # type: ignore[arg-type]
    for session in sessions * 3:
        with suppress(RefreshUnavailableError):
            await session.refresh()
    assert seen == sorted(set(seen))
    assert emulator.grants.revoked == 0
