"""Calls and their sockets when a connection or the client is closed at an awkward moment."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from textwrap import dedent

import anyio
import httpx
import pytest
from anyio.abc import SocketAttribute, SocketStream

from genauth_async import (
    AuthenticationClient,
    ClientClosedError,
    ConnectionLostError,
    RefreshUnavailableError,
    RequestTimeoutError,
    ResponseTooLargeError,
    RetryPolicy,
)
from genauth_async._http import client_provider
from genauth_async.emulator import Emulator, User
from genauth_async.settings import Timeout
from tests.conftest import MakeClient
from tests.core.test_transport import SEND, send_email
from tests.recording import RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends]

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{"statusCode":200}'
AT_ONCE = RetryPolicy(backoff=0.0)

Make = Callable[..., AuthenticationClient]


@pytest.fixture
def make(own_carrier: str, make_client: MakeClient) -> Make:  # noqa: ARG001 - it decides on imports
    """Make clients with the SDK's own connections, by each library in turn."""
    return make_client


@asynccontextmanager
async def serving(
    talk: Callable[[SocketStream], Awaitable[None]], connections: int = 1
) -> AsyncIterator[tuple[str, anyio.Event]]:
    """Run a server; yield its URL and an event that is set when the client has closed `connections` of them."""
    left = anyio.Event()
    gone: list[SocketStream] = []

    async def serve(stream: SocketStream) -> None:
        async with stream:
            await talk(stream)
            try:
                while True:
                    await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                gone.append(stream)
                if len(gone) == connections:
                    left.set()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}", left
        group.cancel_scope.cancel()


async def test_a_call_during_which_the_client_is_closed_says_so(make: Make, emulator: Emulator) -> None:
    client = make(emulator.url, retry=AT_ONCE)
    await client.get_system_info()
    with emulator.faults.hold(SEND) as hold:
        async with anyio.create_task_group() as group:

            async def call() -> None:
                with pytest.raises(ClientClosedError, match="during this call") as caught:
                    await send_email(client)
                assert caught.value.sent

            group.start_soon(call)
            await hold.wait_arrived()
            with anyio.fail_after(10):
                await client.aclose()
    assert emulator.requests[SEND] == 1


async def test_calls_share_a_limited_number_of_connections(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_provider, "_MAX_CONNECTIONS", 3)
    connected: list[SocketStream] = []
    at_once: set[SocketStream] = set()
    most = 0

    async def answer(stream: SocketStream) -> None:
        nonlocal most
        connected.append(stream)
        with suppress(anyio.EndOfStream):
            while await stream.receive():
                at_once.add(stream)
                most = max(most, len(at_once))
                await anyio.sleep(0.01)
                at_once.remove(stream)
                await stream.send(ANSWER)

    async with serving(answer) as (url, _), anyio.create_task_group() as group:
        client = make(url)
        for _ in range(12):
            group.start_soon(send_email, client)
    assert (len(connected), most) == (3, 3)


async def test_a_call_that_waits_for_a_connection_on_close_is_not_sent(
    make: Make, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_provider, "_MAX_CONNECTIONS", 1)
    client = make(emulator.url)
    await client.get_system_info()
    sent: list[bool] = []

    async def call() -> None:
        with pytest.raises(ClientClosedError) as caught:
            await send_email(client)
        sent.append(caught.value.sent)

    with emulator.faults.hold(SEND) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await hold.wait_arrived()
            group.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            await client.aclose()
    assert sorted(sent) == [False, True]
    assert emulator.requests[SEND] == 1


@pytest.mark.parametrize("timeout", [0.05, httpx.Timeout(10, pool=0.05)], ids=["in all", "for the pool"])
async def test_a_pool_timeout_reports_that_nothing_was_sent(
    timeout: Timeout, make: Make, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_provider, "_MAX_CONNECTIONS", 1)
    client = make(emulator.url, retry=AT_ONCE)
    with emulator.faults.hold(SEND) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(send_email, client)
            await hold.wait_arrived()
            with anyio.fail_after(5), pytest.raises(RequestTimeoutError, match="all are in use") as caught:
                await client.get_system_info(timeout=timeout)
            assert not caught.value.sent
            hold.release()
    await client.get_system_info()


async def test_a_refresh_cut_off_by_close_is_not_sent_again(
    make: Make, emulator: Emulator, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genauth_async.api._shared._FINISH_SECONDS", 0.1)
    client = make(emulator.url)
    session = client.session(emulator.issue_tokens(user))
    with emulator.faults.hold("/oidc/token") as hold:
        async with anyio.create_task_group() as group:

            async def refresh() -> None:
                with pytest.raises(RefreshUnavailableError) as caught:
                    await session.refresh()
                assert caught.value.outcome_unknown

            group.start_soon(refresh)
            await hold.wait_arrived()
            await client.aclose()
    with pytest.raises(RefreshUnavailableError) as caught:
        await session.refresh()
    assert caught.value.outcome_unknown
    assert emulator.grants.reused == 0


async def test_a_cancelled_close_leaves_no_connection(make: Make, anyio_backend_name: str) -> None:
    connected: list[SocketStream] = []
    all_there = anyio.Event()

    async def answer(stream: SocketStream) -> None:
        await stream.receive()
        connected.append(stream)
        if len(connected) == 3:
            all_there.set()
        await all_there.wait()
        await stream.send(ANSWER)

    async with serving(answer, connections=3) as (url, left):
        client = make(url)
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(send_email, client)
        if anyio_backend_name == "asyncio":
            closing = asyncio.create_task(client.aclose())
            await asyncio.sleep(0)
            closing.cancel()
        else:
            with anyio.CancelScope() as scope:
                scope.cancel()
                await client.aclose()
        with anyio.fail_after(5):
            await left.wait()


async def test_a_server_that_never_answers_keeps_no_call_and_no_socket(make: Make) -> None:
    async def hear(stream: SocketStream) -> None:
        await stream.receive()

    async with serving(hear) as (url, left):
        with pytest.raises(RequestTimeoutError) as caught:
            await make(url, timeout=0.2).get_system_info()
        assert caught.value.sent
        with anyio.fail_after(10):
            await left.wait()


async def test_an_answer_that_comes_drop_by_drop_ends_with_the_time(make: Make) -> None:
    async def drip(stream: SocketStream) -> None:
        await stream.receive()
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{")
        try:
            while True:
                await stream.send(b" ")
                await anyio.sleep(0.01)
        except anyio.BrokenResourceError:
            pass

    async with serving(drip) as (url, left):
        with pytest.raises(RequestTimeoutError) as caught:
            await make(url, timeout=0.2).get_system_info()
        assert caught.value.sent
        with anyio.fail_after(10):
            await left.wait()


async def test_an_answer_without_end_is_broken_off(make: Make) -> None:
    async def flood(stream: SocketStream) -> None:
        await stream.receive()
        with suppress(anyio.BrokenResourceError):
            await stream.send(b"HTTP/1.1 200 OK\r\n\r\n{" + b" " * 200_000)

    async with serving(flood) as (url, left):
        with pytest.raises(ResponseTooLargeError):
            await make(url, max_response_bytes=100_000, timeout=5.0).get_system_info()
        with anyio.fail_after(10):
            await left.wait()


async def test_a_server_that_hangs_up_without_an_answer_may_have_heard(make: Make) -> None:
    async def half_close(stream: SocketStream) -> None:
        await stream.receive()
        await stream.send_eof()

    async with serving(half_close) as (url, left):
        with pytest.raises(ConnectionLostError) as caught:
            await send_email(make(url, retry=AT_ONCE))
        assert caught.value.sent
        with anyio.fail_after(10):
            await left.wait()


async def test_an_old_server_ends_its_answer_by_hanging_up(make: Make) -> None:
    heard = []

    async def answer(stream: SocketStream) -> None:
        heard.append(await stream.receive())
        await stream.send(b'HTTP/1.0 200 OK\r\n\r\n{"statusCode":200}')
        await stream.send_eof()

    async with serving(answer) as (url, _):
        client = make(url)
        for _ in range(2):
            await send_email(client)
    assert len(heard) == 2


async def test_a_connection_closed_by_the_server_is_not_used_again(make: Make, own_carrier: str) -> None:
    """Simulates a server restart: even an unsafe request is sent, once, on a new connection."""
    heard = []

    async def answer_once(stream: SocketStream) -> None:
        heard.append(await stream.receive())
        await stream.send(ANSWER)
        await stream.send_eof()

    async with serving(answer_once) as (url, left):
        client = make(url, retry=RetryPolicy(attempts=1))
        await send_email(client)
        if own_carrier == "aiohttp":
            await left.wait()  # asyncio notices by itself, the others when a connection is picked
        await send_email(client)
        with anyio.fail_after(10):
            await left.wait()
    assert len(heard) == 2


FORKING = """
    import asyncio, os, sys
    from genauth_async import AuthenticationClient

    client = AuthenticationClient("app", sys.argv[1], "secret")
    loop = asyncio.new_event_loop()

    def call(loop):
        loop.run_until_complete(client.send_email("CHANNEL_LOGIN", "ada@example.com"))

    call(loop)
    child = os.fork()
    if not child:
        call(asyncio.new_event_loop())
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    call(loop)
    print(status)
    loop.run_until_complete(client.aclose())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_child_and_parent_use_separate_connections(recorder: RecordingServer) -> None:
    assert int(run(FORKING, recorder.url)) == 0
    assert (len(recorder.requests), recorder.connections) == (3, 2)


def run(program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", dedent(program), *arguments], capture_output=True, text=True, timeout=60, check=True
    ).stdout
