"""Stores that lose writes: restored from a backup, failed over to a replica, emptied."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest
from attrs import evolve

from genauth_async import (
    AuthenticationClient,
    MemoryStore,
    RefreshUnavailableError,
    SessionExpiredError,
    SessionRecord,
    TokenSet,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, emulators_time

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator))


class ForgetfulStore(MemoryStore):
    """A store that can be restored to a snapshot, at once or before a later write."""

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: dict[str, SessionRecord] = {}
        self._writes_left: int | None = None

    def save_snapshot(self) -> None:
        self._snapshot = dict(self._records)

    def restore(self, *, before_write: int | None = None) -> None:
        self._writes_left = before_write
        if before_write is None:
            self._records = dict(self._snapshot)

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        if self._writes_left is not None:
            self._writes_left -= 1
            if self._writes_left == 0:
                self._records, self._writes_left = dict(self._snapshot), None
        return await super().compare_and_set(key, record, expected=expected)


async def test_a_session_sends_no_old_token_after_a_store_restore(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = ForgetfulStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    first = store._records["k"].generation
    store.save_snapshot()
    for _ in range(3):
        await session.refresh()
    newest = session.tokens
    store.restore()
    emulator.clock.advance(LIFE)
    assert await session.access_token() != newest.access_token
    assert emulator.requests[REFRESH] == 4
    assert emulator.grants.revoked == 0
    record = await store.get("k")
    assert record is not None
    assert record.tokens == session.tokens
    assert record.generation == first + 9  # +6 was known, +7 repaired the record, +8 recorded the attempt


async def test_a_store_restore_does_not_lose_a_refresh_attempt(
    make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    store = ForgetfulStore()
    client = make_client(clock=emulators_time(emulator), resend_refresh_token=False)
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store.save_snapshot()
    emulator.faults.add(REFRESH, status=500)
    for _ in range(2):
        with pytest.raises(RefreshUnavailableError) as caught:
            await session.refresh()
        assert caught.value.outcome_unknown
        store.restore()
        emulator.clock.advance(60)
    emulator.clock.advance(LIFE)
    with pytest.raises(SessionExpiredError) as ended:
        await session.access_token()
    assert ended.value.reason == "lost_answer"
    assert emulator.requests[REFRESH] == 1


async def test_a_store_restored_during_a_refresh_gets_the_new_tokens(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store, received = ForgetfulStore(), list[TokenSet]()
    session = client.session(tokens, store=store, key="k", on_tokens=received.append)
    await session.access_token()
    first = store._records["k"].generation
    store.save_snapshot()
    store.restore(before_write=2)  # the first records the attempt, the second stores the new tokens
    new = await session.refresh()
    assert received == [new]
    record = await store.get("k")
    assert record is not None
    assert (record.tokens, record.generation) == (new, first + 3)  # +1 recorded the attempt, +2 was refused
    await session.refresh()
    assert emulator.requests[REFRESH] == 2
    assert emulator.grants.revoked == 0


async def test_a_refusal_after_a_store_restore_ends_the_session(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    class RestoredOnRead(ForgetfulStore):
        reading = 0

        async def get(self, key: str) -> SessionRecord | None:
            self.reading -= 1
            if self.reading == 0:
                self.restore()
            return await super().get(key)

    store = RestoredOnRead()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store.save_snapshot()
    await session.refresh()
    emulator.revoke_grant(session.tokens.refresh_token or "")
    store.reading = 2  # the second read looks for newer tokens of another process
    with pytest.raises(SessionExpiredError, match="no longer accepts"):
        await session.refresh()


async def test_an_emptied_store_ends_a_session_with_a_likely_cause(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = ForgetfulStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store._records.clear()
    emulator.clock.advance(LIFE)
    with pytest.raises(SessionExpiredError, match="the store has lost the session") as caught:
        await session.access_token()
    assert caught.value.reason == "logged_out"
    assert emulator.requests[REFRESH] == 0


async def test_tokens_refreshed_after_a_logout_elsewhere_are_revoked(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    """Simulates a lock that expired, so that another process logged the user out during the refresh."""
    store = ForgetfulStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store._records, kept = {}, dict(store._records)
    store.save_snapshot()
    store._records = kept
    store.restore(before_write=2)
    with pytest.raises(SessionExpiredError) as caught:
        await session.refresh()
    assert caught.value.reason == "logged_out"
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.alive == 0
    assert await store.get("k") is None


async def test_records_that_have_expired_go_from_memory(client: AuthenticationClient, tokens: Any) -> None:
    store = MemoryStore()
    await client.session(tokens, store=store, key="over", expires_at=1.0).access_token()
    await client.session(tokens, store=store, key="for ever").access_token()
    await client.session(tokens, store=store, key="later", expires_at=4e9).access_token()
    for number in range(1021):
        await client.session(tokens, store=store, key=f"{number}").access_token()
    assert await store.get("over") is None
    assert await store.get("for ever") is not None
    later = await store.get("later")
    assert later is not None
    assert later.expires_at == 4e9


async def test_a_refresh_keeps_what_the_session_was_begun_with(client: AuthenticationClient, tokens: Any) -> None:
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k", expires_at=4e9)
    await session.refresh()
    record = await store.get("k")
    assert record is not None
    assert record.expires_at == 4e9


async def sign_in_elsewhere(client: AuthenticationClient, tokens: Any) -> SessionRecord:
    """Return the record that another machine's new sign-in would store, as though after one attempt."""
    other = MemoryStore()
    await client.session(tokens, store=other, key="k").access_token()
    begun = other._records["k"]
    return evolve(begun, generation=begun.generation + 1)


@pytest.mark.parametrize("answer", [{}, {"status": 400, "body": {"error": "invalid_grant"}}, {"status": 500}])
async def test_a_suspended_refresh_does_not_overwrite_a_new_sign_in(
    answer: dict[str, Any], client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    store = MemoryStore()
    paused = client.session(tokens, store=store, key="k")
    await paused.access_token()
    signed_in = await sign_in_elsewhere(client, dict(emulator.issue_tokens(user)))

    async def refresh() -> None:
        with pytest.raises((SessionExpiredError, RefreshUnavailableError)):
            await paused.refresh()

    hold = emulator.faults.hold(REFRESH)
    if answer:
        emulator.faults.clear()
        emulator.faults.add(REFRESH, hold=hold, **answer)
    async with anyio.create_task_group() as group:
        group.start_soon(refresh)
        await hold.wait_arrived()
        store._records["k"] = signed_in
        hold.release()
    emulator.clock.advance(LIFE)
    with pytest.raises(SessionExpiredError) as caught:
        await paused.access_token()
    assert caught.value.reason == "replaced_by_new_sign_in"
    assert await store.get("k") == signed_in


async def test_a_new_sign_in_is_not_mistaken_for_a_store_restore(
    make_client: MakeClient, client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    store = MemoryStore()
    old = client.session(tokens, store=store, key="k")
    for _ in range(3):
        await old.refresh()
    await store.delete("k")
    again = dict(emulator.issue_tokens(user))
    new = make_client(clock=emulators_time(emulator)).session(again, store=store, key="k")
    assert await new.access_token() == again["access_token"]
    with pytest.raises(SessionExpiredError) as caught:
        await old.refresh()
    assert caught.value.reason == "replaced_by_new_sign_in"
    assert (await new.refresh()).access_token == await new.access_token()


async def test_a_failed_early_refresh_pauses_per_request_sessions(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    await client.session(tokens, store=store, key="k").access_token()
    emulator.clock.advance(LIFE - 30)
    emulator.faults.add(REFRESH, status=503, times=None)
    for pause, sent in ((6, 2), (11, 4)):
        for _ in range(5):
            assert await client.session(None, store=store, key="k").access_token() == tokens["access_token"]
        assert emulator.requests[REFRESH] == sent
        emulator.clock.advance(pause)
    emulator.faults.clear()
    assert await client.session(None, store=store, key="k").access_token() != tokens["access_token"]
    assert not client._shared.grants._kept


async def test_a_refusal_counts_once_for_all_sessions_of_one_request(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    await client.session(tokens, store=store, key="k").access_token()

    async def request() -> None:
        session = client.session(None, store=store, key="k")
        await session.invalidate(await session.access_token(), "https://api.example.com")
        await session.access_token()

    for times in (1, 2):
        for _ in range(5):
            await request()
        assert emulator.requests[REFRESH] == times
        emulator.clock.advance(11)


async def test_a_session_of_one_request_reads_without_the_lock(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    class Counting(MemoryStore):
        locks = 0

        def lock(self, key: str) -> AbstractAsyncContextManager[None]:
            self.locks += 1
            return super().lock(key)

    store = Counting()
    await client.session(tokens, store=store, key="k").access_token()
    for _ in range(3):
        assert await client.session(None, store=store, key="k").access_token() == tokens["access_token"]
    assert store.locks == 0
    emulator.clock.advance(LIFE)
    assert await client.session(None, store=store, key="k").access_token() != tokens["access_token"]
    assert store.locks == 1
