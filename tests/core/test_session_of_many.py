"""Sessions of one user in several clients, requests and processes that share a store."""

from __future__ import annotations

from typing import Any

import pytest

from genauth_async import (
    AuthenticationClient,
    Clock,
    GenAuthError,
    MemoryStore,
    SessionExpiredError,
    SessionRecord,
    StoreError,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, REVOKE, emulators_time
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator))


async def is_active(client: AuthenticationClient, tokens: Any) -> bool:
    return (await client.introspect_token(tokens["access_token"])).active


@pytest.mark.parametrize("rotations", [17, 40])
async def test_a_sign_ins_answer_is_never_taken_for_a_new_sign_in(
    rotations: int, client: AuthenticationClient, make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    first = client.session(tokens, store=store, key="ada")
    for _ in range(rotations):
        await first.refresh()
    late = make_client().session(tokens, store=store, key="ada")  # by a program that saved the answer
    assert await late.access_token() == first.tokens.access_token
    await late.refresh()
    assert emulator.grants.revoked == 0


async def test_neither_are_tokens_of_the_last_thirty_rotations(
    client: AuthenticationClient, make_client: MakeClient, tokens: Any
) -> None:
    store = MemoryStore()
    first = client.session(tokens, store=store, key="ada")
    old = [await first.refresh() for _ in range(60)]
    for kept in (old[-31], old[-2]):
        late = make_client().session(kept, store=store, key="ada")
        assert await late.access_token() == first.tokens.access_token
    record = await store.get("ada")
    assert record is not None
    assert len(record.predecessors) == 33


async def test_clients_share_refreshes_without_token_rotation(
    recorder: RecordingServer, make_client: MakeClient
) -> None:
    now = [1000.0]
    recorder.answers = [Answer({"access_token": token, "expires_in": 3600}) for token in ("a2", "a3", "a4")]
    clock = Clock(monotonic=lambda: now[0], wall=lambda: now[0])
    store = MemoryStore()
    tokens = {"access_token": "a1", "refresh_token": "r1", "expires_in": 3600}
    sessions = [make_client(recorder.url, clock=clock).session(tokens, store=store, key="k") for _ in range(4)]
    for session in sessions:
        assert await session.access_token() == "a1"
    for expected in ("a2", "a3", "a4"):
        now[0] += 3600
        assert [await session.access_token() for session in sessions] == [expected] * 4


@pytest.mark.parametrize("is_lost", [True, False], ids=["answer lost", "not written"])
async def test_a_failed_write_of_an_attempt_costs_nothing(
    is_lost: bool, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    class Doubtful(MemoryStore):
        fails = True

        async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
            fails = self.fails and record.attempt is not None
            written = (not fails or is_lost) and await super().compare_and_set(key, record, expected=expected)
            if fails:
                self.fails = False
                raise StoreError("no answer")
            return written

    store = Doubtful()
    await client.session(tokens, store=store, key="k").access_token()
    emulator.clock.advance(LIFE)
    with pytest.raises(StoreError) as caught:
        await client.session(None, store=store, key="k").access_token()
    assert not caught.value.outcome_unknown
    assert emulator.requests[REFRESH] == 0
    emulator.clock.advance(60)
    assert await client.session(None, store=store, key="k").access_token() != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1


@pytest.mark.parametrize("reason", ["logged_out", "revoked"])
async def test_sessions_of_an_ended_grant_return_no_tokens(
    reason: str, make_client: MakeClient, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    other = make_client(clock=emulators_time(emulator))
    one, met, unmet = (client.session(tokens, store=store, key="k") for _ in range(3))
    elsewhere = other.session(tokens, store=store, key="k")
    for session in (one, met, elsewhere):
        await session.access_token()
    if reason == "logged_out":
        await one.logout()
    else:
        emulator.revoke_grant(tokens["refresh_token"])
        with pytest.raises(SessionExpiredError):
            await one.refresh()
    for sibling in (one, met, unmet):
        with pytest.raises(SessionExpiredError) as caught:
            await sibling.access_token()
        assert caught.value.reason == reason
    # Another process notices it when it refreshes.
    with pytest.raises(SessionExpiredError) as caught:
        await elsewhere.refresh()
    assert caught.value.reason == "logged_out"
    assert await store.get("k") is None
    assert emulator.requests[REFRESH] == (reason == "revoked")


async def test_a_new_sign_in_is_not_touched_by_the_end_of_an_old_one(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    store = MemoryStore()
    old = client.session(tokens, store=store, key="k")
    await old.access_token()
    again = dict(emulator.issue_tokens(user))
    new = client.session(again, store=store, key="k")
    await old.logout()
    assert await new.access_token() == again["access_token"]
    assert await is_active(client, again)
    assert not await is_active(client, tokens)


async def test_a_logout_of_an_unstored_sign_in_keeps_the_stored_one(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    store = MemoryStore()
    await client.session(tokens, store=store, key="k").access_token()
    again = dict(emulator.issue_tokens(user))
    await client.session(again, store=store, key="k").logout()
    assert await is_active(client, tokens)
    assert not await is_active(client, again)
    assert await client.session(None, store=store, key="k").access_token() == tokens["access_token"]


@pytest.mark.parametrize("failing", ["get", "delete"])
async def test_a_log_out_revokes_whatever_the_store_does(
    failing: str, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    class Away(MemoryStore):
        failing = ""

        def _fail(self, method: str) -> None:
            if method == self.failing:
                raise StoreError(f"{method} failed")

        async def get(self, key: str) -> SessionRecord | None:
            self._fail("get")
            return await super().get(key)

        async def delete(self, key: str, *, expected: int | None = None) -> bool:
            self._fail("delete")
            return await super().delete(key, expected=expected)

    store = Away()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store.failing = failing
    with pytest.raises(StoreError, match=failing):
        await session.logout()
    assert not await is_active(client, tokens)
    with pytest.raises(SessionExpiredError, match="logged out"):
        await session.access_token()
    assert emulator.requests[REVOKE] == 1


async def test_a_logout_that_lost_its_lock_keeps_another_sign_in(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    """Suspends a logout between its read and its delete; the lock expires, and a user signs in."""
    again = dict(emulator.issue_tokens(user))

    class Slow(MemoryStore):
        meanwhile = False

        async def delete(self, key: str, *, expected: int | None = None) -> bool:
            if self.meanwhile:
                self.meanwhile = False
                beside = MemoryStore()
                await client.session(again, store=beside, key=key).access_token()
                self._records[key] = beside._records[key]
            return await super().delete(key, expected=expected)

    store = Slow()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store.meanwhile = True
    await session.logout()
    assert not await is_active(client, tokens)
    assert await is_active(client, again)
    assert await client.session(None, store=store, key="k").access_token() == again["access_token"]


async def test_a_logout_that_lost_its_lock_removes_refreshed_tokens(client: AuthenticationClient, tokens: Any) -> None:
    class Slow(MemoryStore):
        meanwhile = False

        async def delete(self, key: str, *, expected: int | None = None) -> bool:
            if self.meanwhile:
                self.meanwhile = False
                present = self._records[key]
                self._records[key] = SessionRecord(tokens=present.tokens, generation=present.generation + 2)
            return await super().delete(key, expected=expected)

    store = Slow()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store.meanwhile = True
    await session.logout()
    assert await store.get("k") is None


async def test_a_session_ends_even_if_the_store_cannot_delete_it(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    class Keeps(MemoryStore):
        async def delete(self, key: str, *, expected: int | None = None) -> bool:
            raise StoreError(f"{key} {expected} stays")

    session = client.session(tokens, store=Keeps(), key="k")
    await session.access_token()
    emulator.revoke_grant(tokens["refresh_token"])
    with pytest.raises(SessionExpiredError):
        await session.refresh()


async def test_a_failed_on_tokens_is_logged_when_no_caller_waits(
    client: AuthenticationClient, tokens: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def on_tokens(_: object) -> None:
        raise LookupError("their own secrets")

    session = client.session(tokens, on_tokens=on_tokens, key=None)
    with pytest.raises(LookupError):
        await session.refresh()
    assert "on_tokens failed (LookupError)" in caplog.text
    assert "their own secrets" not in caplog.text.split("on_tokens failed", 1)[1].splitlines()[0]


async def test_a_session_that_never_met_its_store_ends_with_it(client: AuthenticationClient, tokens: Any) -> None:
    session = client.session(tokens)
    await session.logout()
    with pytest.raises(SessionExpiredError):
        await session.access_token()
    with pytest.raises(GenAuthError):
        await session.refresh()
