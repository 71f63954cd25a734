"""Connections of a client: their owner, event loop, proxy and trusted certificates."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import anyio
import httpx
import httpx2
import pytest
import trustme
from anyio.abc import SocketStream

from genauth_async import (
    AuthenticationClient,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    RequestTimeoutError,
    RetryPolicy,
    TLSError,
    UnexpectedRedirectError,
)
from genauth_async._http import connections
from genauth_async._http.carriers import aiohttp
from genauth_async.emulator import Emulator
from tests.conftest import PASSWORD, MakeClient
from tests.core.test_connections import ANSWER, serving
from tests.core.test_transport import AT_ONCE, SEND, SYSTEM, send_email
from tests.recording import Answer, RecordingServer
from tests.tls_servers import authority, https_emulator  # noqa: F401 - a fixture

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_client_of_the_callers_is_used_and_left_open(
    library: Any, recorder: RecordingServer, make_client: MakeClient
) -> None:
    async with library.AsyncClient(headers={"x-corporate": "yes"}, follow_redirects=True) as theirs:
        ours = make_client(recorder.url, http_client=theirs)
        await send_email(ours)
        assert recorder.last.headers["x-corporate"] == "yes"
        recorder.answers = [Answer(status=307, headers={"location": "/elsewhere"})]
        with pytest.raises(UnexpectedRedirectError):
            await send_email(ours)
        await ours.aclose()
        assert not theirs.is_closed


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_cookies_of_a_given_client_are_neither_kept_nor_sent(
    library: Any, recorder: RecordingServer, make_client: MakeClient
) -> None:
    recorder.default = Answer({"statusCode": 200}, headers={"set-cookie": "session=of-ada; Path=/"})
    async with library.AsyncClient(cookies={"own": "1"}) as theirs:
        client = make_client(recorder.url, http_client=theirs)
        for _ in range(2):
            await send_email(client)
        assert dict(theirs.cookies) == {"own": "1"}
        assert ["cookie" in each.headers for each in recorder.requests] == [False, False]
        await theirs.get(recorder.url)
        assert recorder.last.headers["cookie"] == "own=1", "which is the application's own call"


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_left_over_bytes_of_a_given_client_reach_no_other_user(library: Any, make_client: MakeClient) -> None:
    connections: list[SocketStream] = []

    async def answer(stream: SocketStream) -> None:
        connections.append(stream)
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while True:
                await stream.receive()
                await stream.send(ANSWER + ANSWER.replace(b'{"statusCode":200}', b'{"statusCode":500}'))

    async with serving(answer) as (url, _), library.AsyncClient() as theirs:
        client = make_client(url, http_client=theirs)
        for _ in range(3):
            await send_email(client)
    assert len(connections) == 3


async def test_a_given_transport_that_times_out_in_a_body(make_client: MakeClient) -> None:
    class Slow(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{"
            raise httpx.ReadTimeout("no more")

    class Theirs(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
            return httpx.Response(200, stream=Slow())

    with pytest.raises(RequestTimeoutError, match="not complete in time") as caught:
        await send_email(make_client(transport=Theirs()))
    assert caught.value.sent


@pytest.mark.backends("asyncio")
async def test_another_aiohttp_leaves_the_requests_to_httpx(
    recorder: RecordingServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def carrier() -> str:
        client = make_client(recorder.url)
        await client.get_system_info()
        [(_, idle)] = client._shared.transport._provider.here().carrier._idle  # type: ignore[union-attr]
        return type(idle).__module__.rpartition(".")[2]

    recorder.default = Answer({"rsa": {"publicKey": ""}, "sm2": {"publicKey": ""}, "version": {}})
    assert await carrier() == "aiohttp"
    for parameters in ({"skip_payload": True}, dict.fromkeys(aiohttp._KNOWN)):
        monkeypatch.setattr(aiohttp, "_KNOWN", parameters)
        assert aiohttp.is_usable() is (len(parameters) > 1)
    monkeypatch.setattr(aiohttp, "is_usable", lambda: False)
    assert await carrier() == "httpx"


async def test_a_transport_of_the_callers_is_used_and_left_open(make_client: MakeClient, emulator: Emulator) -> None:
    emulator.add_user(username="ada", password=PASSWORD)
    closed: list[bool] = []

    class Theirs(httpx.ASGITransport):
        async def aclose(self) -> None:
            closed.append(True)

    ours = make_client(transport=Theirs(app=emulator.app))
    assert (await ours.sign_in_by_username_password("ada", PASSWORD)).data.access_token
    await ours.aclose()
    assert closed == []


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_bug_in_a_transport_of_the_callers_is_not_hidden(library: Any, make_client: MakeClient) -> None:
    def broken(_: object) -> object:
        raise LookupError("their bug")

    with pytest.raises(LookupError, match="their bug"):
        await send_email(make_client(transport=library.MockTransport(broken)))


async def test_a_closed_client_says_so(make_client: MakeClient) -> None:
    client = make_client()
    copied = client.with_options(lang="zh-CN")
    await client.get_system_info()
    await client.aclose()
    await client.aclose()
    for closed in (client, copied):
        with pytest.raises(ClientClosedError, match="closed"):
            await closed.get_system_info()


def test_one_client_on_one_loop_after_another(emulator: Emulator) -> None:
    client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)

    async def once() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(client.get_system_info)

    for backend in ("asyncio", "asyncio", "trio"):
        anyio.run(once, backend=backend)
    assert emulator.requests[SYSTEM] == 30


def test_one_client_on_two_loops_at_once(emulator: Emulator) -> None:
    client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
    barrier = threading.Barrier(2)

    async def many() -> None:
        for _ in range(10):
            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(client.get_system_info)

    def run() -> None:
        barrier.wait(10)
        asyncio.run(many())

    with ThreadPoolExecutor(2) as threads:
        for running in [threads.submit(run) for _ in range(2)]:
            running.result()
    assert emulator.requests[SYSTEM] == 100


async def test_a_proxy_is_used_and_the_environment_says_which(
    recorder: RecordingServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for client in (
        make_client("http://genauth.example", allow_insecure_http=True, proxy=recorder.url),
        make_client("http://genauth.example", allow_insecure_http=True),
    ):
        await send_email(client)
        assert recorder.last.target == "http://genauth.example/api/v3/send-email"
        monkeypatch.setenv("http_proxy", recorder.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    direct = make_client(recorder.url)
    await send_email(direct)
    assert recorder.last.target == SEND


async def test_what_stays_on_this_machine_goes_through_no_proxy(
    recorder: RecordingServer, make_client: MakeClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, recorder.url)
    assert await make_client().get_system_info()
    assert recorder.requests == []
    assert emulator.requests[SYSTEM] == 1


@pytest.mark.parametrize("proxy", ["proxy.example:port", "http//[::1", "socks5://proxy.example", "ftp://proxy.example"])
async def test_a_proxy_that_cannot_be_used(proxy: str, make_client: MakeClient) -> None:
    with pytest.raises(ConfigurationError, match="proxy"):
        await make_client("https://a.example", proxy=proxy).get_system_info()


@pytest.mark.parametrize("host", ["https://1.2.3.999", "https://a..b", f"https://{'x' * 70}.example"])
async def test_a_host_that_cannot_be_one(host: str, make_client: MakeClient) -> None:
    with pytest.raises((ConfigurationError, ConnectionFailedError)):
        await make_client(host, retry=RetryPolicy(attempts=1)).get_system_info()


async def test_a_client_closed_while_it_opens(make_client: MakeClient) -> None:
    client = make_client()
    async with anyio.create_task_group() as group:

        async def first_call() -> None:
            with pytest.raises(ClientClosedError):
                await client.get_system_info()

        group.start_soon(first_call)
        await anyio.lowlevel.checkpoint()
        await client.aclose()
    assert len(client._shared.transport._provider._opened._values) == 0


def test_loops_that_ended_are_forgotten(emulator: Emulator) -> None:
    client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
    opened = client._shared.transport._provider._opened

    async def use() -> None:
        await client.get_system_info()

    for _ in range(5):
        asyncio.run(use())
        assert len(opened._values) == 1
    for _ in range(2):
        anyio.run(use, backend="trio")
        gc.collect()
        assert len(opened._values) == 0


async def test_tls_is_verified(
    authority: trustme.CA,  # noqa: F811 - the fixture
    make_client: MakeClient,
    tmp_path: Any,
) -> None:
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with https_emulator(authority) as (url, emulator):
        credentials = {"app_id": emulator.app_id, "app_secret": emulator.app_secret, "retry": AT_ONCE}
        with pytest.raises(TLSError, match="verify=") as caught:
            await make_client(url, **credentials).sign_in_by_username_password("ada", PASSWORD)
        assert not caught.value.sent
        assert emulator.requests.total == 0
        for verify in (str(ca_file), ca_file, context, False):
            client = make_client(url, **credentials, verify=verify)
            assert (await client.sign_in_by_username_password("ada", PASSWORD)).status_code == 200
            await client.aclose()  # the server waits until its connections are closed
    with https_emulator(authority, "other.example") as (url, emulator):
        with pytest.raises(TLSError):
            await make_client(url, verify=ca_file, retry=AT_ONCE).get_system_info()
        assert emulator.requests.total == 0


async def test_a_ca_file_that_is_none_is_a_clear_error(make_client: MakeClient, tmp_path: Any) -> None:
    for path in (tmp_path / "absent.pem", __file__):
        with pytest.raises(ConfigurationError, match=r"verify: .*CA certificates"):
            await make_client("https://localhost:1", verify=path).get_system_info()


async def test_the_context_is_built_once_and_beside_the_event_loop(
    make_client: MakeClient, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genauth_async._http import tls as _tls

    _tls._system_context.cache_clear()
    built_on: list[int] = []
    build = ssl.create_default_context

    def seen(*args: Any, **kwargs: Any) -> ssl.SSLContext:
        built_on.append(threading.get_ident())
        return build(*args, **kwargs)

    monkeypatch.setattr(ssl, "create_default_context", seen)
    for _ in range(3):
        client = make_client(f"https://127.0.0.1:{free_port}", retry=RetryPolicy(attempts=1))
        with pytest.raises(ConnectionFailedError):
            await client.get_system_info()
    assert len(built_on) == 1
    assert threading.get_ident() not in built_on


def test_idle_connections_are_dropped_before_servers_close_them() -> None:
    """Servers close idle connections after 5 s or more."""
    assert connections._IDLE_SECONDS < 5
