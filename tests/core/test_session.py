"""TokenSession without failures, and its arguments."""

from __future__ import annotations

import asyncio
import pickle
import threading
from typing import Any

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    Clock,
    ConfigurationError,
    LoginTokenRespDto,
    MemoryStore,
    SessionExpiredError,
    TokenSet,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import PASSWORD, MakeClient
from tests.core.sessions import LIFE, REFRESH, REVOKE, emulators_time, gathered
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator))


@pytest.mark.usefixtures("user")
async def test_from_sign_in_to_log_out(face: Any, emulator: Emulator) -> None:
    answer = await face.sign_in_by_username_password("ada", PASSWORD)
    session = face.session(answer)
    assert await session.access_token() == answer.data.access_token
    assert session.tokens.refresh_token == answer.data.refresh_token
    await session.invalidate(answer.data.access_token)
    renewed = await session.access_token()
    assert renewed != answer.data.access_token
    assert (await face.introspect_token(renewed)).active
    assert (await face.get_user_info_by_access_token(renewed)).preferred_username == "ada"
    forced = await session.refresh()
    assert isinstance(forced, TokenSet)
    assert forced.access_token == await session.access_token() != renewed
    assert emulator.requests[REFRESH] == 2
    await session.logout()
    assert not (await face.introspect_token(forced.access_token)).active
    with pytest.raises(SessionExpiredError, match="logged out"):
        await session.access_token()
    await session.logout()
    assert emulator.requests[REVOKE] == 1
    assert await face.revoke_token("unknown") is True


async def test_a_fresh_token_costs_no_call(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    session = client.session(tokens)
    emulator.clock.advance(LIFE - 61)
    assert set(await gathered(20, session)) == {tokens["access_token"]}
    assert emulator.requests.total == 0


async def test_a_hundred_callers_one_refresh(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    session = client.session(tokens)
    emulator.clock.advance(LIFE - 59)
    got = await gathered(100, session)
    assert len(got) == 100
    assert set(got) == {session.tokens.access_token} != {tokens["access_token"]}
    assert emulator.requests[REFRESH] == 1
    assert emulator.grants.revoked == 0


async def test_forced_refreshes_at_once_are_one(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    session = client.session(tokens)
    got: list[TokenSet] = []

    async def one() -> None:
        got.append(await session.refresh())

    with emulator.faults.hold(REFRESH) as hold:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(one)
            await hold.wait_arrived()
            hold.release()
    assert emulator.requests[REFRESH] == 1
    assert got == [session.tokens] * 20
    await session.refresh()
    assert emulator.requests[REFRESH] == 2


async def test_sessions_of_the_same_grant_are_one(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    first, second = client.session(tokens), client.with_options(lang="zh-CN").session(tokens)
    emulator.clock.advance(LIFE)
    async with anyio.create_task_group() as group:
        for session in (first, second) * 10:
            group.start_soon(session.access_token)
    assert await first.access_token() == await second.access_token()
    # Created again for a request: from outdated tokens, and from the newest.
    stale, newest = client.session(tokens), client.session(first.tokens)
    assert await newest.access_token() == await first.access_token()
    await stale.invalidate(tokens["access_token"])
    assert await stale.access_token() == await first.access_token()
    await newest.refresh()
    await first.invalidate(first.tokens.access_token)
    assert await first.access_token() == await newest.access_token()
    assert emulator.requests[REFRESH] == 2
    assert emulator.grants.revoked == 0


async def test_a_grant_is_forgotten_with_its_last_session(client: AuthenticationClient, tokens: Any) -> None:
    session = client.session(tokens)
    for _ in range(30):
        await session.refresh()
    known = client._shared.grants._grants
    assert 1 < len(known) <= 10
    del session
    assert len(known) == 0


async def test_invalidate_ignores_a_token_that_is_not_the_present_one(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    session = client.session(tokens)
    await session.refresh()
    newest = await session.access_token()
    await session.invalidate(tokens["access_token"])
    assert await session.access_token() == newest
    assert emulator.requests[REFRESH] == 1


async def test_a_short_life_does_not_mean_a_refresh_for_each_call(make_client: MakeClient) -> None:
    with Emulator(access_token_lifetime=10) as emulator:
        user = emulator.add_user(username="ada", password=PASSWORD)
        client = make_client(
            emulator.url,
            app_id=emulator.app_id,
            app_secret=emulator.app_secret,
            clock=Clock(monotonic=emulator.clock.now, wall=emulator.clock.now),
        )
        session = client.session(emulator.issue_tokens(user), leeway=60.0)
        for _ in range(20):
            await session.access_token()
            emulator.clock.advance(1)
        assert emulator.requests[REFRESH] == 3


async def test_the_wall_clock_does_not_expire_tokens(make_client: MakeClient, tokens: Any, emulator: Emulator) -> None:
    started = wall = emulator.clock.now()
    monotonic = 0.0
    client = make_client(clock=Clock(monotonic=lambda: monotonic, wall=lambda: wall))
    session = client.session(tokens)
    for change in (10 * LIFE, -10 * LIFE):
        wall = started + change
        assert await session.access_token() == tokens["access_token"]
    monotonic = float(LIFE)
    assert await session.access_token() != tokens["access_token"]


async def test_a_wall_clock_set_back_does_not_lengthen_a_restored_life(
    make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    now = emulator.clock.now()
    monotonic = 0.0
    client = make_client(clock=Clock(monotonic=lambda: monotonic, wall=lambda: now - 10 * LIFE))
    session = client.session({**tokens, "obtained_at": now})
    monotonic = LIFE - 59
    assert await session.access_token() != tokens["access_token"]


async def test_without_a_refresh_token(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> None:
    del tokens["refresh_token"]
    session = client.session(tokens)
    emulator.clock.advance(LIFE - 30)
    assert await session.access_token() == tokens["access_token"]
    emulator.clock.advance(30)
    for _ in range(2):
        with pytest.raises(SessionExpiredError, match="offline_access"):
            await session.access_token()
    assert emulator.requests[REFRESH] == 0


@pytest.mark.parametrize("life", [None, 0, -1])
async def test_an_unknown_lifetime_ends_when_an_api_refuses_the_token(
    life: int | None, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    tokens["expires_in"] = life
    session = client.session(tokens)
    emulator.clock.advance(100 * LIFE - 1)
    assert await session.access_token() == tokens["access_token"]
    await session.invalidate(tokens["access_token"])
    assert not session._stored.life.is_fresh()


async def test_what_the_answer_leaves_out_stays(recorder: RecordingServer, make_client: MakeClient) -> None:
    client = make_client(recorder.url)
    old = {"access_token": "a1", "refresh_token": "r1", "id_token": "i1", "scope": "openid", "expires_in": 5}
    session = client.session(old)
    recorder.default = Answer({"access_token": "a2", "expires_in": 3600, "token_type": "Bearer", "new_field": 1})
    new = await session.refresh()
    assert (new.access_token, new.refresh_token, new.id_token, new.scope) == ("a2", "r1", "i1", "openid")
    assert (new.expires_in, new.token_type, new.extra) == (3600, "Bearer", {"new_field": 1})
    recorder.default = Answer({"access_token": "a3", "refresh_token": "r2"})
    new = await session.refresh()
    assert (new.refresh_token, new.expires_in) == ("r2", None)


@pytest.mark.parametrize("protocol", ["oidc", "oauth"])
async def test_the_refresh_on_the_wire(protocol: Any, recorder: RecordingServer, make_client: MakeClient) -> None:
    recorder.default = Answer({"access_token": "a2"})
    client = make_client(recorder.url, app_id="app", app_secret="secret", protocol=protocol)
    await client.session({"access_token": "a1", "refresh_token": "r 1"}).refresh()
    sent = recorder.last
    assert (sent.method, sent.target) == ("POST", f"/{protocol}/token")
    assert sent.headers["content-type"] == "application/x-www-form-urlencoded"
    assert sent.body == b"client_id=app&client_secret=secret&grant_type=refresh_token&refresh_token=r+1"


@pytest.mark.parametrize("form", ["answer", "data", "mapping", "wrapped", "token set", "stored"])
async def test_tokens_in_any_form(form: str, client: AuthenticationClient, user: User) -> None:
    assert user.username
    answer = await client.sign_in_by_username_password(user.username, PASSWORD)
    forms: dict[str, Any] = {
        "answer": answer,
        "data": answer.data,
        "mapping": answer.data.to_dict(),
        "wrapped": answer.to_dict(),
        "token set": client.session(answer).tokens,
        "stored": client.session(answer).tokens.to_dict(),
    }
    session = client.session(forms[form])
    assert await session.access_token() == answer.data.access_token
    assert session.tokens.expires_in == answer.data.expires_in == LIFE


@pytest.mark.parametrize(
    ("tokens", "options", "argument"),
    [
        ({}, {}, "tokens"),
        ({"access_token": None}, {}, "tokens"),
        ({"access_token": ["canary"]}, {}, "tokens"),
        ("canary", {}, "tokens"),
        (None, {}, "tokens"),
        (None, {"key": "k"}, "tokens"),
        ({"access_token": "a"}, {"leeway": -1.0}, "leeway"),
        ({"access_token": "a"}, {"leeway": float("nan")}, "leeway"),
    ],
)
async def test_bad_arguments_are_named(tokens: Any, options: Any, argument: str, client: AuthenticationClient) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client.session(tokens, **options)
    assert caught.value.argument == argument
    assert "canary" not in str(caught.value)


async def test_nothing_is_shown_or_pickled(client: AuthenticationClient, tokens: Any) -> None:
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k")
    await session.refresh()
    record = await store.get("k")
    secrets = [tokens["refresh_token"], session.tokens.refresh_token, tokens["access_token"], session.tokens.id_token]
    shown = repr(session) + str(session) + repr(vars(session)) + repr(record) + repr(session.tokens)
    assert not [secret for secret in secrets if secret in shown]
    with pytest.raises(TypeError, match="TokenSession is not pickled"):
        pickle.dumps(session)


def test_two_event_loops_one_refresh(emulator: Emulator, user: User) -> None:
    client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
    session = client.session(emulator.issue_tokens(user))
    results: list[str] = []
    barrier = threading.Barrier(4)

    async def ask(rejected: str) -> None:
        await session.invalidate(rejected)
        results.extend(await gathered(25, session))

    def run(backend: str, rejected: str) -> None:
        barrier.wait(10)
        anyio.run(ask, rejected, backend=backend)

    backends = ["asyncio", "trio"] * 2
    threads = [threading.Thread(target=run, args=(b, session.tokens.access_token)) for b in backends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 100
    assert len(set(results)) == 1
    assert emulator.requests[REFRESH] == 1


def test_no_task_and_no_thread_belong_to_a_session(emulator: Emulator, user: User) -> None:
    async def main() -> None:
        async with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
            await client.session(emulator.issue_tokens(user)).refresh()
            threads = threading.active_count()
            sessions = [client.session(emulator.issue_tokens(user)) for _ in range(50)]
            async with anyio.create_task_group() as group:
                for session in sessions:
                    group.start_soon(session.refresh)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            assert threading.active_count() == threads

    asyncio.run(main())


async def test_the_sign_ins_answer_is_typed(client: AuthenticationClient, user: User) -> None:
    answer = await client.sign_in_by_account_password(user.email or "", PASSWORD)
    assert isinstance(answer, LoginTokenRespDto)
