"""Sessions under each rule of refresh tokens that the vendor's pages allow: they contradict each other."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import pytest

from genauth_async import AuthenticationClient, SessionExpiredError, TokenSession
from genauth_async.emulator import Emulator
from genauth_async.emulator.state.settings import RefreshTokens
from genauth_async.stores import FileStore
from tests.conftest import PASSWORD, leaked, secrets_of
from tests.core.sessions import REFRESH, emulators_time, gathered

RULES: tuple[RefreshTokens, ...] = get_args(RefreshTokens)
FORGIVING = [rule for rule in RULES if rule != "rotate"]
LIFE = 3600
FAULTS: dict[str, dict[str, Any]] = {each: {each: True} for each in ("lose_reply", "truncate")}

pytestmark = [pytest.mark.anyio, pytest.mark.backends, pytest.mark.usefixtures("user")]


@pytest.fixture(params=RULES)
def emulator(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Emulator]:
    caplog.set_level(logging.DEBUG)
    with Emulator(refresh_tokens=request.param, access_token_lifetime=LIFE) as emulator:
        yield emulator
    assert leaked(secrets_of(emulator), caplog.text) == []


only_forgiving = pytest.mark.parametrize("emulator", FORGIVING, indirect=True)
only_strict = pytest.mark.parametrize("emulator", ["rotate"], indirect=True)


@asynccontextmanager
async def process(emulator: Emulator, place: Path, *, sign_in: bool = False) -> AsyncIterator[TokenSession]:
    """A session of the store, as another process would have it: another client, another FileStore."""
    clock = emulators_time(emulator)
    client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, clock=clock)
    async with client:
        answer = await client.sign_in_by_account_password("ada", PASSWORD) if sign_in else None
        yield client.session(answer, store=FileStore(place), key="ada")


async def test_a_session_lives_as_long_as_it_is_refreshed(emulator: Emulator, tmp_path: Path) -> None:
    async with process(emulator, tmp_path, sign_in=True) as first, process(emulator, tmp_path) as second:
        seen = {await first.access_token()}
        for session in (first, second, second, first):
            emulator.clock.advance(2 * LIFE)
            got = set(await gathered(5, session))
            assert len(got) == 1
            assert not seen & got
            seen |= got
        assert emulator.requests[REFRESH] == 4
        assert emulator.grants.alive == 1
        await second.logout()
        assert emulator.grants.alive == 0
        emulator.clock.advance(2 * LIFE)
        with pytest.raises(SessionExpiredError):
            await first.access_token()


@only_forgiving
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_lost_answer_ends_no_session(emulator: Emulator, tmp_path: Path, fault: str) -> None:
    async with process(emulator, tmp_path, sign_in=True) as session, process(emulator, tmp_path) as other:
        emulator.clock.advance(2 * LIFE)
        emulator.faults.add(REFRESH, **FAULTS[fault])
        token = await session.access_token()
        assert await other.access_token() == token
        assert emulator.requests[REFRESH] == 2
        emulator.clock.advance(2 * LIFE)
        assert await other.access_token() != token
        assert (emulator.grants.alive, emulator.grants.reused) == (1, 0)


@only_strict
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_lost_answer_ends_it_where_reuse_is_theft(emulator: Emulator, tmp_path: Path, fault: str) -> None:
    async with process(emulator, tmp_path, sign_in=True) as session:
        emulator.clock.advance(2 * LIFE)
        emulator.faults.add(REFRESH, **FAULTS[fault])
        with pytest.raises(SessionExpiredError) as caught:
            await session.access_token()
        assert caught.value.reason == "lost_answer"
        assert (emulator.grants.alive, emulator.grants.reused) == (0, 1)
