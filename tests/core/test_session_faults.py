"""TokenSession when a refresh fails, its answer is lost, or its caller is cancelled."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    GenAuthError,
    MemoryStore,
    RefreshUnavailableError,
    RetryPolicy,
    SessionExpiredError,
    TokenSession,
)
from genauth_async.emulator import Emulator
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, emulators_time, gathered

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator, carrier: Any) -> AuthenticationClient:
    return make_client(**carrier, clock=emulators_time(emulator), retry=RetryPolicy(backoff=0.0))


@pytest.fixture
def expired(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> TokenSession:
    session = client.session(tokens)
    emulator.clock.advance(LIFE)
    return session


LOST: list[dict[str, Any]] = [
    {"drop": True},
    {"lose_reply": True},
    {"truncate": True},
    {"truncate": "json"},
    {"status": 200, "body": "<p>"},
    {"status": 500, "body": {"error": "server_error"}},
    {"status": 502, "body": ""},
    {"status": 504, "body": "<html>Gateway Timeout</html>"},
    {"envelope": {"statusCode": 500, "message": "down"}},
]
REFUSED: list[dict[str, Any]] = [
    {"status": 503, "body": "<html>maintenance</html>"},
    {"status": 403, "body": "<html>firewall</html>"},
    {"status": 429, "retry_after": 60},
    {"status": 401, "body": {"error": "invalid_client"}},
    {"status": 200, "body": {"error": "unauthorized_client"}},
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
    # Another session of the same grant does not send it either.
    with pytest.raises(RefreshUnavailableError, match="resend=True"):
        await client.session(tokens).access_token()
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0

    processed = "lose_reply" in fault or "truncate" in fault
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


async def test_waiting_callers_get_the_one_error(expired: TokenSession, emulator: Emulator) -> None:
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
    # The held request is answered; no other caller sent one.
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
    assert len({id(error) for error in failures}) == 20, "a shared exception would collect all tracebacks"
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
