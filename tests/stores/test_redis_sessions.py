"""Signed-in users whose tokens are in Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.to_thread
import pytest

import genauth_sync
from genauth_async import AuthenticationClient, SessionExpiredError
from genauth_async.emulator import Emulator
from genauth_async.errors import StoreError
from genauth_async.stores import RedisStore
from tests.conftest import PASSWORD, MakeClient, leaked, secrets_of
from tests.core.sessions import LIFE, REFRESH, emulators_time, gathered
from tests.stores.losing_proxy import LosingProxy, losing_proxy
from tests.stores.redis_server import RedisServer, contents
from tests.stores.redis_stores import MakeStore

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio"), pytest.mark.usefixtures("user")]


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator))


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[LosingProxy]:
    with losing_proxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def losing_store(proxy: LosingProxy, redis_server: RedisServer, redis_prefix: str) -> AsyncIterator[RedisStore]:
    store = RedisStore(redis_server.url.replace(str(redis_server.port), str(proxy.port)), prefix=redis_prefix)
    yield store
    await store.aclose()


async def signed_in(client: AuthenticationClient) -> Any:
    return await client.sign_in_by_account_password("ada", PASSWORD)


async def test_sessions_of_several_machines_share_one_refresh(
    make_client: MakeClient, make_redis_store: MakeStore, redis_server: RedisServer, emulator: Emulator
) -> None:
    machines = [make_client(clock=emulators_time(emulator)) for _ in range(4)]
    stores = [make_redis_store(redis_server) for _ in machines]
    answer = await signed_in(machines[0])
    await machines[0].session(answer, store=stores[0], key="ada").access_token()
    sessions = [client.session(None, store=store, key="ada") for client, store in zip(machines, stores, strict=True)]
    for times in (1, 2, 3):
        emulator.clock.advance(LIFE)
        tokens: list[str] = []

        async def ask(session: Any, tokens: list[str] = tokens) -> None:
            tokens.extend(await gathered(10, session))

        async with anyio.create_task_group() as group:
            for session in sessions:
                group.start_soon(ask, session)
        assert len(tokens) == 40
        assert len(set(tokens)) == 1
        assert emulator.requests[REFRESH] == times
    await sessions[0].logout()
    assert emulator.grants.revoked == 1
    assert await stores[1].get("ada") is None


async def test_redis_is_shown_no_token_of_a_sealed_session(
    client: AuthenticationClient,
    make_redis_store: MakeStore,
    redis_server: RedisServer,
    redis_prefix: str,
    emulator: Emulator,
) -> None:
    session = client.session(await signed_in(client), store=make_redis_store(redis_server, secrets="s" * 32))
    await session.access_token()
    await session.refresh()
    shown = str(contents(redis_server, redis_prefix))
    assert redis_prefix not in shown
    assert "record" in shown
    assert leaked(secrets_of(emulator), shown) == []


ATTEMPT = b'"attempt":{'


@pytest.mark.parametrize("is_written", [True, False], ids=["answer lost", "not written"])
async def test_an_attempt_that_redis_may_not_have_costs_nothing(
    is_written: bool, client: AuthenticationClient, losing_store: RedisStore, proxy: LosingProxy, emulator: Emulator
) -> None:
    session = client.session(await signed_in(client), store=losing_store, key="ada")
    await session.access_token()
    emulator.clock.advance(LIFE)
    (proxy.lose if is_written else proxy.refuse)(ATTEMPT, times=2)
    with pytest.raises(StoreError) as caught:
        await session.access_token()
    assert not caught.value.outcome_unknown
    assert proxy.left == 0
    assert emulator.requests[REFRESH] == 0
    emulator.clock.advance(60)
    assert await session.access_token() == session.tokens.access_token
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


async def test_a_failed_attempt_does_not_overwrite_a_new_sign_in(
    client: AuthenticationClient,
    make_client: MakeClient,
    losing_store: RedisStore,
    proxy: LosingProxy,
    redis_server: RedisServer,
    redis_prefix: str,
    emulator: Emulator,
) -> None:
    session = client.session(await signed_in(client), store=losing_store, key="ada")
    await session.access_token()
    emulator.clock.advance(LIFE)
    proxy.refuse(ATTEMPT, times=2)
    with pytest.raises(StoreError):
        await session.access_token()
    other = RedisStore(redis_server.url, prefix=redis_prefix)
    newer = make_client(clock=emulators_time(emulator)).session(await signed_in(client), store=other, key="ada")
    token = await newer.access_token()
    emulator.clock.advance(60)
    with pytest.raises(SessionExpiredError) as caught:
        await session.access_token()
    assert caught.value.reason == "replaced_by_new_sign_in"
    assert await newer.access_token() == token
    assert emulator.requests[REFRESH] == 0
    await other.aclose()


@pytest.mark.parametrize("is_written", [True, False], ids=["answer lost", "not written"])
async def test_new_tokens_that_redis_may_not_have_are_kept(
    is_written: bool, client: AuthenticationClient, losing_store: RedisStore, proxy: LosingProxy, emulator: Emulator
) -> None:
    session = client.session(await signed_in(client), store=losing_store, key="ada")
    await session.access_token()
    stored = await losing_store.get("ada")
    assert stored is not None
    emulator.clock.advance(LIFE)
    rotated = f'"generation":{stored.generation + 2}'.encode()
    (proxy.lose if is_written else proxy.refuse)(rotated, times=2)
    token = (await session.refresh()).access_token
    assert proxy.left == 0
    with anyio.fail_after(60):
        while (record := await losing_store.get("ada")) is None or record.tokens.access_token != token:
            assert await session.access_token() == token
            await anyio.sleep(0.05)
    assert record.attempt is None
    assert emulator.requests[REFRESH] == 1


@pytest.mark.backends("asyncio")
async def test_the_blocking_client_uses_the_same_store(
    redis_server: RedisServer, redis_prefix: str, emulator: Emulator
) -> None:
    def use() -> None:
        with (
            redis_server.client() as connection,
            genauth_sync.AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client,
        ):
            store = RedisStore(connection, prefix=redis_prefix)
            session = client.session(client.sign_in_by_account_password("ada", PASSWORD), store=store, key="ada")
            first = session.access_token()
            assert client.session(None, store=store, key="ada").access_token() == first
            assert session.refresh().access_token != first
            session.logout()

    await anyio.to_thread.run_sync(use)
    assert contents(redis_server, redis_prefix) == {}
    assert emulator.requests[REFRESH] == 1
