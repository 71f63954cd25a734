"""The logs of sessions: each failure that is not raised, no key, no raw text of the server."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from genauth_async import AuthenticationClient, MemoryStore, RefreshUnavailableError, SessionExpiredError, StoreError
from genauth_async.emulator import Emulator
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, emulators_time
from tests.core.test_session_store import AwayStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator))


KEY = "the-browsers-session-canary"
SAID = "down\r\nWARNING:root:forged \x1b[2J\u202e\x9b"
REFUSED = {"statusCode": 500, "message": SAID * 900}


def levels(caplog: pytest.LogCaptureFixture) -> list[int]:
    """Return the levels of our records, all of which must be short single lines without the key."""
    ours = [record for record in caplog.records if record.name.startswith("genauth_async")]
    texts = [record.getMessage() for record in ours]
    assert all(text.isprintable() and len(text) < 1500 and "canary" not in text for text in texts), texts
    return [record.levelno for record in ours if record.levelno > logging.DEBUG]


async def test_a_failure_that_is_raised_is_not_logged(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = client.session(tokens, store=MemoryStore(), key=KEY)
    emulator.faults.add(REFRESH, envelope=REFUSED, times=None)
    with pytest.raises(RefreshUnavailableError):
        await session.refresh()
    emulator.clock.advance(LIFE)
    with pytest.raises(RefreshUnavailableError) as caught:
        await session.access_token()
    assert levels(caplog) == []
    assert str(caught.value).isprintable()
    emulator.faults.clear()


async def test_a_failure_behind_a_valid_token_is_logged(
    client: AuthenticationClient, tokens: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    session = client.session(tokens, store=MemoryStore(), key=KEY)
    emulator.clock.advance(LIFE - 30)
    emulator.faults.add(REFRESH, envelope=REFUSED, times=None)
    assert await session.access_token() == tokens["access_token"]
    assert levels(caplog) == [logging.WARNING]
    emulator.faults.clear()


async def test_a_failing_store_is_logged_without_the_key(
    client: AuthenticationClient, tokens: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store = AwayStore()
    store.error = StoreError(f"away\n{SAID}")
    await client.session(tokens, store=store, key=KEY).access_token()
    assert levels(caplog) == [logging.WARNING]


async def test_no_repr_shows_the_key(client: AuthenticationClient, tokens: Any) -> None:
    session = client.session(tokens, store=MemoryStore(), key=KEY)
    other = client.session(tokens, store=MemoryStore(), key=KEY + "2")
    for shown in (repr(session), str(session.auth), repr(client.session(None, store=MemoryStore(), key=KEY))):
        assert "canary" not in shown
    assert repr(session) != repr(other)  # told apart
    await session.logout()
    with pytest.raises(SessionExpiredError) as caught:
        await session.access_token()
    assert "canary" not in repr(caught.value)
