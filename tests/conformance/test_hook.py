"""The hook before a request leaves: awaited once the connection is up, before the first byte."""

from __future__ import annotations

import time

import anyio
import httpx
import pytest

from genauth_async import ConnectionFailedError
from genauth_async._http.transport import Transport
from tests.conformance.case import GET, LARGE, POST, REFRESH, settings_for, trusting
from tests.conformance.secure import good
from tests.conformance.servers import Server, answer, answers, full_listener
from tests.conformance.ways import Way, opened

pytestmark = pytest.mark.anyio


class StopError(Exception):
    """The error that a hook raises."""


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_it_runs_before_the_first_byte(way: Way, scheme: str) -> None:
    seen: list[tuple[int, int]] = []
    context = good() if scheme == "https" else None
    with Server(answers(answer()), context=context) as server:
        origin = f"{scheme}://127.0.0.1:{server.port}"

        async def hook() -> None:
            await anyio.sleep(0.05)
            seen.append((server.connections, len(server.requests)))

        async with opened(way, origin, verify=trusting()) as provider:
            for request in (POST, POST, GET):
                await Transport(provider).send(request, settings_for(origin), before_send=hook)
    assert seen == [(1, 0), (1, 1), (1, 2)]


async def test_it_may_take_longer_than_connecting(way: Way) -> None:
    with Server(answers(answer())) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(way, origin) as provider:
            timeout = httpx.Timeout(3, connect=0.2)
            sent = await Transport(provider).send(
                REFRESH, settings_for(origin), timeout, before_send=lambda: anyio.sleep(0.5)
            )
    assert sent.status == 200


async def test_it_does_not_run_without_a_connection(way: Way) -> None:
    calls = []

    async def hook() -> None:
        calls.append(1)

    with full_listener() as port:
        origin = f"http://127.0.0.1:{port}"
        async with opened(way, origin) as provider:
            with pytest.raises(Exception, match="no connection") as caught:
                await Transport(provider).send(POST, settings_for(origin), 0.4, before_send=hook)
    assert caught.value.sent is False  # type: ignore[attr-defined]
    assert calls == []


@pytest.mark.parametrize("error", [StopError("no"), ConnectionFailedError("ours", sent=False), OSError(5, "disk")])
@pytest.mark.parametrize("is_kept", [False, True])
async def test_its_error_ends_the_call_unchanged(way: Way, error: Exception, is_kept: bool) -> None:
    with Server(answers(answer())) as server:
        origin = f"http://127.0.0.1:{server.port}"

        async def hook() -> None:
            raise error

        async with opened(way, origin) as provider:
            transport = Transport(provider)
            if is_kept:
                await transport.send(POST, settings_for(origin))
            with pytest.raises(type(error)) as caught:
                await transport.send(POST, settings_for(origin), before_send=hook)
            assert caught.value is error
            assert len(server.requests) == is_kept
            assert (await transport.send(POST, settings_for(origin))).status == 200


async def test_its_time_counts(way: Way) -> None:
    with Server(answers(answer())) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(way, origin) as provider:
            began = time.monotonic()
            with pytest.raises(Exception, match="in time") as caught:
                await Transport(provider).send(POST, settings_for(origin), 0.3, before_send=lambda: anyio.sleep(3))
    assert caught.value.sent is False  # type: ignore[attr-defined]
    assert time.monotonic() - began < 2
    assert server.requests == []


async def test_it_runs_in_each_attempt(way: Way) -> None:
    calls = []

    async def hook() -> None:
        calls.append(1)

    with Server(lambda peer: peer.read()) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(way, origin) as provider:
            with pytest.raises(Exception, match="broke before"):
                await Transport(provider).send(GET, settings_for(origin), before_send=hook)
    assert len(calls) == server.connections == 2


async def test_a_large_request_waits_for_it(way: Way) -> None:
    with Server(answers(answer())) as server:
        origin = f"http://127.0.0.1:{server.port}"
        async with opened(way, origin) as provider:
            with anyio.move_on_after(0.2):
                await Transport(provider).send(LARGE, settings_for(origin), before_send=lambda: anyio.sleep(3))
        assert server.requests == []
