"""The blocking TokenSession, from many threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from genauth_async.emulator import Emulator
from genauth_sync import (
    AuthenticationClient,
    ConfigurationError,
    MemoryStore,
    RefreshUnavailableError,
    SessionExpiredError,
    TokenSession,
    TokenSet,
)

REFRESH = "/oidc/token"


@pytest.fixture
def client(emulator: Emulator) -> Iterator[AuthenticationClient]:
    with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
        yield client


@pytest.fixture
def session(client: AuthenticationClient, emulator: Emulator) -> TokenSession:
    return client.session(emulator.issue_tokens(emulator.add_user(username="ada", password="passw0rd")))


def test_many_threads_one_refresh(session: TokenSession, emulator: Emulator) -> None:
    session.invalidate(session.access_token())
    barrier = threading.Barrier(64)

    def ask(_: int) -> str:
        barrier.wait(30)
        return session.access_token()

    with ThreadPoolExecutor(64) as threads:
        given = set(threads.map(ask, range(64)))
    assert given == {session.tokens.access_token}
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


def test_on_tokens_does_not_block_and_may_use_the_session(client: AuthenticationClient, emulator: Emulator) -> None:
    seen: list[tuple[str, str, int]] = []

    def on_tokens(tokens: TokenSet) -> None:
        # In a thread of its own, so that it may block, and call back.
        client.get_system_info()
        seen.append((tokens.access_token, mine.access_token(), threading.get_ident()))

    user = emulator.add_user(username="ada", password="passw0rd")
    mine = client.session(emulator.issue_tokens(user), on_tokens=on_tokens)
    refreshed = mine.refresh()
    [(token, asked, thread)] = seen
    assert token == asked == refreshed.access_token
    assert thread != threading.get_ident()


def test_the_errors_are_the_same_objects(session: TokenSession, emulator: Emulator) -> None:
    emulator.faults.add(REFRESH, lose_reply=True)
    with pytest.raises(RefreshUnavailableError) as caught:
        session.refresh()
    assert caught.value.outcome_unknown
    assert caught.value.attempts == 1
    assert caught.value.retry_after == pytest.approx(5, abs=0.5)
    session.invalidate(session.tokens.access_token)
    with pytest.raises(RefreshUnavailableError):
        session.access_token()
    session.logout()
    with pytest.raises(SessionExpiredError) as ended:
        session.refresh()
    assert ended.value.reason == "logged_out"


def test_made_by_hand_as_by_the_client(client: AuthenticationClient, emulator: Emulator) -> None:
    tokens = emulator.issue_tokens(emulator.add_user(username="ada", password="passw0rd"))
    store = MemoryStore()
    first, second = (TokenSession(client, tokens, store=store, key="k") for _ in range(2))
    first.refresh()
    second.invalidate(tokens["access_token"])
    assert second.access_token() == first.access_token()
    assert emulator.requests[REFRESH] == 1
    with pytest.raises(ConfigurationError, match="tokens"):
        TokenSession(client, {})
    first.logout()
    assert emulator.grants.alive == 0
