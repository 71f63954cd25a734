"""Tokens of a grant, and the state that its sessions share."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    GenAuthError,
    MemoryStore,
    RefreshUnavailableError,
    SessionExpiredError,
    SessionRecord,
    StoreError,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, emulators_time
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator))


async def test_an_old_answer_never_replaces_what_came_after_it(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    """Simulates a service that makes a session per request from one saved answer without a time."""
    store = MemoryStore()
    for _ in range(4):
        session = client.session(tokens, store=store, key="user")
        await session.access_token()
        await session.refresh()
        emulator.clock.advance(60)
        del session
    assert emulator.requests[REFRESH] == 4
    assert emulator.grants.revoked == 0


async def test_a_new_sign_in_replaces_whatever_the_clocks_say(
    make_client: MakeClient, tokens: Any, emulator: Emulator, user: User
) -> None:
    store = MemoryStore()
    await make_client().session(tokens, store=store, key="user").refresh()
    again = dict(emulator.issue_tokens(user))
    behind = {**again, "obtained_at": emulator.clock.now() - 3600}
    assert await make_client().session(behind, store=store, key="user").access_token() == again["access_token"]


async def test_old_tokens_do_not_lead_to_another_users_sign_in(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    """Simulates a script that stores the current user under one key."""
    store = MemoryStore()
    ada = client.session(tokens, store=store, key="signed in")
    adas = await ada.refresh()
    grace = dict(emulator.issue_tokens(emulator.add_user(username="grace", password="passw0rd")))
    now = client.session(grace, store=store, key="signed in")
    assert await now.access_token() == grace["access_token"]
    assert await client.session(adas, store=store).access_token() == adas.access_token


async def test_a_store_without_a_key(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    store = MemoryStore()
    first = client.session(tokens, store=store)
    await first.refresh()
    second = client.session(first.tokens, store=store)
    await second.refresh()
    await first.invalidate(first.tokens.access_token)
    assert first.key == second.key
    assert await first.access_token() == await second.access_token()
    assert emulator.requests[REFRESH] == 2
    assert emulator.grants.revoked == 0


async def test_sessions_of_a_grant_share_a_failure(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    sessions = [client.session(tokens) for _ in range(10)]
    emulator.clock.advance(LIFE - 30)
    emulator.faults.add(REFRESH, status=503, latency=0.05, times=None)
    async with anyio.create_task_group() as group:
        for session in sessions:
            group.start_soon(session.access_token)
    for session in sessions:
        assert await session.access_token() == tokens["access_token"]
    assert emulator.requests[REFRESH] == 1


async def test_a_store_that_was_down_is_written_as_soon_as_it_is_up(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    class Down(MemoryStore):
        down = False

        async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
            if self.down and not record.refresh_sent:
                raise OSError("the store is down")
            return await super().compare_and_set(key, record, expected=expected)

    store = Down()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store.down = True
    with pytest.raises(OSError, match="down"):
        await session.refresh()
    store.down = False
    # A new session of the grant writes them, as in the next request.
    del session
    renewed = await client.session(None, store=store, key="k").access_token()
    record = await store.get("k")
    assert record is not None
    assert record.refresh_sent or record.tokens.access_token == renewed
    assert emulator.requests[REFRESH] == 1


async def test_a_store_that_hangs_does_not_hold_up_a_refresh(make_client: MakeClient, tokens: Any) -> None:
    class Hangs(MemoryStore):
        hangs = False

        async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
            if self.hangs:
                await anyio.sleep_forever()
            return await super().compare_and_set(key, record, expected=expected)

    store = Hangs()
    session = make_client(refresh_timeout=0.2).session(tokens, store=store, key="k")
    await session.access_token()
    store.hangs = True
    with pytest.raises(RefreshUnavailableError, match="store"):
        await session.refresh()
    assert await session.access_token() == tokens["access_token"]


async def test_a_hanging_store_does_not_delay_the_end_of_a_session(
    make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    class Hangs(MemoryStore):
        async def delete(self, key: str, *, expected: int | None = None) -> bool:
            assert (key, expected is None) == ("k", False)
            await anyio.sleep_forever()
            return True

    session = make_client(refresh_timeout=0.2).session(tokens, store=Hangs(), key="k")
    await session.access_token()
    emulator.revoke_grant(tokens["refresh_token"])
    with pytest.raises(RefreshUnavailableError, match="store"):
        await session.refresh()
    with pytest.raises(SessionExpiredError):
        await session.access_token()


async def test_a_store_that_hangs_does_not_hold_up_a_log_out(make_client: MakeClient, tokens: Any) -> None:
    class Hangs(MemoryStore):
        hangs = False

        async def get(self, key: str) -> SessionRecord | None:
            if self.hangs:
                await anyio.sleep_forever()
            return await super().get(key)

        async def delete(self, key: str, *, expected: int | None = None) -> bool:
            assert (key, expected is None) == ("k", False)
            await anyio.sleep_forever()
            return True

    store = Hangs()
    client = make_client(refresh_timeout=0.2)
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    store.hangs = True
    with pytest.raises(StoreError):
        await session.logout()
    assert not (await client.introspect_token(tokens["access_token"])).active


@pytest.mark.parametrize(
    "odd",
    [{"scope": ["openid"]}, {"expires_in": 7199.5}, {"expires_in": "7200.0"}, {"id_token": {}}, {"token_type": 1}],
    ids=str,
)
async def test_an_odd_neighbour_does_not_lose_the_refresh_token(
    odd: dict[str, Any], recorder: RecordingServer, make_client: MakeClient
) -> None:
    recorder.default = Answer({"access_token": "a2", "refresh_token": "r2", **odd})
    new = await make_client(recorder.url).session({"access_token": "a1", "refresh_token": "r1"}).refresh()
    assert (new.access_token, new.refresh_token) == ("a2", "r2")
    if "expires_in" in odd:
        assert new.expires_in in {7199, 7200}


async def test_a_server_that_does_not_rotate(recorder: RecordingServer, make_client: MakeClient) -> None:
    client = make_client(recorder.url)
    tokens = {"access_token": "a1", "refresh_token": "r1"}
    session = client.session(tokens)
    recorder.default = Answer({"access_token": "a2", "refresh_token": ""})
    for _ in range(12):
        assert (await session.refresh()).refresh_token == "r1"
    sibling = client.session(tokens)
    assert await sibling.access_token() == await session.access_token()


async def test_an_exception_being_handled_by_the_caller_is_ignored(
    carrier: Any, make_client: MakeClient, emulator: Emulator, tokens: Any
) -> None:
    import aiohttp

    client = make_client(**carrier)
    emulator.faults.add(REFRESH, lose_reply=True)
    try:
        raise aiohttp.ClientConnectorDNSError(None, OSError("of the caller"))  # type: ignore[arg-type]
    except aiohttp.ClientConnectorError:
        with pytest.raises(GenAuthError) as caught:
            await client.get_new_access_token_by_refresh_token(tokens["refresh_token"])
    assert getattr(caught.value, "sent", None) is True
    assert emulator.requests[REFRESH] == 1
