"""Event streams: delivery, reconnection and clean-up."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from genauth_async import (
    AuthenticationClient,
    ConfigurationError,
    ConnectionLostError,
    EmptyResponseError,
    ForbiddenError,
    GenAuthError,
    NotSignedInError,
    RateLimitedError,
    ResponseTooLargeError,
    RetryPolicy,
    ServerError,
)
from genauth_async.emulator import Emulator
from genauth_async.models._base import Envelope
from genauth_async.stream import Stream
from tests.conftest import MakeClient, leaked, secrets_of

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]

SUBSCRIBE = "/events/v1/authentication/sub"
PUBLISH = "/api/v3/pub-userEvent"
CODE = "order.paid"
AT_ONCE = RetryPolicy(backoff=0)


@pytest.fixture
def subscriber(make_client: MakeClient, emulator: Emulator, tokens: dict[str, Any]) -> AuthenticationClient:
    """A client that receives the emulator's events and reconnects without waiting."""
    return make_client(
        websocket_host=emulator.websocket_url, access_token=tokens["access_token"], retry=AT_ONCE, timeout=30
    )


@asynccontextmanager
async def connected(emulator: Emulator, events: Stream[str]) -> AsyncIterator[None]:
    """Connect a stream and receive its first event."""
    async with anyio.create_task_group() as group:
        group.start_soon(publish_first, emulator)
        assert await anext(events) == "first"
    async with events:
        yield


async def publish_first(emulator: Emulator) -> None:
    await emulator.events.wait_subscribed(CODE)
    emulator.events.publish(CODE, "first")


async def after_reconnecting(emulator: Emulator, events: Stream[str], text: str) -> str:
    """Return the next event, published once the stream has reconnected."""

    async def publish() -> None:
        await emulator.events.wait_subscribed(CODE)
        emulator.events.publish(CODE, text)

    received = []
    async with anyio.create_task_group() as group:
        group.start_soon(publish)
        received.append(await anext(events))
    return received[0]


async def test_events_arrive_in_order_and_as_they_are(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    sent = ["", "héllo, 世界 🎉", '{"id": "\\u00e9"}', "line\nbreak\x00", *map(str, range(200))]
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        for text in sent:
            emulator.events.publish(CODE, text)
        assert [await anext(events) for _ in sent] == sent


async def test_what_is_put_arrives(
    face: Any, emulator: Emulator, tokens: dict[str, Any], subscriber: AuthenticationClient
) -> None:
    token = tokens["access_token"]
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        answer = await face.put_event(CODE, {"id": 1, "who": "Zoë"}, access_token=token)
        assert (answer.status_code, answer["statusCode"]) == (200, 200)
        assert json.loads(await anext(events)) == {"id": 1, "who": "Zoë"}
        await face.put_event(CODE, '{"as": "it is"}', source="shop", access_token=token)
        assert await anext(events) == '{"as": "it is"}'
        for data in (Envelope(status_code=1), ["a", None, 2.5]):
            await face.put_event(CODE, data, access_token=token)
        assert json.loads(await anext(events)) == {"statusCode": 1}
        assert json.loads(await anext(events)) == ["a", None, 2.5]


async def test_a_put_event_is_not_sent_twice(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    emulator.faults.add(PUBLISH, lose_reply=True)
    with pytest.raises(ConnectionLostError):
        await subscriber.put_event(CODE, "once")
    assert emulator.requests[PUBLISH] == 1


@pytest.mark.parametrize("data", [float("nan"), {"a": object()}, {1, 2}])
async def test_data_that_is_no_json_is_refused(subscriber: AuthenticationClient, data: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^data: cannot be sent as JSON"):
        await subscriber.put_event(CODE, data)


@pytest.mark.parametrize(
    "break_off",
    [
        pytest.param(lambda events: events.drop_connections(), id="dropped"),
        pytest.param(lambda events: events.close_connections(1000), id="1000"),
        pytest.param(lambda events: events.close_connections(1001), id="1001"),
        pytest.param(lambda events: events.close_connections(1012), id="1012"),
    ],
)
async def test_a_broken_connection_is_made_again(
    emulator: Emulator,
    subscriber: AuthenticationClient,
    break_off: Callable[[Any], int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        for round_ in range(3):
            assert break_off(emulator.events) == 1
            assert await after_reconnecting(emulator, events, f"again {round_}") == f"again {round_}"
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 3
    assert all("reconnecting" in record.message for record in warnings)


async def test_a_restarted_server_is_found_again(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        emulator.stop()
        emulator.faults.add(SUBSCRIBE, status=502, times=40)  # a gateway answers so for longer than the first attempt
        emulator.start()
        assert await after_reconnecting(emulator, events, "back") == "back"


async def test_a_refused_token_fails_the_stream_at_once(
    emulator: Emulator, subscriber: AuthenticationClient, tokens: dict[str, Any]
) -> None:
    emulator.revoke_grant(tokens["access_token"])
    async with subscriber.iter_events(CODE) as events:
        with pytest.raises(NotSignedInError) as caught:
            await anext(events)
    assert caught.value.api_code == 2020
    assert emulator.requests[SUBSCRIBE] == 1


async def test_a_token_revoked_meanwhile_fails_the_stream_at_once(
    emulator: Emulator, subscriber: AuthenticationClient, tokens: dict[str, Any]
) -> None:
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        emulator.revoke_grant(tokens["access_token"])
        emulator.events.publish(CODE, "not for you")
        with pytest.raises(NotSignedInError, match="1008"):
            await anext(events)
        emulator.events.drop_connections()
        with pytest.raises(NotSignedInError, match="2020"):
            await anext(events)
    assert emulator.requests[SUBSCRIBE] == 2


@pytest.mark.parametrize(("close_code", "error"), [(4401, NotSignedInError), (4403, ForbiddenError)])
async def test_close_codes_that_refuse(
    emulator: Emulator, subscriber: AuthenticationClient, close_code: int, error: type[GenAuthError]
) -> None:
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        emulator.events.close_connections(close_code)
        with pytest.raises(error, match=str(close_code)):
            await anext(events)


async def test_the_first_connection_is_tried_as_often_as_a_call(
    emulator: Emulator, subscriber: AuthenticationClient
) -> None:
    emulator.faults.add(SUBSCRIBE, status=503, times=2)
    async with connected(emulator, subscriber.iter_events(CODE)):
        assert emulator.requests[SUBSCRIBE] == 3
    emulator.faults.add(SUBSCRIBE, status=503, times=3)
    async with subscriber.iter_events(CODE) as events:
        with pytest.raises(ServerError):
            await anext(events)
        # The stream continues after it.
        assert await after_reconnecting(emulator, events, "at last") == "at last"


@pytest.mark.parametrize(
    ("fault", "error", "requests"),
    [
        ({"status": 401}, NotSignedInError, 1),
        ({"status": 403}, ForbiddenError, 1),
        ({"status": 404}, EmptyResponseError, 1),
        ({"retry_after": 0}, RateLimitedError, 3),
        ({"retry_after": 3600}, RateLimitedError, 1),
        ({"drop": True}, ConnectionLostError, 3),
        ({"envelope": {"statusCode": 403, "message": "no"}}, ForbiddenError, 1),
    ],
)
async def test_which_refusals_are_tried_again(
    emulator: Emulator,
    subscriber: AuthenticationClient,
    fault: dict[str, Any],
    error: type[GenAuthError],
    requests: int,
) -> None:
    emulator.faults.add(SUBSCRIBE, times=None, **fault)
    async with subscriber.iter_events(CODE) as events:
        with pytest.raises(error):
            await anext(events)
    assert emulator.requests[SUBSCRIBE] == requests


async def test_reconnecting_can_be_bounded(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    never = subscriber.iter_events(CODE, reconnect_for=0)
    async with connected(emulator, never):
        emulator.events.drop_connections()
        with pytest.raises(ConnectionLostError):
            await anext(never)
        assert emulator.requests[SUBSCRIBE] == 1
        assert await after_reconnecting(emulator, never, "on demand") == "on demand"
    await emulator.events.wait_unsubscribed(CODE)
    a_while = subscriber.iter_events(CODE, reconnect_for=0.1)
    async with connected(emulator, a_while):
        before = emulator.requests[SUBSCRIBE]
        emulator.faults.add(SUBSCRIBE, drop=True, times=None)
        emulator.events.drop_connections()
        with pytest.raises(ConnectionLostError):
            await anext(a_while)
        assert emulator.requests[SUBSCRIBE] > before


async def test_a_cancelled_wait_loses_nothing(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        for number in range(20):
            with anyio.move_on_after(0):
                await anext(events)
                raise AssertionError("there was no event")
            emulator.events.publish(CODE, str(number))
            assert await anext(events) == str(number)
    assert emulator.requests[SUBSCRIBE] == 1


async def test_closing_ends_a_wait_and_the_subscription(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    events = subscriber.iter_events(CODE)
    ended: list[str] = []
    async with connected(emulator, events), anyio.create_task_group() as group:

        async def wait() -> None:
            ended.extend([event async for event in events])
            ended.append("end")

        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await events.aclose()
        await emulator.events.wait_unsubscribed(CODE)
    assert ended == ["end"]
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_closing_ends_a_wait_for_the_next_try(
    emulator: Emulator, make_client: MakeClient, tokens: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    patient = make_client(websocket_host=emulator.websocket_url, retry=RetryPolicy(backoff=3600, max_backoff=3600))
    events = patient.iter_events(CODE, access_token=tokens["access_token"])
    async with connected(emulator, events), anyio.create_task_group() as group:
        emulator.events.drop_connections()
        group.start_soon(collect, events)
        with anyio.fail_after(30):
            while "reconnecting" not in caplog.text:
                await anyio.lowlevel.checkpoint()
        await events.aclose()


async def collect(events: Stream[str]) -> list[str]:
    return [event async for event in events]


async def test_long_events(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    longest = "é" * (2 * 1024 * 1024)
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        emulator.events.publish(CODE, longest)
        assert await anext(events) == longest
        emulator.events.publish(CODE, "before")
        emulator.events.publish(CODE, longest + "x")
        assert await anext(events) == "before"
        with pytest.raises(ResponseTooLargeError, match="max_response_bytes"):
            await anext(events)
        await emulator.events.wait_unsubscribed(CODE)
        assert await after_reconnecting(emulator, events, "still there") == "still there"


async def test_a_slow_receiver_gets_everything(emulator: Emulator, subscriber: AuthenticationClient) -> None:
    count, size = 200, 100_000  # far more than the socket buffers hold
    events = subscriber.iter_events(CODE)
    async with connected(emulator, events):
        for number in range(count):
            emulator.events.publish(CODE, f"{number} ".ljust(size, "."))
        for number in range(count):
            await anyio.lowlevel.checkpoint()
            assert (await anext(events)).split()[0] == str(number)
    assert emulator.requests[SUBSCRIBE] == 1


async def test_no_secret_is_shown(
    emulator: Emulator, subscriber: AuthenticationClient, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[dict[str, Any]] = [{"drop": True}, {"status": 502, "body": "<p>"}, {"status": 401}, {"status": 307}]
    for fault in faults:
        emulator.faults.add(SUBSCRIBE, times=3, **fault)
        async with subscriber.iter_events(CODE) as events:
            with pytest.raises(GenAuthError) as caught:
                await anext(events)
            shown = f"{events!r} {vars(events)!r} {caught.value!r} {vars(caught.value)!r}"
        emulator.faults.clear()
        own = caught.value.__traceback__
        assert own is not None
        report = traceback.TracebackException(caught.type, caught.value, own.tb_next, capture_locals=True)
        shown += "".join(report.format()) + caplog.text
        assert leaked(secrets_of(emulator), shown) == []
