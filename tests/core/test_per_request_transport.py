"""The transport that uses one httpx transport per concurrent request."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import httpx
import pytest
from anyio.lowlevel import checkpoint

from genauth_async._http.carriers.httpx import PerRequestTransport
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends]


@pytest.fixture
async def transport() -> AsyncIterator[PerRequestTransport]:
    transport = PerRequestTransport(httpx.AsyncHTTPTransport, keepalive_seconds=60)
    yield transport
    await transport.aclose()


async def ask(transport: PerRequestTransport, server: RecordingServer) -> None:
    response = await transport.handle_async_request(httpx.Request("GET", server.url))
    try:
        assert (await response.aread()).startswith(b"{")
    finally:
        await response.aclose()


async def ask_at_once(transport: PerRequestTransport, server: RecordingServer, times: int) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(times):
            group.start_soon(ask, transport, server)


async def test_requests_one_after_another_share_a_connection(
    transport: PerRequestTransport, recorder: RecordingServer
) -> None:
    for _ in range(5):
        await ask(transport, recorder)
    assert (len(recorder.requests), recorder.connections) == (5, 1)


async def test_connections_of_concurrent_requests_are_reused_later(
    transport: PerRequestTransport, recorder: RecordingServer
) -> None:
    answering = await transport.handle_async_request(httpx.Request("GET", recorder.url))  # in use until it is closed
    await ask_at_once(transport, recorder, 3)
    assert 2 <= recorder.connections <= 4
    await answering.aread()
    before = recorder.connections
    await ask_at_once(transport, recorder, before)
    assert recorder.connections == before


async def test_idle_connections_are_closed_on_a_later_request(recorder: RecordingServer) -> None:
    transport, made = watched(keepalive_seconds=-1)  # some event loops have a clock of milliseconds
    await ask_at_once(transport, recorder, 4)
    assert len(made) > 1
    before = len(made)
    await ask(transport, recorder)
    assert [each.closed for each in made] == [True] * before + [False]
    await transport.aclose()
    assert all(each.closed for each in made)


async def test_after_a_failure_nothing_is_kept(transport: PerRequestTransport, recorder: RecordingServer) -> None:
    recorder.answers = [Answer(close=True)]
    with pytest.raises(httpx.RemoteProtocolError):
        await ask(transport, recorder)
    await ask(transport, recorder)
    assert recorder.connections == 2


async def test_a_cancelled_request_closes_its_connection_and_no_other(recorder: RecordingServer) -> None:
    transport, made = watched(keepalive_seconds=60)
    answering = await transport.handle_async_request(httpx.Request("GET", recorder.url))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await ask(transport, recorder)
    assert [each.closed for each in made] == [False, True]
    await answering.aclose()
    await ask(transport, recorder)
    assert len(made) == 2
    await transport.aclose()


async def test_closing_a_body_twice_returns_its_connection_once(
    transport: PerRequestTransport, recorder: RecordingServer
) -> None:
    response = await transport.handle_async_request(httpx.Request("GET", recorder.url))
    for _ in range(2):
        await response.stream.aclose()  # type: ignore[union-attr]
    assert len(transport._idle) == 1


async def test_what_ends_after_it_was_closed_is_not_kept(recorder: RecordingServer) -> None:
    transport = PerRequestTransport(httpx.AsyncHTTPTransport, keepalive_seconds=60)
    answering = await transport.handle_async_request(httpx.Request("GET", recorder.url))
    await transport.aclose()
    await answering.aclose()
    assert not transport._idle
    await ask(transport, recorder)
    assert recorder.connections == 2
    await transport.aclose()


def watched(keepalive_seconds: float) -> tuple[PerRequestTransport, list[Closable]]:
    """Return a PerRequestTransport and the list of the transports that it makes."""
    made: list[Closable] = []

    def make() -> Closable:
        made.append(Closable())
        return made[-1]

    return PerRequestTransport(make, keepalive_seconds), made


class Closable(httpx.AsyncHTTPTransport):
    """A transport that records its closing."""

    closed = False

    async def aclose(self) -> None:
        await checkpoint()
        await super().aclose()
        self.closed = True
