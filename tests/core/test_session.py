"""TokenSession without failures, and its arguments."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from genauth_async import (
    AuthenticationClient,
    ConfigurationError,
    FileStore,
    LoginTokenRespDto,
    MemoryStore,
    SessionExpiredError,
    TokenSession,
    TokenSet,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import PASSWORD, MakeClient
from tests.core.sessions import LIFE, REFRESH, REVOKE, Time, all_at_once, emulators_time, gathered
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


SESSIONS: dict[str, Callable[[AuthenticationClient, Any, MemoryStore], TokenSession]] = {
    "tokens": lambda client, tokens, _: client.session(tokens),
    "tokens and a key": lambda client, tokens, store: client.session(tokens, store=store, key="k"),
    "a key": lambda client, _, store: client.session(None, store=store, key="k"),
}


@pytest.mark.parametrize("made", [*SESSIONS, "one"])
async def test_forced_refreshes_at_once_are_one(
    made: str, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store, got = MemoryStore(), list[TokenSet]()
    await client.session(tokens, store=store, key="k").access_token()
    one = client.session(tokens)
    sessions = [SESSIONS[made](client, tokens, store) if made != "one" else one for _ in range(20)]

    async def refresh(session: TokenSession) -> None:
        got.append(await session.refresh())

    with anyio.fail_after(30), emulator.faults.hold(REFRESH) as hold:
        async with anyio.create_task_group() as group:
            for session in sessions:
                group.start_soon(refresh, session)
            await hold.wait_arrived()
            hold.release()
    assert emulator.requests[REFRESH] == 1
    assert got == [sessions[0].tokens] * 20
    await sessions[0].refresh()
    assert emulator.requests[REFRESH] == 2


async def test_the_same_access_token_again_is_one_refresh(recorder: RecordingServer, make_client: MakeClient) -> None:
    time = Time()
    recorder.default = Answer({"access_token": "a1", "refresh_token": "r2", "expires_in": 3600})
    session = make_client(recorder.url, clock=time.clock).session(
        {"access_token": "a1", "refresh_token": "r1", "expires_in": 3600}
    )
    time.advance(3600)
    assert set(await gathered(20, session)) == {"a1"}
    assert len(recorder.requests) == 1
    await all_at_once([session.refresh] * 20)
    assert len(recorder.requests) == 2
    await session.invalidate("a1")
    assert set(await gathered(20, session)) == {"a1"}
    assert len(recorder.requests) == 3


async def test_a_grant_is_forgotten_with_its_last_session(client: AuthenticationClient, tokens: Any) -> None:
    session = client.session(tokens)
    for _ in range(30):
        await session.refresh()
    grants = client._shared.grants
    assert 1 <= len(grants._by_token) <= 10
    del session
    gc.collect()
    assert len(grants._by_token) == len(grants._by_key) == len(grants._kept) == 0


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


async def forgotten() -> Any:
    """Stand for a coroutine function that is called without `await`."""


AWAIT = r"an `await` is missing"


@pytest.mark.backends("asyncio")
@pytest.mark.parametrize(
    ("options", "argument", "problem"),
    [
        ({"tokens": {}}, "tokens", "access_token"),
        ({"tokens": {"access_token": None}}, "tokens", "access_token"),
        ({"tokens": {"access_token": ["canary"]}}, "tokens", "access_token"),
        ({"tokens": "canary"}, "tokens", "not str"),
        ({"tokens": None}, "tokens", "store and key"),
        ({"tokens": None, "key": "k"}, "tokens", "store and key"),
        ({"tokens": None, "store": MemoryStore()}, "tokens", "store and key"),
        ({"tokens": forgotten}, "tokens", AWAIT),
        ({"leeway": -1.0}, "leeway", "-1"),
        ({"leeway": float("nan")}, "leeway", "nan"),
        ({"store": "redis://canary"}, "store", "must be a store, .*not str"),
        ({"store": MemoryStore}, "store", "the class MemoryStore: create an instance"),
        ({"store": FileStore}, "store", "the class FileStore: create an instance"),
        ({"store": {}}, "store", "not dict"),
        ({"store": forgotten}, "store", AWAIT),
        ({"key": 7}, "key", "must be a str, not int"),
        ({"key": ""}, "key", "must not be empty"),
        ({"key": forgotten}, "key", AWAIT),
        ({"on_tokens": "canary"}, "on_tokens", "must be a function, not str"),
        ({"on_tokens": forgotten}, "on_tokens", AWAIT),
    ],
)
@pytest.mark.parametrize("by_hand", [False, True])
async def test_bad_arguments_are_named(
    by_hand: bool, options: Any, argument: str, problem: str, client: AuthenticationClient
) -> None:
    # Coroutines are made here: one that is never awaited would warn.
    given: dict[str, Any] = {"tokens": {"access_token": "a"}}
    given |= {name: value() if value is forgotten else value for name, value in options.items()}
    with pytest.raises(ConfigurationError, match=problem) as caught:
        TokenSession(client, **given) if by_hand else client.session(**given)
    assert caught.value.argument == argument
    assert "canary" not in str(caught.value)
    gc.collect()


async def test_a_forgotten_await_of_the_access_token_is_named(client: AuthenticationClient, tokens: Any) -> None:
    session: Any = client.session(tokens)
    with pytest.raises(ConfigurationError, match=AWAIT) as caught:
        AuthenticationClient("app", "https://x.example.com", "secret", access_token=session.access_token())
    assert caught.value.argument == "access_token"
    with pytest.raises(ConfigurationError, match=AWAIT) as caught:
        client.with_options(access_token=session.access_token())
    assert caught.value.argument == "access_token"
    for call in (client.get_user_info_by_access_token, client.revoke_token, session.invalidate):
        with pytest.raises(ConfigurationError, match=AWAIT):
            await call(session.access_token())
    gc.collect()


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
