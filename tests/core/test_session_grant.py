"""Tokens of a grant, and the state that its sessions share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
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
    TokenSet,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import MakeClient
from tests.core.sessions import LIFE, REFRESH, all_at_once, emulators_time
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


PLACES: dict[str, Callable[[MemoryStore], dict[str, Any]]] = {
    "key": lambda store: {"store": store, "key": "ada"},
    "other key": lambda store: {"store": store, "key": "browser-1"},
    "no key": lambda store: {"store": store},
    "other store": lambda _: {"store": MemoryStore(), "key": "ada"},
    "nothing": lambda _: {},
}


@pytest.mark.backends("asyncio")
@pytest.mark.parametrize("is_used", [True, False], ids=["used", "not used"])
@pytest.mark.parametrize(("first", "second"), [*itertools.product(PLACES, repeat=2)])
async def test_the_same_tokens_in_two_places_are_sent_once(
    first: str, second: str, is_used: bool, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    one = client.session(tokens, **PLACES[first](store))
    if is_used:
        await one.access_token()
    two = client.session(tokens, **PLACES[second](store))
    newest = await one.refresh()
    emulator.clock.advance(60)
    await two.refresh()
    assert await one.access_token()
    await one.refresh()
    emulator.clock.advance(LIFE)
    await all_at_once([one.access_token, two.access_token] * 5)
    assert (await client.introspect_token(await two.access_token())).active
    assert await one.access_token() == await two.access_token() != newest.access_token
    # Made again for a request: from outdated tokens, and from the newest.
    for tokens_again in (tokens, newest, two.tokens):
        again = client.session(tokens_again, **PLACES[second](store))
        await again.refresh()
        await again.access_token()
    assert emulator.grants.reused == emulator.grants.revoked == 0


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
    for session in (ada, client.session(adas, store=store, key="signed in")):
        for call in (session.access_token, session.refresh):
            with pytest.raises(SessionExpiredError) as caught:
                await call()
            assert caught.value.reason == "replaced_by_new_sign_in"


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["same process", "other process"])
async def test_two_browsers_with_one_key_take_nothing_back(
    is_elsewhere: bool,
    make_client: MakeClient,
    client: AuthenticationClient,
    tokens: Any,
    emulator: Emulator,
    user: User,
) -> None:
    """Simulates a service that makes a session per request from each browser's tokens, with the user's id as key."""
    store = MemoryStore()
    other = make_client(clock=emulators_time(emulator)) if is_elsewhere else client
    again = dict(emulator.issue_tokens(user))
    await client.session(tokens, store=store, key="ada").refresh()
    assert await other.session(again, store=store, key="ada").access_token() == again["access_token"]
    for make in (client, other):
        with pytest.raises(SessionExpiredError) as caught:
            await make.session(tokens, store=store, key="ada").refresh()
        assert caught.value.reason == "replaced_by_new_sign_in"
        assert await make.session(again, store=store, key="ada").access_token() == again["access_token"]
    await other.session(again, store=store, key="ada").refresh()
    assert await client.session(None, store=store, key="ada").access_token()
    assert emulator.grants.reused == emulator.grants.revoked == 0


class Down(MemoryStore):
    """A store whose writes fail while it is down."""

    error: Exception | None = None
    takes_attempts = False

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        if self.error is not None and not (self.takes_attempts and record.attempt is not None):
            raise self.error
        return await super().compare_and_set(key, record, expected=expected)


@pytest.mark.parametrize("is_back", [True, False], ids=["back", "down"])
@pytest.mark.parametrize("takes_attempts", [True, False])
@pytest.mark.parametrize("error", [StoreError("down"), OSError("down")], ids=repr)
async def test_unstored_tokens_of_a_user_are_given_to_no_other(
    error: Exception, takes_attempts: bool, is_back: bool, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = Down()
    first = client.session(tokens, store=store, key="browser-1")
    await first.access_token()
    store.error, store.takes_attempts = error, takes_attempts
    with suppress(StoreError, OSError):
        await first.refresh()
    del first
    if is_back:
        store.error = None
    grace: Any = dict(emulator.issue_tokens(emulator.add_user(username="grace", password="passw0rd")))
    second = client.session(grace, store=store, key="browser-1")
    with suppress(OSError):
        assert await second.access_token() == grace["access_token"]
    store.error = None
    assert await second.access_token() == grace["access_token"]
    record = await store.get("browser-1")
    assert record is not None
    assert record.tokens.access_token == grace["access_token"]
    await second.logout()
    assert not (await client.introspect_token(grace["refresh_token"])).active


@pytest.mark.parametrize("error", [StoreError("down"), OSError("down")], ids=repr)
async def test_a_store_that_was_down_is_written_as_soon_as_it_is_up(
    error: Exception, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store, received = Down(), list[TokenSet]()
    session = client.session(tokens, store=store, key="k", on_tokens=received.append)
    await session.access_token()
    store.error, store.takes_attempts = error, True
    if isinstance(error, StoreError):
        await session.refresh()
    else:
        with pytest.raises(OSError, match="down"):
            await session.refresh()
    assert received == [session.tokens]
    newest = session.tokens
    assert newest.access_token != tokens["access_token"]
    del session
    # A new session of the grant writes them, as in the next request.
    store.error = None
    assert await client.session(None, store=store, key="k").access_token() == newest.access_token
    record = await store.get("k")
    assert record is not None
    assert record.tokens == newest
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

    session = make_client(refresh_timeout=2).session(tokens, store=Hangs(), key="k")
    await session.access_token()
    emulator.revoke_grant(tokens["refresh_token"])
    for call in (session.refresh, session.access_token):
        with pytest.raises(SessionExpiredError) as caught:
            await call()
        assert caught.value.reason == "revoked"


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
    client = make_client(refresh_timeout=2)
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
