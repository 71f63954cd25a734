"""A client after hundreds of cancelled calls: it still works and leaks no connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import anyio
import httpx
import pytest

from genauth_async import AuthenticationClient, RetryPolicy
from genauth_async._http import client_provider
from genauth_async._http.connections import Connection, Connections
from genauth_async.emulator import Emulator
from tests.conftest import MakeClient

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]

SYSTEM = "/api/v3/system"
CALLS = 130
"""More than the limit of concurrent calls."""
ANSWERED = 30
"""Calls to await; the others are cancelled at every stage."""
ROUNDS = 2

Call = Callable[[], Awaitable[object]]


async def by_task_cancel(call: Call) -> None:
    """Start calls and cancel them by Task.cancel, as asyncio.wait_for and most servers do."""
    enough, counted = counting(call)
    tasks = [asyncio.create_task(counted()) for _ in range(CALLS)]
    await enough.wait()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def one_by_one(call: Call) -> None:
    """Start calls and cancel them by Task.cancel, one per step of the event loop."""
    enough, counted = counting(call)
    tasks = [asyncio.create_task(counted()) for _ in range(CALLS)]
    await enough.wait()
    for task in tasks:
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait(tasks)


async def repeatedly(call: Call) -> None:
    """Start calls and cancel them by Task.cancel repeatedly until all have ended."""
    enough, counted = counting(call)
    tasks = [asyncio.create_task(counted()) for _ in range(CALLS)]
    await enough.wait()
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.sleep(0)


async def by_scope(call: Call) -> None:
    """Start calls and cancel them by an anyio scope."""
    enough, counted = counting(call)
    async with anyio.create_task_group() as group:
        for _ in range(CALLS):
            group.start_soon(counted)
        await enough.wait()
        group.cancel_scope.cancel()


def counting(call: Call) -> tuple[anyio.Event, Callable[[], Coroutine[Any, Any, None]]]:
    enough = anyio.Event()
    answered: list[object] = []

    async def counted() -> None:
        answered.append(await call())
        if len(answered) >= ANSWERED:
            enough.set()

    return enough, counted


Cancel = Callable[[Call], Awaitable[None]]


@pytest.fixture
def ours(own_carrier: str, make_client: MakeClient) -> AuthenticationClient:  # noqa: ARG001 - it decides on imports
    """A client with the SDK's own connections, by each library in turn."""
    return make_client(retry=RetryPolicy(attempts=1), timeout=60.0)


@pytest.mark.parametrize("cancel", [by_task_cancel, one_by_one, repeatedly, by_scope])
async def test_a_client_outlives_hundreds_of_cancelled_calls(
    ours: AuthenticationClient, cancel: Cancel, anyio_backend_name: str
) -> None:
    if anyio_backend_name == "trio" and cancel is not by_scope:
        pytest.skip("trio has no Task.cancel")
    await ours.get_system_info()
    opened = ours._shared.transport._provider.here()
    assert isinstance(opened.carrier, Connections)
    made = recording(opened.carrier)
    for _ in range(ROUNDS):
        await cancel(ours.get_system_info)
    idle = [connection for _, connection in opened.carrier._idle]
    assert made
    assert len(idle) == len(set(idle)) <= client_provider._MAX_CONNECTIONS
    assert [each for each in made if each not in idle and each.is_clean()] == []
    assert opened.attempts == set()
    assert opened.slots is not None
    assert opened.slots.value == client_provider._MAX_CONNECTIONS
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            for _ in range(CALLS):
                group.start_soon(ours.get_system_info)


def recording(carrier: Connections) -> list[Connection]:
    """Return the list of the connections that a carrier opens from now on."""
    made: list[Connection] = []
    connect = carrier._connect

    async def recorded() -> Connection:
        made.append(await connect())
        return made[-1]

    carrier._connect = recorded
    return made


@pytest.mark.backends("asyncio")
async def test_httpx_alone_loses_places_in_its_pool(emulator: Emulator) -> None:
    """Explains the idle list, and the task of its own for a transport given: Task.cancel() costs httpx a place."""
    transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=10))
    async with httpx.AsyncClient(transport=transport) as client:
        for _ in range(20):
            await by_task_cancel(lambda: client.get(emulator.url + SYSTEM))
            if any(not connection.is_idle() for connection in transport._pool.connections):
                return
    pytest.skip("this httpcore leaks no connection: check whether carriers/httpx.py still needs its task")
