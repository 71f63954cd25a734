"""Idle connections are closed in time, and the limit of concurrent ones."""

from __future__ import annotations

import time

import anyio
import httpx
import pytest

from genauth_async import RequestTimeoutError
from genauth_async._http import connections
from genauth_async._http.transport import Transport
from tests.conformance.case import POST, deadline_of, settings_for
from tests.conformance.connecting import phases
from tests.conformance.servers import Peer, Server, answer, answers
from tests.conformance.test_cancellation import client_sockets
from tests.conformance.ways import Way, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep idle connections for 0.3 s."""
    monkeypatch.setattr(connections, "_IDLE_SECONDS", 0.3)


async def _many(transport: Transport, origin: str, number: int) -> None:
    settings = settings_for(origin)
    async with anyio.create_task_group() as group:
        for _ in range(number):
            group.start_soon(transport.send, POST, settings, 5.0)


async def _gone(port: int) -> None:
    """Wait until all sockets are closed; the limit only ends a test that would wait for ever."""
    limit = time.monotonic() + 10
    while client_sockets(port):
        assert time.monotonic() < limit, client_sockets(port)
        await anyio.sleep(0.02)


@pytest.mark.usefixtures("short")
async def test_idle_connections_are_closed_in_time(own_way: Way) -> None:
    def slow(peer: Peer) -> None:
        for _ in peer:
            peer.pause(0.05)
            peer.send(answer())

    with Server(slow) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(own_way, origin) as provider:
            await _many(Transport(provider), origin, 20)
            assert server.connections == 20
            await _gone(server.port)


@pytest.mark.slow
@pytest.mark.usefixtures("short")
async def test_a_used_connection_is_kept_while_others_expire(own_way: Way) -> None:
    with Server(answers(0.02, answer())) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(own_way, origin) as provider:
            transport = Transport(provider)
            await _many(transport, origin, 5)
            for _ in range(10):
                await anyio.sleep(0.1)
                await _many(transport, origin, 1)
            assert len(client_sockets(server.port)) == 1
            assert server.connections == 5


@pytest.mark.usefixtures("short")
async def test_connections_that_the_server_closed_are_closed(own_way: Way) -> None:
    def play(peer: Peer) -> None:
        peer.read()
        peer.pause(0.05)
        peer.send(answer())

    with Server(play) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(own_way, origin) as provider:
            await _many(Transport(provider), origin, 20)
            await _gone(server.port)


async def test_aclose_closes_them(own_way: Way) -> None:
    with Server(answers(0.02, answer())) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(own_way, origin) as provider:
            await _many(Transport(provider), origin, 10)
            await provider.aclose()
            await _gone(server.port)


@pytest.mark.slow
@pytest.mark.parametrize("timeout", [0.4, phases(pool=0.3)], ids=["seconds", "pool"])
async def test_the_101st_call_waits(own_way: Way, timeout: object) -> None:
    def play(peer: Peer) -> None:
        for _ in peer:
            if len(peer.server.requests) > 1:
                peer.pause(1.0)
            peer.send(answer())

    with Server(play) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(own_way, origin) as provider:
            transport = Transport(provider)
            await transport.send(POST, settings_for(origin))
            async with anyio.create_task_group() as group:
                for _ in range(100):
                    group.start_soon(transport.send, POST, settings_for(origin), 5.0)
                await anyio.sleep(0.1)
                with pytest.raises(RequestTimeoutError, match="no connection in time; all are in use") as caught:
                    await transport.send(POST, settings_for(origin), deadline_of(timeout))
                assert caught.value.sent is False
            assert (await transport.send(POST, settings_for(origin), httpx.Timeout(5))).status == 200
    assert server.connections == 100
