"""TokenSession when a refresh fails or its answer is lost."""

from __future__ import annotations

import gc
import traceback
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from genauth_async import (
    AuthenticationClient,
    GenAuthError,
    MemoryStore,
    RefreshUnavailableError,
    RetryPolicy,
    SessionExpiredError,
    SessionRecord,
    TokenSession,
)
from genauth_async.emulator import Emulator
from genauth_async.errors import StoreError
from tests.conftest import MakeClient, leaked, secrets_of
from tests.core.sessions import LIFE, REFRESH, SERVERS, Time, TokenServer, all_at_once, emulators_time, settled
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]

AT_ONCE = RetryPolicy(backoff=0.0)


@pytest.fixture
def client(make_client: MakeClient, emulator: Emulator) -> AuthenticationClient:
    return make_client(clock=emulators_time(emulator), retry=AT_ONCE)


@pytest.fixture
def expired(client: AuthenticationClient, tokens: Any, emulator: Emulator) -> TokenSession:
    session = client.session(tokens)
    emulator.clock.advance(LIFE)
    return session


def told(error: RefreshUnavailableError) -> tuple[bool, float | None, int]:
    """Return the error's attributes; the emulator's clock goes on by itself, so seconds are rounded."""
    retry_after = error.retry_after
    return error.outcome_unknown, None if retry_after is None else round(retry_after, 2), error.attempts


def html(status: int, **options: Any) -> Answer:
    return Answer(b"<html>from a gateway</html>", status, content_type="text/html", **options)


LOST = {
    "500": html(500),
    "500 with an OAuth error": Answer({"error": "server_error"}, 500),
    "502 without a body": Answer(b"", 502),
    "503": html(503),
    "503 with an OAuth error": Answer({"error": "temporarily_unavailable"}, 503),
    "503 with Retry-After": html(503, headers={"Retry-After": "0"}),
    "504": html(504),
    "dropped": Answer(close=True),
    "cut off": Answer(b'{"access_token": "a', length=500),
    "cut off, JSON": Answer(b'{"access_token": "a'),
    "200 HTML": html(200),
    "200 without a body": Answer(b""),
    "200 with an OAuth error": Answer({"error": "unauthorized_client"}),
    "200 without a token": Answer({"expires_in": 3600}),
    "envelope 400": Answer({"statusCode": 400, "message": "no"}),
    "envelope 500": Answer({"statusCode": 500, "message": "no"}),
    "302": Answer(b"", 302, headers={"Location": "/login"}),
    "403 HTML": html(403),
    "404 HTML": html(404),
    "429 HTML": html(429),
}


@pytest.mark.backends("asyncio")
@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("fault", LOST)
async def test_after_a_lost_answer_the_token_is_sent_again(
    fault: str, kind: str, recorder: RecordingServer, make_client: MakeClient
) -> None:
    for processed in (False, True):
        time, server = Time(), TokenServer(recorder, kind)
        session = make_client(recorder.url, clock=time.clock, retry=AT_ONCE).session(server.FIRST)
        time.advance(3600)
        recorder.requests.clear()
        server.faults = [(processed, LOST[fault])]
        if processed and kind == "reuse detection":
            with pytest.raises(SessionExpiredError) as caught:
                await session.access_token()
            assert caught.value.reason == "lost_answer"
            assert len(recorder.requests) == 2
        else:
            for requests in (2, 3):
                assert await session.access_token() == server.newest
                assert len(recorder.requests) == requests
                time.advance(3600)


@pytest.mark.backends("asyncio")
@pytest.mark.parametrize("fault", LOST)
async def test_lost_answers_pause_the_session(fault: str, recorder: RecordingServer, make_client: MakeClient) -> None:
    time, server = Time(), TokenServer(recorder, "reuse detection")
    session = make_client(recorder.url, clock=time.clock, retry=RetryPolicy(attempts=2, backoff=0.0)).session(
        server.FIRST
    )
    time.advance(3600)
    server.faults = [(False, LOST[fault])] * 2
    with pytest.raises(RefreshUnavailableError) as caught:
        await session.access_token()
    assert told(caught.value) == (True, 5, 2)
    assert isinstance(caught.value.__cause__, GenAuthError)
    time.advance(3)
    for call in (session.access_token, session.refresh):
        with pytest.raises(RefreshUnavailableError) as caught:
            await call()
        assert told(caught.value) == (True, 2, 2)
    assert len(recorder.requests) == 2
    time.advance(2)
    assert await session.access_token() == server.newest


@pytest.mark.parametrize("kind", ["drop", "lose_reply", "truncate", "500"])
async def test_every_carrier_tells_a_lost_answer(
    kind: str, carrier: Any, make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    fault: dict[str, Any] = {"status": 500} if kind == "500" else {kind: True}
    session = make_client(**carrier, clock=emulators_time(emulator)).session(tokens)
    emulator.faults.add(REFRESH, **fault)
    # The present token is valid, so that it is not sent again at once.
    with pytest.raises(RefreshUnavailableError) as caught:
        await session.refresh()
    assert told(caught.value) == (True, 5, 1)
    assert await session.access_token() == tokens["access_token"]
    assert emulator.requests[REFRESH] == 1
    emulator.clock.advance(LIFE)
    if kind in {"drop", "500"}:
        assert await session.access_token() != tokens["access_token"]
    else:
        with pytest.raises(SessionExpiredError) as ended:
            await session.access_token()
        assert ended.value.reason == "lost_answer"
    assert emulator.requests[REFRESH] == 2


async def test_pauses_grow_to_a_minute(expired: TokenSession, emulator: Emulator) -> None:
    for _ in range(2):
        emulator.faults.add(REFRESH, status=500, times=None)
        for number, pause in enumerate([5, 10, 20, 40, 60, 60], 1):
            with pytest.raises(RefreshUnavailableError) as caught:
                await expired.access_token()
            assert told(caught.value) == (True, pause, 2 * number)
            emulator.clock.advance(pause - 2)
            sent = emulator.requests[REFRESH]
            with pytest.raises(RefreshUnavailableError):
                await expired.access_token()
            assert emulator.requests[REFRESH] == sent
            emulator.clock.advance(2)
        emulator.faults.clear()
        await expired.access_token()
        emulator.clock.advance(LIFE)


async def test_a_longer_retry_after_is_kept_to(expired: TokenSession, emulator: Emulator) -> None:
    emulator.faults.add(REFRESH, status=503, retry_after=100)
    with pytest.raises(RefreshUnavailableError) as caught:
        await expired.access_token()
    assert told(caught.value) == (True, 100, 1)
    emulator.clock.advance(95)
    with pytest.raises(RefreshUnavailableError):
        await expired.access_token()
    emulator.clock.advance(5)
    await expired.access_token()
    assert emulator.requests[REFRESH] == 2


UNUSED: dict[str, tuple[dict[str, Any], int, float | None]] = {
    "invalid_client": ({"status": 401, "body": {"error": "invalid_client"}}, 1, None),
    "invalid_request": ({"status": 400, "body": {"error": "invalid_request"}}, 1, None),
    "403": ({"status": 403, "body": {"error": "access_denied"}}, 1, None),
    "429": ({"status": 429, "body": {"error": "slow_down"}}, 3, None),
    "429 with Retry-After": ({"status": 429, "body": {"error": "slow_down"}, "retry_after": 60}, 1, 60),
}


@pytest.mark.parametrize("fault", UNUSED)
async def test_a_refusal_keeps_the_session(fault: str, expired: TokenSession, emulator: Emulator) -> None:
    options, attempts, retry_after = UNUSED[fault]
    emulator.faults.add(REFRESH, **options, times=attempts)
    with pytest.raises(RefreshUnavailableError) as caught:
        await expired.access_token()
    assert told(caught.value) == (False, retry_after, attempts)
    assert emulator.requests[REFRESH] == attempts
    emulator.clock.advance(retry_after or 0)
    await expired.access_token()
    emulator.revoke_grant(expired.tokens.access_token)
    with pytest.raises(SessionExpiredError) as ended:
        await expired.refresh()
    assert ended.value.reason == "revoked"


async def test_without_a_connection_the_next_caller_tries(
    free_port: int, make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    url = f"http://127.0.0.1:{free_port}"
    session = make_client(url, clock=emulators_time(emulator), retry=AT_ONCE).session(tokens)
    emulator.clock.advance(LIFE)
    for times in (1, 2):
        with pytest.raises(RefreshUnavailableError) as caught:
            await session.access_token()
        assert told(caught.value) == (False, None, 3 * times)
    emulator_there = Emulator(port=free_port, app_id=emulator.app_id, app_secret=emulator.app_secret)
    async with emulator_there:
        with pytest.raises(SessionExpiredError) as ended:
            await session.access_token()
    assert ended.value.reason == "revoked", "nothing was ever sent before"


async def test_a_valid_token_is_handed_out_while_the_refresh_fails(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    sessions = [client.session(tokens, store=store, key="k") for _ in range(5)]
    emulator.clock.advance(LIFE - 30)
    emulator.faults.add(REFRESH, status=503, times=None)
    for pause, sent in ((5, 2), (10, 4)):
        await all_at_once(session.access_token for session in sessions)
        for session in (*sessions, client.session(None, store=store, key="k")):
            assert await session.access_token() == tokens["access_token"]
        assert emulator.requests[REFRESH] == sent
        emulator.clock.advance(pause)
    emulator.faults.clear()
    assert await sessions[0].access_token() != tokens["access_token"]


async def test_waiting_callers_get_the_one_error(expired: TokenSession, emulator: Emulator) -> None:
    failures: list[GenAuthError] = []

    async def ask() -> None:
        try:
            await expired.access_token()
        except GenAuthError as error:
            failures.append(error)

    emulator.faults.add(REFRESH, status=503, latency=0.05, times=2)
    await all_at_once([ask] * 20)
    assert emulator.requests[REFRESH] == 2
    assert [type(error) for error in failures] == [RefreshUnavailableError] * 20
    assert len({id(error) for error in failures}) == 20, "a shared exception would collect all tracebacks"


async def test_a_lost_answer_ends_a_session_without_resends(
    make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    client = make_client(clock=emulators_time(emulator), resend_refresh_token=False)
    store = MemoryStore()
    session = client.session(tokens, store=store, key="k")
    emulator.faults.add(REFRESH, status=500)
    with pytest.raises(RefreshUnavailableError) as caught:
        await session.refresh()
    assert told(caught.value)[::2] == (True, 1)
    emulator.clock.advance(LIFE - 30)
    assert await session.access_token() == tokens["access_token"]
    with pytest.raises(RefreshUnavailableError) as caught:
        await session.refresh()
    assert caught.value.outcome_unknown
    emulator.clock.advance(30)
    for _ in range(2):
        with pytest.raises(SessionExpiredError) as ended:
            await session.access_token()
        assert ended.value.reason == "lost_answer"
    assert await store.get("k") is None
    assert emulator.requests[REFRESH] == 1


async def test_the_environment_forbids_resends(emulator: Emulator, tokens: Any) -> None:
    environment = {
        "GENAUTH_APP_ID": emulator.app_id,
        "GENAUTH_APP_HOST": emulator.url,
        "GENAUTH_APP_SECRET": emulator.app_secret,
        "GENAUTH_RESEND_REFRESH_TOKEN": "false",
    }
    async with AuthenticationClient.from_env(environment) as client:
        session = client.session({**tokens, "obtained_at": 0})
        emulator.faults.add(REFRESH, status=500)
        with pytest.raises(RefreshUnavailableError):
            await session.access_token()
    assert emulator.requests[REFRESH] == 1


async def test_a_refusal_that_is_sure_is_tried_again_without_resends(
    make_client: MakeClient, tokens: Any, emulator: Emulator
) -> None:
    session = make_client(clock=emulators_time(emulator), resend_refresh_token=False).session(tokens)
    emulator.clock.advance(LIFE)
    emulator.faults.add(REFRESH, status=401, body={"error": "invalid_client"})
    with pytest.raises(RefreshUnavailableError):
        await session.access_token()
    assert await session.access_token() != tokens["access_token"]


@pytest.mark.parametrize(
    "empty",
    [
        {"error": ""},
        {"error": None},
        {"error": False},
        {"error": {}},
        {"error": [], "error_description": ""},
        {"code": 0},
        {"code": "0"},
        {"statusCode": 0},
        {"statusCode": "0"},
        {"statusCode": None, "apiCode": None, "message": ""},
        {"statusCode": 200, "message": "ok"},
    ],
    ids=str,
)
async def test_empty_members_of_an_error_lose_no_tokens(
    empty: Any, recorder: RecordingServer, make_client: MakeClient
) -> None:
    recorder.default = Answer({"access_token": "a2", "refresh_token": "r2", **empty})
    session = make_client(recorder.url).session({"access_token": "a1", "refresh_token": "r1"})
    new = await session.refresh()
    assert (new.access_token, new.refresh_token) == ("a2", "r2")
    assert len(recorder.requests) == 1


@pytest.mark.parametrize("status", [200, 400, 401, 500])
async def test_invalid_grant_of_any_status_ends_the_session(
    status: int, expired: TokenSession, emulator: Emulator
) -> None:
    emulator.faults.add(REFRESH, status=status, body={"error": "invalid_grant"}, times=None)
    for _ in range(2):
        with pytest.raises(SessionExpiredError) as caught:
            await expired.access_token()
        assert caught.value.reason == "revoked"
    assert emulator.requests[REFRESH] == 1


async def test_invalid_grant_ends_the_session_for_all(
    client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = MemoryStore()
    first, second = (client.session(tokens, store=store, key="k") for _ in range(2))
    await first.refresh()
    emulator.revoke_grant(tokens["refresh_token"])
    await first.invalidate(first.tokens.access_token)
    for call in (first.access_token, second.access_token, second.refresh):
        with pytest.raises(SessionExpiredError, match="no longer accepts") as caught:
            await call()
        assert caught.value.reason == "revoked"
    assert await store.get("k") is None
    assert emulator.requests[REFRESH] == 2


class BrokenStore(MemoryStore):
    """A store that raises an error for each write, once it is broken."""

    error: Exception | None = None

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        if self.error is not None:
            raise self.error
        return await super().compare_and_set(key, record, expected=expected)


def lose_the_answer(emulator: Emulator, _: BrokenStore) -> None:
    emulator.faults.add(REFRESH, status=500, times=None)


def revoke(emulator: Emulator, _: BrokenStore) -> None:
    emulator.faults.add(REFRESH, status=400, body={"error": "invalid_grant"}, times=None)


def break_store(_: Emulator, store: BrokenStore) -> None:
    store.error = OSError("disk full")


def pause_store(_: Emulator, store: BrokenStore) -> None:
    store.error = StoreError("away")


Failing = Callable[[Emulator, BrokenStore], None]
FAILURES = pytest.mark.parametrize("fail", [lose_the_answer, revoke, break_store, pause_store])


class Upload:
    """Stands for a large local of a caller."""


@FAILURES
@pytest.mark.parametrize("callers", [1, 5])
async def test_a_failed_refresh_keeps_nothing_of_its_callers(
    fail: Failing, callers: int, client: AuthenticationClient, tokens: Any, emulator: Emulator
) -> None:
    store = BrokenStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    emulator.clock.advance(LIFE)
    fail(emulator, store)
    uploads: list[weakref.ref[Upload]] = []

    async def handler() -> None:
        upload = Upload()
        uploads.append(weakref.ref(upload))
        with pytest.raises((GenAuthError, OSError)):
            await session.access_token()
        assert upload

    await all_at_once([handler] * callers)
    await handler()  # during the pause
    gc.collect()
    assert [upload() for upload in uploads] == [None] * (callers + 1)


async def seen(call: Callable[[], Awaitable[object]], secrets: set[str], session: TokenSession) -> None:
    """Look for secrets in what an error of the call shows, but for this file's frames."""
    try:
        await call()
    except Exception as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        frames = [frame for part in chain_of(report) for frame in part.stack if frame.filename != __file__]
        shown = [f"{frame.locals}" for frame in frames]
        assert shown
        assert leaked(secrets, f"{shown} {error!r} {error} {session!r}") == []  # noqa: PT017
        raise


@FAILURES
async def test_a_failed_refresh_shows_no_token(
    fail: Failing,
    client: AuthenticationClient,
    tokens: Any,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = BrokenStore()
    session = client.session(tokens, store=store, key="k")
    await session.access_token()
    secrets = secrets_of(emulator) | {tokens["access_token"], tokens["refresh_token"], tokens["id_token"]}
    del tokens
    emulator.clock.advance(LIFE)
    fail(emulator, store)
    for call in (session.access_token, session.refresh, session.logout):
        with suppress(GenAuthError, OSError):
            await seen(call, secrets, session)
    assert leaked(secrets, caplog.text) == []


def chain_of(report: traceback.TracebackException | None) -> list[traceback.TracebackException]:
    return [] if report is None else [report, *chain_of(report.__cause__ or report.__context__)]


async def test_a_far_retry_after_keeps_dropped_sessions_for_a_minute(
    recorder: RecordingServer, make_client: MakeClient
) -> None:
    time = Time()
    client = make_client(recorder.url, clock=time.clock, retry=AT_ONCE)
    recorder.default = Answer({"error": "slow_down"}, 429, headers={"Retry-After": str(365 * 86400)})
    states: list[weakref.ref[object]] = []
    for number in range(300):
        session = client.session({"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": 3600})
        time.advance(3600)
        with pytest.raises(RefreshUnavailableError) as caught:
            await session.access_token()
        assert caught.value.retry_after == 365 * 86400
        assert session._grant is not None
        states.append(weakref.ref(session._grant.state))
        await settled(session)
        del session, caught
    gc.collect()
    assert len([state for state in states if state() is not None]) <= 64
