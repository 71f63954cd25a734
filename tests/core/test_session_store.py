"""TokenSession with a store."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    GenAuthError,
    InvalidResponseError,
    MemoryStore,
    RefreshUnavailableError,
    SessionExpiredError,
    SessionRecord,
    TokenSession,
    TokenSet,
    TransportError,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, REVOKE, emulators_time

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator))


class FailingStore(MemoryStore):
    """A store that fails on chosen writes."""

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
    # 1: the initial tokens; 2: the attempt before the request; 3: the rotated tokens.
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
    """Write as the new holder of the lock while the former holder is suspended in its refresh."""
    record = await store.get("k")
    assert record is not None
    assert record.refresh_sent
    overwritten = SessionRecord(tokens=tokens, generation=record.generation + 5)
    assert await store.compare_and_set("k", overwritten, expected=record.generation)
    return overwritten


async def test_a_refresh_that_lost_its_lock_does_not_overwrite(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    """A holder that is suspended until its lock expires finds newer tokens in the store."""
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


async def test_a_refresh_that_lost_its_lock_returns_no_expired_token(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    theirs = tokens_as_attributes(dict(emulator.issue_tokens(user)))
    expired = TokenSet(**theirs, obtained_at=emulator.clock.now() - LIFE - 10)
    with emulator.faults.hold(REFRESH) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(_refused_as_changed, session)
            await hold.wait_arrived()
            await overwrite(store, expired)
            hold.release()
    assert await session.access_token() not in {expired.access_token, tokens["access_token"]}


async def _refused_as_changed(session: TokenSession) -> None:
    with pytest.raises(RefreshUnavailableError, match="without its lock"):
        await session.refresh()


async def test_a_lost_lock_and_race_do_not_end_the_session(
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


async def test_a_logout_forgets_even_if_the_revocation_fails(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    emulator.faults.add(REVOKE, status=500, body="<html>", times=None)
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    with pytest.raises((InvalidResponseError, TransportError)):
        await session.logout()
    with pytest.raises(SessionExpiredError):
        await session.access_token()
    assert await store.get("k") is None


async def test_log_out_revokes_the_newest_tokens(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    store = MemoryStore()
    first, second = (client.session(tokens, store=store, key="k") for _ in range(2))
    await first.refresh()
    await second.logout()
    assert emulator.grants.alive == 0
    await first.invalidate(first.tokens.access_token)
    with pytest.raises(SessionExpiredError, match="elsewhere"):
        await first.access_token()
    assert emulator.requests[REFRESH] == 1


async def test_a_logout_after_one_elsewhere_revokes_nothing_more(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    first, second = (client.session(tokens, store=store, key="k") for _ in range(2))
    await first.access_token()
    await second.logout()
    await first.logout()
    assert emulator.requests[REVOKE] == 1


async def test_a_logout_of_tokens_never_stored_revokes_them(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    await client.session(tokens, store=MemoryStore(), key="k").logout()
    assert emulator.requests[REVOKE] == 1
    assert emulator.grants.alive == 0


async def test_a_logout_drops_a_pending_write(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    store = FailingStore()
    session = client.session(tokens, store=store, key="k")
    store.failing = {3, 4}
    with pytest.raises(OSError, match="disk full"):
        await session.refresh()
    assert client._shared.grants._kept
    await session.logout()
    assert not client._shared.grants._kept
    assert emulator.grants.alive == 0


async def test_on_tokens_runs_after_the_write_before_callers_resume(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    order: list[str] = []

    async def on_tokens(new: TokenSet) -> None:
        record = await store.get("k")
        assert record is not None
        assert record.tokens == new
        assert order == []
        await anyio.lowlevel.checkpoint()
        order.append("on_tokens")

    session = client.session(tokens, store=store, key="k", on_tokens=on_tokens)
    emulator.clock.advance(LIFE)

    async def ask() -> None:
        await session.access_token()
        order.append("returned")

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
    assert order == ["on_tokens"] + ["returned"] * 5


async def test_on_tokens_may_be_a_plain_function(client: AuthenticationClient, tokens: Any) -> None:
    received: list[TokenSet] = []
    session = client.session(tokens, on_tokens=received.append)
    assert [await session.refresh()] == received


async def test_when_on_tokens_fails_the_tokens_are_kept(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    def on_tokens(_: TokenSet) -> None:
        raise LookupError("their bug")

    session = client.session(tokens, on_tokens=on_tokens)
    with pytest.raises(LookupError, match="their bug"):
        await session.refresh()
    assert await session.access_token() == session.tokens.access_token != tokens["access_token"]
    assert emulator.requests[REFRESH] == 1


async def test_a_session_is_restored_from_its_store(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    await client.session(tokens, store=store, key="k").access_token()
    emulator.clock.advance(LIFE - 100)
    restored = client.session(None, store=store, key="k")
    with pytest.raises(SessionExpiredError, match="access_token"):
        restored.tokens  # noqa: B018
    assert await restored.access_token() == tokens["access_token"]
    assert restored.tokens.refresh_token == tokens["refresh_token"]
    emulator.clock.advance(50)
    assert await restored.access_token() != tokens["access_token"]
    with pytest.raises(SessionExpiredError, match="no session under this key"):
        await client.session(None, store=store, key="another").access_token()


async def test_a_new_sign_in_replaces_what_is_stored_under_its_key(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    store = MemoryStore()
    old = client.session(tokens, store=store, key="k")
    await old.access_token()
    emulator.clock.advance(10)
    again = dict(emulator.issue_tokens(user))
    new = client.session(again, store=store, key="k")
    await new.refresh()
    await old.invalidate(tokens["access_token"])
    assert await old.access_token() == await new.access_token()
    assert emulator.requests[REFRESH] == 1
    # Older tokens under the same key do not replace it.
    stale = client.session({**tokens, "obtained_at": emulator.clock.now() - 10}, store=store, key="k")
    assert (await stale.refresh()).access_token != tokens["access_token"]
    assert emulator.grants.revoked == 0
