"""TokenSession and time: clocks that stand still, jump or differ, and callers that wait."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    MemoryStore,
    RefreshUnavailableError,
    RetryPolicy,
    SessionExpiredError,
    TokenSession,
)
from genauth_async import (
    session as session_module,
)
from genauth_async.emulator import Emulator
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, Time, TokenServer, emulators_time, gathered, settled, shown
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]

HOUR = 3600


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator), retry=RetryPolicy(backoff=0.0))


async def test_a_fresh_token_costs_no_call(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    session = client.session(tokens)
    emulator.clock.advance(LIFE - 65)
    assert set(await gathered(20, session)) == {tokens["access_token"]}
    assert emulator.requests.total == 0


async def test_a_hundred_callers_one_refresh(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    session = client.session(tokens)
    emulator.clock.advance(LIFE)
    assert set(await gathered(100, session)) == {session.tokens.access_token} != {tokens["access_token"]}
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


async def test_a_short_life_does_not_mean_a_refresh_for_each_call(make_client: MakeClient) -> None:
    with Emulator(access_token_lifetime=10) as emulator:
        user = emulator.add_user(username="ada", password="passw0rd")
        client = make_client(
            emulator.url, app_id=emulator.app_id, app_secret=emulator.app_secret, clock=emulators_time(emulator)
        )
        session = client.session(emulator.issue_tokens(user), leeway=60.0)
        for _ in range(20):
            await session.access_token()
            emulator.clock.advance(1)
        assert emulator.requests[REFRESH] == 3


@pytest.mark.parametrize("life", [None, 0, -1])
async def test_a_token_of_unknown_life_lasts_until_refused(
    life: int | None, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    session = client.session({**tokens, "expires_in": life})
    emulator.clock.advance(LIFE - 10)
    assert await session.access_token() == tokens["access_token"]
    await session.invalidate(tokens["access_token"])
    assert await session.access_token() != tokens["access_token"]


@pytest.mark.parametrize(
    ("monotonic", "wall", "is_refreshed"),
    [
        (HOUR - 61, HOUR - 61, False),
        (HOUR - 59, HOUR - 59, True),
        # The machine slept, while its monotonic clock stood still.
        (0, HOUR - 61, False),
        (0, HOUR - 59, True),
        (10, 10 * HOUR, True),
        # The wall clock was set back: by a little, and by more than clocks differ; or it stood still.
        (20, -40, False),
        (20, -80, True),
        (HOUR - 59, 0, True),
        (HOUR - 59, -30 * 86400, True),
    ],
)
async def test_a_token_expires_by_either_clock(
    monotonic: float, wall: float, is_refreshed: bool, recorder: RecordingServer, make_client: MakeClient
) -> None:
    time, server = Time(), TokenServer(recorder, "reuse detection")
    session = make_client(recorder.url, clock=time.clock).session(server.FIRST)
    assert await session.access_token() == "access-1"
    time.monotonic += monotonic
    time.wall += wall
    assert await session.access_token() == ("access-2" if is_refreshed else "access-1")
    # Right or wrong, the clocks cost no further refresh.
    assert await session.access_token() == server.newest


@pytest.mark.parametrize(("monotonic", "wall"), [(0, HOUR), (HOUR, 0), (HOUR, -HOUR)])
async def test_a_token_expired_by_either_clock_is_not_handed_out(
    monotonic: float, wall: float, recorder: RecordingServer, make_client: MakeClient
) -> None:
    time = Time()
    session = make_client(recorder.url, clock=time.clock).session(TokenServer.FIRST)
    assert await session.access_token() == "access-1"
    time.monotonic += monotonic
    time.wall += wall
    recorder.default = Answer(b"", 503)
    for _ in range(2):
        with pytest.raises(RefreshUnavailableError):
            await session.access_token()


@pytest.mark.parametrize(
    ("obtained", "later", "is_refreshed"),
    [
        (-HOUR + 61, 0, False),
        (-HOUR + 59, 0, True),
        (-600, HOUR - 661, False),
        (-600, HOUR - 659, True),
        # Stored by a machine whose clock is ahead: by as much as clocks differ, and by more.
        (55, 0, False),
        (65, 0, True),
        (HOUR, 0, True),
        (10 * HOUR, 0, True),
    ],
)
async def test_a_stored_token_expires_by_the_time_of_its_arrival(
    obtained: float, later: float, is_refreshed: bool, recorder: RecordingServer, make_client: MakeClient
) -> None:
    time, server, store = Time(), TokenServer(recorder, "reuse detection"), MemoryStore()
    other = Time()
    other.wall += obtained
    await make_client(recorder.url, clock=other.clock).session(server.FIRST, store=store, key="k").access_token()
    session = make_client(recorder.url, clock=time.clock).session(None, store=store, key="k")
    time.advance(later)
    assert await session.access_token() == ("access-2" if is_refreshed else "access-1")


async def test_a_clock_that_is_ahead_costs_no_token(recorder: RecordingServer, make_client: MakeClient) -> None:
    time, server = Time(), TokenServer(recorder, "reuse detection")
    first = {**server.FIRST, "obtained_at": time.wall + HOUR}
    client = make_client(recorder.url, clock=time.clock)
    session = client.session(first)
    server.faults = [(False, Answer(b"", 503))] * 2
    assert await session.access_token() == "access-1"
    time.advance(HOUR)
    assert await session.access_token() == "access-2"


@pytest.fixture
def due(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> TokenSession:
    """A session whose access token is valid, and due."""
    session = client.session(tokens, store=MemoryStore(), key="k")
    emulator.clock.advance(LIFE - 30)
    return session


async def test_only_one_caller_waits_for_an_early_refresh(
    due: TokenSession, tokens: Any, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_EARLY_SECONDS", 600)
    got: list[str] = []

    async def first() -> None:
        got.append(await due.access_token())

    with anyio.fail_after(60), emulator.faults.hold(REFRESH) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await hold.wait_arrived()
            assert set(await gathered(10, due)) == {tokens["access_token"]}
            assert got == []
            hold.release()
    assert got == [due.tokens.access_token] != [tokens["access_token"]]
    assert emulator.requests[REFRESH] == 1


@pytest.mark.parametrize("trouble", ["slow", "silent", "429", "503"])
async def test_an_early_refresh_delays_no_valid_token(
    trouble: str, make_client: MakeClient, tokens: Any, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_EARLY_SECONDS", 0.01)
    client = make_client(clock=emulators_time(emulator), refresh_timeout=2 if trouble == "silent" else 600)
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k")
    emulator.clock.advance(LIFE - 30)
    with anyio.fail_after(60):
        if trouble in {"slow", "silent"}:
            hold = emulator.faults.hold(REFRESH)
            for _ in range(3):
                assert await session.access_token() == tokens["access_token"]
            if trouble == "slow":
                hold.release()
            await settled(session)
            hold.release()
        else:
            emulator.faults.add(REFRESH, status=int(trouble), body={"error": "slow_down"}, retry_after=15)
            for _ in range(3):
                assert await session.access_token() == tokens["access_token"]
            await settled(session)
            assert shown(await store.get("k")).tokens.access_token == tokens["access_token"]
            emulator.clock.advance(15)
            monkeypatch.undo()
    if trouble == "silent":
        assert shown(await store.get("k")).tokens.access_token == tokens["access_token"]
    else:
        assert await session.access_token() != tokens["access_token"]
        assert shown(await store.get("k")).tokens == session.tokens
    assert emulator.requests[REFRESH] == (1 if trouble in {"slow", "silent"} else 2)


async def test_the_first_caller_waits_for_a_second(due: TokenSession, tokens: Any, emulator: Emulator) -> None:
    emulator.faults.add(REFRESH, reply_latency=0.2)
    assert await due.access_token() != tokens["access_token"]


async def test_a_token_that_expires_in_an_early_refresh_is_waited_for(
    due: TokenSession, tokens: Any, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_EARLY_SECONDS", 0.01)
    got: list[str] = []

    async def ask() -> None:
        got.append(await due.access_token())

    with emulator.faults.hold(REFRESH) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await hold.wait_arrived()
            emulator.clock.advance(31)
            group.start_soon(ask)
            await anyio.sleep(0.1)
            hold.release()
    assert set(got) <= {tokens["access_token"], due.tokens.access_token}
    assert got[-1] == due.tokens.access_token
    assert emulator.requests[REFRESH] == 1


@pytest.mark.parametrize("by", [None, "https://api.example.com"])
@pytest.mark.parametrize("place", ["same key", "restored"])
async def test_a_refused_token_is_handed_out_by_no_session(
    place: str, by: str | None, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    first = client.session(tokens, store=store, key="k")
    other = {
        "same key": lambda: client.session(tokens, store=store, key="k"),
        "restored": lambda: client.session(None, store=store, key="k"),
    }[place]()
    for session in (first, other):
        assert await session.access_token() == tokens["access_token"]
    await first.invalidate(tokens["access_token"], by)
    assert await other.access_token() != tokens["access_token"]
    assert await first.access_token() == await other.access_token()
    assert emulator.requests[REFRESH] == 1


async def test_invalidate_ignores_a_token_that_is_not_the_present_one(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    session = client.session(tokens)
    await session.refresh()
    newest = await session.access_token()
    await session.invalidate(tokens["access_token"])
    assert await session.access_token() == newest
    assert emulator.requests[REFRESH] == 1


async def test_without_a_refresh_token(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    del tokens["refresh_token"]
    session = client.session(tokens)
    emulator.clock.advance(LIFE - 30)
    for _ in range(2):
        assert await session.access_token() == tokens["access_token"]
    with pytest.raises(RefreshUnavailableError, match="offline_access"):
        await session.refresh()
    emulator.clock.advance(30)
    for _ in range(2):
        with pytest.raises(SessionExpiredError, match="offline_access") as caught:
            await session.access_token()
        assert caught.value.reason == "no_refresh_token"
    assert emulator.requests[REFRESH] == 0
