"""Owners of event streams: a closed client, another event loop, a callback that raises."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

import genauth_sync
from genauth_async import AuthenticationClient, ClientClosedError, RetryPolicy
from genauth_async.emulator import Emulator
from tests.conftest import MakeClient
from tests.core.test_events import AT_ONCE, CODE, SUBSCRIBE, connected, publish_first

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.fixture
def subscriber(make_client: MakeClient, emulator: Emulator, tokens: dict[str, Any]) -> AuthenticationClient:
    """A client that receives the emulator's events."""
    return make_client(websocket_host=emulator.websocket_url, access_token=tokens["access_token"], retry=AT_ONCE)


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_subscription_calls_back_until_it_is_cancelled(
    emulator: Emulator, subscriber: AuthenticationClient, is_async: bool
) -> None:
    received: list[str] = []

    async def later(event: str) -> None:
        await anyio.lowlevel.checkpoint()
        at_once(event)

    def at_once(event: str) -> None:
        received.append(event)
        if len(received) == 3:
            group.cancel_scope.cancel()

    callback: Callable[[str], Awaitable[None] | None] = later if is_async else at_once
    tasks = running_tasks()
    async with anyio.create_task_group() as group:
        group.start_soon(subscriber.sub_event, CODE, callback)
        await emulator.events.wait_subscribed(CODE)
        for text in ("a", "b", "c"):
            emulator.events.publish(CODE, text)
        await anyio.sleep_forever()
    assert received == ["a", "b", "c"]
    await emulator.events.wait_unsubscribed(CODE)
    assert running_tasks() == tasks


def running_tasks() -> set[object]:
    """Return the tasks of the asyncio event loop; trio has no task outside a nursery."""
    try:
        return set(asyncio.all_tasks())
    except RuntimeError:
        return set()


class CustomBaseException(BaseException):
    """A BaseException that is not an Exception and that only the test knows."""


@pytest.fixture(params=[SystemExit, KeyboardInterrupt, CustomBaseException, LookupError])
def raised(request: pytest.FixtureRequest) -> BaseException:
    error: BaseException = request.param("enough")
    return error


@pytest.mark.parametrize("is_async", [True, False])
async def test_what_a_callback_raises_arrives_as_it_is(
    emulator: Emulator, subscriber: AuthenticationClient, raised: BaseException, is_async: bool
) -> None:
    async def later(_event: str) -> None:
        await anyio.lowlevel.checkpoint()
        raise raised

    def at_once(_event: str) -> None:
        raise raised

    async with anyio.create_task_group() as group:
        group.start_soon(publish_first, emulator)
        with pytest.raises(type(raised)) as caught:
            await subscriber.sub_event(CODE, later if is_async else at_once)
        assert caught.value is raised
    await emulator.events.wait_unsubscribed(CODE)


def test_what_a_blocking_callback_raises_arrives_as_it_is(
    emulator: Emulator, tokens: dict[str, Any], raised: BaseException
) -> None:
    def give_up(_event: str) -> None:
        raise raised

    def publish() -> None:
        emulator.events.wait_subscribed_blocking(CODE)
        emulator.events.publish(CODE, "first")

    publishing = threading.Thread(target=publish)
    publishing.start()
    with genauth_sync.AuthenticationClient(
        emulator.app_id, emulator.url, emulator.app_secret, websocket_host=emulator.websocket_url
    ) as client:
        with pytest.raises(type(raised)) as caught:
            client.sub_event(CODE, give_up, access_token=tokens["access_token"])
        assert caught.value is raised
    publishing.join()


@pytest.mark.backends("asyncio")
async def test_a_cancellation_in_a_callback_ends_the_subscription(
    emulator: Emulator, subscriber: AuthenticationClient
) -> None:
    async def await_what_was_cancelled(_event: str) -> None:
        task = asyncio.ensure_future(asyncio.sleep(0))
        task.cancel()
        await task

    async with anyio.create_task_group() as group:
        group.start_soon(publish_first, emulator)
        with pytest.raises(asyncio.CancelledError):
            await subscriber.sub_event(CODE, await_what_was_cancelled)
    await emulator.events.wait_unsubscribed(CODE)


async def test_a_client_that_is_closed_ends_its_streams(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    idle, awaited = subscriber.iter_events(CODE), subscriber.with_options(lang="en-US").iter_events(CODE)
    unread = subscriber.iter_events(CODE)
    received: list[str] = []

    async def wait() -> None:
        received.extend([event async for event in awaited])
        received.append("end")

    async with anyio.create_task_group() as group:
        group.start_soon(emulator.events.wait_subscribed, CODE, 1)
        async with connected(emulator, idle):
            group.start_soon(wait)
            await emulator.events.wait_subscribed(CODE, 2)
            await subscriber.aclose()
            await emulator.events.wait_unsubscribed(CODE)
    assert received == ["end"]
    emulator.events.publish(CODE, "too late")
    for stream in (idle, awaited, unread):
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    with pytest.raises(ClientClosedError):
        await anext(subscriber.iter_events(CODE))


async def test_a_close_in_a_cancelled_scope_ends_the_streams(
    emulator: Emulator, subscriber: AuthenticationClient
) -> None:
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await subscriber.aclose()
        await emulator.events.wait_unsubscribed(CODE)


async def test_a_client_that_is_closed_ends_a_wait_for_the_next_try(
    emulator: Emulator, make_client: MakeClient, tokens: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    patient = make_client(websocket_host=emulator.websocket_url, retry=RetryPolicy(backoff=3600, max_backoff=3600))
    events = patient.iter_events(CODE, access_token=tokens["access_token"])
    ended: list[str] = []

    async def wait() -> None:
        ended.extend([event async for event in events])
        ended.append("end")

    async with connected(emulator, events), anyio.create_task_group() as group:
        emulator.events.drop_connections()
        group.start_soon(wait)
        with anyio.fail_after(30):
            while "reconnecting" not in caplog.text:
                await anyio.lowlevel.checkpoint()
        await patient.aclose()
    assert ended == ["end"]


def test_a_blocking_client_that_is_closed_ends_its_streams(emulator: Emulator, tokens: dict[str, Any]) -> None:
    client = genauth_sync.AuthenticationClient(
        emulator.app_id,
        emulator.url,
        emulator.app_secret,
        tokens["access_token"],
        websocket_host=emulator.websocket_url,
    )
    received: list[str] = []

    def receive() -> None:
        received.extend(events)
        received.append("end")

    events = client.iter_events(CODE)
    receiving = threading.Thread(target=receive, daemon=True)
    receiving.start()
    emulator.events.wait_subscribed_blocking(CODE)
    client.close()
    receiving.join(20)
    assert received == ["end"]
    assert list(events) == []


# The garbage collector frees a connection whose event loop is closed, with a ResourceWarning.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_one_stream_on_one_loop_after_another(emulator: Emulator, tokens: dict[str, Any]) -> None:
    client = AuthenticationClient(
        emulator.app_id,
        emulator.url,
        emulator.app_secret,
        tokens["access_token"],
        websocket_host=emulator.websocket_url,
        retry=RetryPolicy(attempts=1),
    )
    events = client.iter_events(CODE, reconnect_for=0)

    async def receive_one() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(publish, 1)
            assert await anext(events) == "first"

    async def publish(count: int) -> None:
        await emulator.events.wait_subscribed(CODE, count)
        emulator.events.publish(CODE, "first")

    for backend in ("asyncio", "asyncio", "trio"):
        anyio.run(receive_one, backend=backend)
        gc.collect()
        emulator.events.drop_connections()
    anyio.run(events.aclose)
    anyio.run(events.aclose, backend="trio")

    async def ask_again() -> None:
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        await client.aclose()

    anyio.run(ask_again)
    gc.collect()


@pytest.mark.parametrize("closed", ["stream", "client"])
async def test_a_close_on_another_loop_ends_the_stream_on_its_loop(
    emulator: Emulator, subscriber: AuthenticationClient, closed: str
) -> None:
    events = subscriber.iter_events(CODE)
    received: list[str] = []

    async def wait() -> None:
        received.append(await anext(events))

    async with connected(emulator, events):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            closing = {"stream": events.aclose, "client": subscriber.aclose}[closed]
            await anyio.to_thread.run_sync(anyio.run, closing)
            assert emulator.events.subscribers(CODE) == 1
            emulator.events.publish(CODE, "on the way")
        assert received == ["on the way"]
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        await emulator.events.wait_unsubscribed(CODE)


async def test_what_another_loop_closed_connects_no_more(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events), anyio.create_task_group() as group:

        async def wait() -> None:
            with pytest.raises(StopAsyncIteration):
                await anext(events)

        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await anyio.to_thread.run_sync(anyio.run, events.aclose)
        emulator.events.drop_connections()
    assert emulator.requests[SUBSCRIBE] == 1


async def test_a_stream_is_received_on_two_loops_in_turn(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    events = subscriber.iter_events(CODE)

    async def elsewhere() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(publish)
            assert await anext(events) == "to both"
        await events.aclose()

    async def publish() -> None:
        await emulator.events.wait_subscribed(CODE, 2)
        emulator.events.publish(CODE, "to both")

    async with connected(emulator, events):
        await anyio.to_thread.run_sync(anyio.run, elsewhere)
    await emulator.events.wait_unsubscribed(CODE)
