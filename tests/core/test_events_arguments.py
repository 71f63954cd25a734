"""Arguments of an event subscription, and the errors raised before it connects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from genauth_async import AuthenticationClient, ConfigurationError
from genauth_async._websocket.address import websocket_host_for
from tests.core.test_websocket import TOKEN, make

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("options", "arguments", "named"),
    [
        ({"websocket_host": "ws://events.example"}, {}, "websocket_host: ws://"),
        ({"websocket_host": "https://events.example"}, {}, "websocket_host: must be"),
        ({"websocket_host": "wss://events.example/path"}, {}, "websocket_host: must be the host alone"),
        ({"websocket_host": 1}, {}, "websocket_host: must be a str"),
        ({"websocket_endpoint": 1}, {}, "websocket_endpoint: must be a str"),
        *(
            ({"websocket_host": None, "app_host": host}, {}, "websocket_host: is needed")
            for host in (
                "http://127.0.0.1:1",
                "https://sso.bank.example",
                "https://evilgenauth.ai",
                "https://genauth.ai.example",
                "https://authing.cn.example",
            )
        ),
        ({"access_token": None}, {}, "access_token"),
        ({"access_token": "a b"}, {}, "access_token"),
        ({}, {"event_code": ""}, "event_code"),
        ({}, {"event_code": "\ud800"}, "event_code"),
        ({}, {"reconnect_for": -1}, "reconnect_for"),
        ({}, {"reconnect_for": float("nan")}, "reconnect_for"),
        ({}, {"reconnect_for": "1"}, "reconnect_for"),
        ({}, {"ping_interval": 0}, "ping_interval"),
        ({}, {"ping_interval": None}, "ping_interval"),
        ({}, {"timeout": 0}, "timeout"),
    ],
)
async def test_arguments_are_checked_at_once(options: dict[str, Any], arguments: dict[str, Any], named: str) -> None:
    settings: dict[str, Any] = {"app_host": "https://a.genauth.ai", "app_secret": "s", "access_token": TOKEN} | options
    arguments = {"event_code": "code"} | arguments
    with pytest.raises(ConfigurationError) as caught:
        AuthenticationClient("app", **settings).iter_events(**arguments)
    assert str(caught.value).startswith(named)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("app_host", "events_host"),
    [
        (None, "wss://openevent.genauth.ai"),
        ("https://genauth.ai", "wss://openevent.genauth.ai"),
        ("https://Shop.GenAuth.ai", "wss://openevent.genauth.ai"),
        ("https://shop.genauth.ai.:443", "wss://openevent.genauth.ai"),
        ("https://authing.cn", "wss://openevent.authing.cn"),
        ("https://shop.authing.cn", "wss://openevent.authing.cn"),
    ],
)
async def test_the_clouds_know_their_event_servers(app_host: str | None, events_host: str) -> None:
    client = AuthenticationClient("app", app_host, "secret", TOKEN)
    assert client.settings.websocket_host is None
    assert websocket_host_for(client.settings.app_host) == events_host
    client.iter_events("code")


@pytest.mark.parametrize(
    "app_host", ["https://shop.us.authing.co", "https://login.example.com", "https://authing.cn.example"]
)
async def test_other_hosts_have_to_name_their_event_server(app_host: str) -> None:
    client = AuthenticationClient("app", app_host, "secret", TOKEN)
    with pytest.raises(ConfigurationError, match="websocket_host"):
        client.iter_events("code")


async def test_plain_connections_to_other_machines_need_consent() -> None:
    assert make("ws://events.example", allow_insecure_http=True).settings.websocket_host == "ws://events.example"


async def test_the_callback_is_checked() -> None:
    with pytest.raises(ConfigurationError, match=r"^callback"):
        await make("ws://127.0.0.1:1").sub_event("code", None)  # type: ignore[arg-type]


@pytest.fixture
def without_websockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "websockets.client", None)
        yield


@pytest.mark.usefixtures("without_websockets")
async def test_the_missing_package_is_named() -> None:
    async with make("ws://127.0.0.1:1").iter_events("code") as events:
        with pytest.raises(ConfigurationError, match=r"pip install 'genauth-async\[events\]'"):
            await anext(events)
