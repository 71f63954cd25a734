from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import anyio
import genauth
import httpx
import pytest
from starlette.types import Message
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from genauth_async.emulator import Emulator, User

SUBSCRIBE = "/events/v1/authentication/sub"
PUBLISH = "/api/v3/pub-userEvent"

Subscribe = Callable[..., AbstractContextManager[ClientConnection]]


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return str(emulator.issue_tokens(user)["access_token"])


@pytest.fixture
def subscribe(emulator: Emulator, token: str) -> Subscribe:
    """Connects with a client that is not ours."""
    quiet = logging.Logger("quiet")  # noqa: LOG001 - it would log the access token
    quiet.disabled = True

    @contextmanager
    def subscribe(path: str = SUBSCRIBE, **changes: str | None) -> Iterator[ClientConnection]:
        query = {"code": "order", "token": token} | changes
        given = {name: value for name, value in query.items() if value is not None}
        url = f"{emulator.websocket_url}{path}?{httpx.QueryParams(given)}"
        with connect(url, logger=quiet) as socket:
            yield socket

    return subscribe


def publish(http: httpx.Client, emulator: Emulator, token: str, **body: object) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {token}", "x-genauth-app-id": emulator.app_id}
    answer: dict[str, Any] = http.post(PUBLISH, json=body, headers=headers).json()
    return answer


def test_events_reach_the_users_subscribers_of_their_code(
    emulator: Emulator, user: User, token: str, http: httpx.Client, subscribe: Subscribe
) -> None:
    other = emulator.add_user(username="bob")
    others = emulator.issue_tokens(other)["access_token"]
    with (
        subscribe() as mine,
        subscribe() as mine_too,
        subscribe(code="refund") as elsewhere,
        subscribe(token=others) as o,
    ):
        assert emulator.events.subscribers("order") == 3
        answer = publish(http, emulator, token, eventType="order", eventData='{"id": "é"}', source="shop")
        assert (answer["statusCode"], answer["message"]) == (200, "操作成功")
        assert emulator.events.publish("order", "to all") == 3
        assert emulator.events.publish("refund", "other code") == 1
        assert emulator.events.publish("order", "to one", user_id=user.id) == 2
        assert [mine.recv() for _ in range(3)] == ['{"id": "é"}', "to all", "to one"]
        assert mine_too.recv() == '{"id": "é"}'
        assert elsewhere.recv() == "other code"
        assert o.recv() == "to all"
    assert emulator.events.publish("unheard", "no subscriber") == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"eventData": "x"}, 400),
        ({"eventType": "order"}, 400),
        ({"eventType": "order", "eventData": {"not": "text"}}, 400),
        ({"eventType": "order", "eventData": "x", "source": 1}, 400),
    ],
)
def test_what_cannot_be_published(
    emulator: Emulator, token: str, http: httpx.Client, body: dict[str, object], status: int
) -> None:
    assert publish(http, emulator, token, **body)["statusCode"] == status


def test_only_the_signed_in_publish(emulator: Emulator, token: str, http: httpx.Client) -> None:
    emulator.revoke_grant(token)
    answer = publish(http, emulator, token, eventType="order", eventData="x")
    assert (answer["statusCode"], answer["apiCode"]) == (401, 2020)


def test_the_vendors_sdk_publishes(emulator: Emulator, token: str, subscribe: Subscribe) -> None:
    vendors = genauth.AuthenticationClient(
        app_id=emulator.app_id, app_host=emulator.url, app_secret=emulator.app_secret, access_token=token
    )
    with subscribe() as socket:
        assert vendors.put_event("order", {"id": 1})["statusCode"] == 200
        assert socket.recv() == '{"id": 1}'


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"token": "made-up"}, 401, "2020"),
        ({"token": None}, 401, "2020"),
        ({"code": None}, 400, "code is required"),
        ({"path": "/events/v1/other"}, 404, "no WebSocket at /events/v1/other"),
    ],
)
def test_handshakes_are_refused(
    subscribe: Subscribe, changes: dict[str, Any], status: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidStatus) as caught, subscribe(**changes):
        pass
    response = caught.value.response
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert reason in bytes(response.body or b"").decode()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_an_expired_token_opens_nothing_and_receives_nothing(emulator: Emulator, subscribe: Subscribe) -> None:
    with subscribe() as socket:
        emulator.clock.advance(14 * 24 * 60 * 60)
        assert emulator.events.publish("order", "too late") == 1
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1008
        assert emulator.events.subscribers("order") == 0
    with pytest.raises(InvalidStatus, match="401"), subscribe():
        pass


def test_a_revoked_grant_receives_nothing(emulator: Emulator, token: str, subscribe: Subscribe) -> None:
    with subscribe() as socket:
        emulator.revoke_grant(token)
        emulator.events.publish("order", "secret")
        with pytest.raises(ConnectionClosed):
            socket.recv()


def test_connections_are_dropped_without_a_goodbye(emulator: Emulator, subscribe: Subscribe) -> None:
    with subscribe() as socket:
        assert emulator.events.drop_connections() == 1
        assert emulator.events.subscribers("order") == 0
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv()
        assert caught.value.rcvd is None


def test_connections_are_closed_after_what_was_published(emulator: Emulator, subscribe: Subscribe) -> None:
    with subscribe() as socket:
        emulator.events.publish("order", "last words")
        assert emulator.events.close_connections(4321) == 1
        assert socket.recv() == "last words"
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4321


@pytest.mark.anyio
async def test_who_comes_and_who_leaves_can_be_waited_for(emulator: Emulator, subscribe: Subscribe) -> None:
    events = emulator.events
    with pytest.raises(TimeoutError, match="fewer than 1 connections"):
        events.wait_subscribed_blocking("order", timeout=0.01)
    sockets = ExitStack()
    async with anyio.create_task_group() as group:
        group.start_soon(events.wait_subscribed, "order", 2)
        for _ in range(2):
            await anyio.to_thread.run_sync(sockets.enter_context, subscribe())
    events.wait_subscribed_blocking("order", 2)
    async with anyio.create_task_group() as group:
        group.start_soon(events.wait_unsubscribed, "order")
        await anyio.to_thread.run_sync(sockets.close)
    assert events.subscribers("order") == 0
    assert repr(events) == "<Events: 0 connections>"


@pytest.mark.parametrize("fault", [{"latency": 3600}, {"reply_latency": 3600}])
def test_a_handshake_may_be_late(emulator: Emulator, http: httpx.Client, token: str, fault: dict[str, Any]) -> None:
    headers = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    emulator.faults.add(SUBSCRIBE, **fault)
    query = {"code": "order", "token": token}
    with pytest.raises(httpx.ReadTimeout):
        http.get(SUBSCRIBE, params=query, headers=headers, timeout=0.3)


def test_faults_befall_handshakes(emulator: Emulator, subscribe: Subscribe, caplog: pytest.LogCaptureFixture) -> None:
    emulator.faults.add(SUBSCRIBE, status=503, retry_after=7)
    emulator.faults.add(SUBSCRIBE, drop=True)
    emulator.faults.add(SUBSCRIBE, envelope={"statusCode": 500, "message": "sorry"})
    emulator.faults.add(SUBSCRIBE, latency=0.001)
    with pytest.raises(InvalidStatus, match="503") as caught, subscribe():
        pass
    assert caught.value.response.headers["retry-after"] == "7"
    with pytest.raises((InvalidMessage, ConnectionError)), subscribe():
        pass
    with pytest.raises(InvalidStatus, match="200"), subscribe():
        pass
    with subscribe():
        pass
    assert emulator.requests[SUBSCRIBE] == 4
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.anyio
async def test_handshakes_are_held(emulator: Emulator, token: str, subscribe: Subscribe) -> None:
    refused: list[int] = []

    def attempt() -> None:
        with pytest.raises(InvalidStatus) as caught, subscribe():
            pass
        refused.append(caught.value.response.status_code)

    with emulator.faults.hold(SUBSCRIBE) as hold:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, attempt)
            await hold.wait_arrived()
            emulator.revoke_grant(token)
            hold.release()
    assert refused == [401]


def test_a_plain_request_is_told_what_to_speak(http: httpx.Client) -> None:
    response = http.get(SUBSCRIBE)
    assert response.status_code == 426
    assert "WebSocket" in response.json()["message"]


def test_the_emulator_stops_while_a_client_is_connected(
    emulator: Emulator, subscribe: Subscribe, caplog: pytest.LogCaptureFixture
) -> None:
    with subscribe() as socket:
        emulator.stop()
        with pytest.raises(ConnectionClosed):
            socket.recv()
    assert emulator.events.subscribers("order") == 0
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    emulator.start()
    with subscribe():
        assert emulator.events.subscribers("order") == 1


@pytest.mark.anyio
async def test_the_bare_application_serves_websockets(emulator: Emulator, token: str) -> None:
    to_app, from_app = anyio.create_memory_object_stream[Message](10), anyio.create_memory_object_stream[Message](10)
    async with to_app[0], to_app[1], from_app[0], from_app[1]:
        scope = {"type": "websocket", "path": SUBSCRIBE, "query_string": f"code=order&token={token}".encode()}
        app: Any = emulator.app
        async with anyio.create_task_group() as group:
            group.start_soon(app, {**scope, "headers": []}, to_app[1].receive, from_app[0].send)
            await to_app[0].send({"type": "websocket.connect"})
            assert (await from_app[1].receive())["type"] == "websocket.accept"
            emulator.events.publish("order", "hello")
            assert (await from_app[1].receive())["text"] == "hello"
            await to_app[0].send({"type": "websocket.disconnect", "code": 1000})
        assert emulator.events.subscribers("order") == 0
        scope["query_string"] = b"code=order&token=made-up"
        await to_app[0].send({"type": "websocket.connect"})
        await emulator.app({**scope, "headers": []}, to_app[1].receive, from_app[0].send)
        assert (await from_app[1].receive())["type"] == "websocket.close"
