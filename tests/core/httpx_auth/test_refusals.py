"""`session.auth` with APIs that refuse every token."""

from __future__ import annotations

import pytest

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from tests.core.httpx_auth.conftest import Api, Caller, ManualClock
from tests.core.sessions import LIFE, REFRESH

pytestmark = pytest.mark.anyio


async def test_an_api_that_refuses_all_requests_costs_one_refresh(
    call: Caller, api: Api, emulator: Emulator, manual_clock: ManualClock
) -> None:
    api.refuses_all = True
    for _ in range(20):
        # Each request has its own auth object, as in a function with a session parameter.
        answer = await call("GET", f"{api.server.url}/items", auth=call.session.auth)
        assert answer.status_code == 401
    assert emulator.requests[REFRESH] == 1
    assert len(api.seen) == 21  # one request was sent again
    manual_clock.seconds += 9
    await call("GET", f"{api.server.url}/items")
    assert emulator.requests[REFRESH] == 1
    manual_clock.seconds += 1
    for _ in range(20):
        await call("GET", f"{api.server.url}/items")
    assert emulator.requests[REFRESH] == 2


async def test_a_refusing_api_does_not_block_refreshes_for_others(
    call: Caller, api: Api, elsewhere: Api, emulator: Emulator
) -> None:
    await call("GET", f"{elsewhere.server.url}/items")
    assert emulator.requests[REFRESH] == 1
    emulator.clock.advance(LIFE + 1)
    assert (await call("GET", f"{api.server.url}/items")).status_code == 200
    assert emulator.requests[REFRESH] == 2


async def test_a_direct_invalidation_always_causes_a_refresh(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    session = client.session(emulator.issue_tokens(user))
    for refreshes in (1, 2):
        await session.invalidate(await session.access_token())
        await session.access_token()
        assert emulator.requests[REFRESH] == refreshes
