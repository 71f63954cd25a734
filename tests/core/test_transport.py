from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from genauth_async import (
    AuthenticationClient,
    ConnectionFailedError,
    ConnectionLostError,
    NotJSONError,
    RateLimitedError,
    RequestTimeoutError,
    ResponseError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
    TransportError,
    TruncatedResponseError,
    UnexpectedRedirectError,
)
from genauth_async.emulator import Emulator
from tests.conftest import PASSWORD, MakeClient
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends]

SYSTEM = "/api/v3/system"
SEND = "/api/v3/send-email"
AT_ONCE = RetryPolicy(backoff=0.0)


Call = Callable[[AuthenticationClient], Awaitable[object]]


async def send_email(client: AuthenticationClient) -> object:
    return await client.send_email("CHANNEL_LOGIN", "ada@example.com")


async def get_system_info(client: AuthenticationClient) -> object:
    return await client.get_system_info()


async def refresh(client: AuthenticationClient) -> object:
    return await client.get_new_access_token_by_refresh_token("rt-canary")


async def test_connections_are_kept(carrier: Any, recorder: RecordingServer, make_client: MakeClient) -> None:
    client = make_client(recorder.url, **carrier)
    for _ in range(5):
        await send_email(client)
    await client.with_options(timeout=3.0).send_email("CHANNEL_LOGIN", "e")
    assert recorder.connections == 1


async def test_many_at_once(carrier: Any, emulator: Emulator, make_client: MakeClient) -> None:
    client = make_client(**carrier, timeout=60.0)
    async with anyio.create_task_group() as group:
        for _ in range(250):
            group.start_soon(client.get_system_info)
    assert emulator.requests[SYSTEM] == 250


async def test_no_cookie_is_kept(carrier: Any, recorder: RecordingServer, make_client: MakeClient) -> None:
    recorder.default = Answer({"statusCode": 200}, headers={"set-cookie": "session=of-one-user; Path=/"})
    client = make_client(recorder.url, **carrier)
    for _ in range(2):
        await send_email(client)
    assert "cookie" not in recorder.last.headers


async def test_redirects_are_not_followed(carrier: Any, recorder: RecordingServer, make_client: MakeClient) -> None:
    recorder.default = Answer(status=307, headers={"location": recorder.url + "/elsewhere"})
    client = make_client(recorder.url, **carrier)
    with pytest.raises(UnexpectedRedirectError, match="app_host") as caught:
        await client.sign_in_by_account_password("ada", PASSWORD)
    assert caught.value.http_status == 307
    assert len(recorder.requests) == 1


async def test_netrc_never_replaces_our_authorization(
    carrier: Any, recorder: RecordingServer, make_client: MakeClient, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login mallory password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client = make_client(recorder.url, **carrier, access_token="ours")
    recorder.default = Answer({"statusCode": 200, "data": {"userId": "u"}})
    await client.get_profile()
    assert recorder.last.headers["authorization"] == "Bearer ours"
    await send_email(client)
    assert "authorization" not in recorder.last.headers


FAULTS: list[Any] = [
    pytest.param({"drop": True}, ConnectionLostError, id="dropped"),
    pytest.param({"lose_reply": True}, ConnectionLostError, id="reply lost"),
    pytest.param({"truncate": True}, TruncatedResponseError, id="broken off"),
    pytest.param({"truncate": "json"}, TruncatedResponseError, id="broken JSON"),
    pytest.param({"status": 502, "body": "<html>Bad Gateway</html>"}, ServerError, id="HTML"),
    pytest.param({"status": 500, "body": ""}, ServerError, id="empty"),
    pytest.param({"status": 500, "body": {"statusCode": 500, "message": "down"}}, ServerError, id="500"),
    pytest.param({"retry_after": 99}, RateLimitedError, id="429"),
]


@pytest.mark.parametrize(("fault", "error"), FAULTS)
@pytest.mark.parametrize("call", [send_email, refresh])
async def test_what_may_have_been_carried_out_is_never_sent_again(
    call: Call,
    fault: dict[str, Any],
    error: type[Exception],
    carrier: Any,
    emulator: Emulator,
    make_client: MakeClient,
) -> None:
    path = SEND if call is send_email else "/oidc/token"
    emulator.faults.add(path, **fault, times=None)
    client = make_client(**carrier, retry=AT_ONCE)
    with pytest.raises(error) as caught:
        await call(client)
    assert emulator.requests[path] == 1
    assert "canary" not in str(caught.value)
    if isinstance(caught.value, TransportError):
        assert caught.value.sent
    if isinstance(caught.value, ResponseError):
        assert caught.value.endpoint == f"POST {path}"
        assert "truncate" in fault or caught.value.http_status == fault.get("status", 429)
        assert caught.value.retry_after == fault.get("retry_after")


@pytest.mark.parametrize(
    "fault",
    [{"drop": True}, {"lose_reply": True}, {"truncate": True}, {"status": 503}, {"retry_after": 0}],
    ids=lambda fault: next(iter(fault)),
)
async def test_reading_is_tried_again(
    fault: dict[str, Any], carrier: Any, emulator: Emulator, make_client: MakeClient
) -> None:
    emulator.faults.add(SYSTEM, **fault, times=2)
    client = make_client(**carrier, retry=AT_ONCE)
    assert (await client.get_system_info()).version is not None
    assert emulator.requests[SYSTEM] == 3


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/api/v3/get-country-list", lambda client: client.get_country_list()),
        ("/api/v3/webauthn/credentials/c", lambda client: client.delete_web_authn_credential("c")),
        ("/api/v3/webauthn/credentials/c", lambda client: client.update_web_authn_credential("c", "new name")),
    ],
)
async def test_no_library_sends_again_by_itself(
    path: str, call: Call, carrier: Any, emulator: Emulator, make_client: MakeClient
) -> None:
    """Includes idempotent requests on a reused connection, which aiohttp's own client would send again."""
    client = make_client(**carrier, retry=RetryPolicy(attempts=1), access_token="token")
    await client.get_system_info()
    emulator.faults.add(path, lose_reply=True)
    with pytest.raises(ConnectionLostError):
        await call(client)
    assert emulator.requests[path] == 1


async def test_tries_run_out(emulator: Emulator, make_client: MakeClient) -> None:
    emulator.faults.add(SYSTEM, status=503, body={"statusCode": 503, "message": "busy"}, times=None)
    with pytest.raises(ServerError):
        await make_client(retry=AT_ONCE).get_system_info()
    assert emulator.requests[SYSTEM] == 3
    with pytest.raises(ServerError):
        await make_client(retry=RetryPolicy(attempts=1)).get_system_info()
    assert emulator.requests[SYSTEM] == 4


@pytest.mark.parametrize("in_envelope", [False, True])
async def test_429_is_tried_again_for_every_call(
    in_envelope: bool, emulator: Emulator, make_client: MakeClient
) -> None:
    busy = {"statusCode": 429, "message": "slow down"}
    fault: dict[str, Any] = {"envelope": busy, "headers": {"retry-after": "0"}} if in_envelope else {"retry_after": 0}
    emulator.faults.add(SEND, **fault, times=2)
    await send_email(make_client(retry=AT_ONCE))
    assert emulator.requests[SEND] == 3


async def test_a_long_retry_after_is_given_to_the_caller(emulator: Emulator, make_client: MakeClient) -> None:
    emulator.faults.add(SYSTEM, retry_after=3600)
    with pytest.raises(RateLimitedError) as caught:
        await make_client().get_system_info()
    assert caught.value.retry_after == 3600
    assert emulator.requests[SYSTEM] == 1


async def test_waiting_never_outlasts_the_deadline(emulator: Emulator, make_client: MakeClient) -> None:
    emulator.faults.add(SYSTEM, retry_after=15)
    with pytest.raises(RateLimitedError):
        await make_client(timeout=10.0).get_system_info()


@pytest.mark.parametrize("call", [send_email, get_system_info])
async def test_a_port_without_a_listener_is_a_failed_connection(
    call: Call, carrier: Any, make_client: MakeClient, free_port: int
) -> None:
    client = make_client(f"http://127.0.0.1:{free_port}", **carrier, retry=AT_ONCE)
    with pytest.raises(ConnectionFailedError, match=r"send-email|system") as caught:
        await call(client)
    assert not caught.value.sent
    assert caught.value.__cause__ is not None


async def test_a_failed_connect_is_retried_even_for_unsafe_calls(
    carrier: Any, make_client: MakeClient, free_port: int
) -> None:
    emulator = Emulator(port=free_port)
    emulator.add_user(username="ada", password=PASSWORD)

    client = make_client(
        f"http://127.0.0.1:{free_port}",
        app_id=emulator.app_id,
        app_secret=emulator.app_secret,
        **carrier,
        retry=RetryPolicy(attempts=50, backoff=0.05, max_backoff=0.05),
    )
    async with anyio.create_task_group() as group:

        async def serve_later() -> None:
            await anyio.to_thread.run_sync(emulator.start)

        group.start_soon(serve_later)
        assert (await client.sign_in_by_username_password("ada", PASSWORD)).status_code == 200
    assert emulator.requests["/api/v3/signin"] == 1
    await anyio.to_thread.run_sync(emulator.stop)


async def test_an_unknown_host_is_a_clear_error(carrier: Any, make_client: MakeClient) -> None:
    client = make_client("https://no-such-host.invalid", **carrier, retry=RetryPolicy(attempts=1), timeout=30.0)
    with pytest.raises(TransportError) as caught:
        await client.get_system_info()
    assert not caught.value.sent


async def test_the_time_is_up(carrier: Any, emulator: Emulator, make_client: MakeClient) -> None:
    client = make_client(**carrier)
    with emulator.faults.hold(SEND), pytest.raises(RequestTimeoutError) as caught:
        await client.send_email("CHANNEL_LOGIN", "e", timeout=0.3)
    assert caught.value.sent
    assert isinstance(caught.value, TimeoutError)
    await send_email(client)


async def test_the_time_bounds_all_tries_together(emulator: Emulator, make_client: MakeClient) -> None:
    emulator.faults.add(SYSTEM, status=503, times=None)
    client = make_client(retry=RetryPolicy(attempts=1000, backoff=0.01, max_backoff=0.01), timeout=0.2)
    with pytest.raises((RequestTimeoutError, ServerError)):
        await client.get_system_info()
    assert 1 < emulator.requests[SYSTEM] < 1000


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_phase_timeouts(library: Any, emulator: Emulator, make_client: MakeClient) -> None:
    client = make_client(timeout=library.Timeout(30.0, read=0.05), retry=RetryPolicy(attempts=1))
    with emulator.faults.hold(SYSTEM), pytest.raises(RequestTimeoutError) as caught:
        await client.get_system_info()
    assert caught.value.sent


async def test_a_caller_may_be_cancelled(carrier: Any, emulator: Emulator, make_client: MakeClient) -> None:
    client = make_client(**carrier)
    with emulator.faults.hold(SYSTEM) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(client.get_system_info)
            await hold.wait_arrived()
            group.cancel_scope.cancel()
    assert (await client.get_system_info()).version is not None


async def test_a_huge_answer_is_refused(carrier: Any, recorder: RecordingServer, make_client: MakeClient) -> None:
    recorder.default = Answer(b"x" * 300_000)
    client = make_client(recorder.url, **carrier, max_response_bytes=100_000)
    with pytest.raises(ResponseTooLargeError, match="max_response_bytes=100000") as caught:
        await get_system_info(client)
    assert caught.value.content_type == "application/json"
    recorder.default = Answer({"statusCode": 200})
    await send_email(client)


async def test_a_lie_about_the_length(carrier: Any, recorder: RecordingServer, make_client: MakeClient) -> None:
    recorder.default = Answer(b'{"statusCode":200,"data":{"access_token":"canary', length=1000)
    client = make_client(recorder.url, **carrier, retry=AT_ONCE)
    with pytest.raises(TruncatedResponseError) as caught:
        await send_email(client)
    assert (caught.value.http_status, caught.value.content_type) == (200, "application/json")
    assert "canary" not in str(caught.value)


async def test_a_body_that_cannot_be_decompressed(
    carrier: Any, recorder: RecordingServer, make_client: MakeClient
) -> None:
    recorder.default = Answer(b"no gzip", headers={"content-encoding": "gzip"})
    with pytest.raises(NotJSONError, match="gzip or deflate"):
        await send_email(make_client(recorder.url, **carrier))
    assert len(recorder.requests) == 1


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_may_be_as_large_as_is_allowed(
    compressed: bool, carrier: Any, recorder: RecordingServer, make_client: MakeClient
) -> None:
    body = b'{"statusCode": 200}'.ljust(5000)
    recorder.default = Answer(gzip.compress(body), headers={"content-encoding": "gzip"}) if compressed else Answer(body)
    await send_email(make_client(recorder.url, **carrier, max_response_bytes=5000))
    with pytest.raises(ResponseTooLargeError, match="max_response_bytes=4999"):
        await send_email(make_client(recorder.url, **carrier, max_response_bytes=4999))
