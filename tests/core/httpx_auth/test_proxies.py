"""`session.auth` and plain http: to this machine through a proxy, and inside a cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
import requests

import genauth_sync
from genauth_async import ConfigurationError
from tests.recording import RecordingServer

TOKEN = "canary-token"
GETS: list[Callable[..., Any]] = [httpx.get, httpx2.get, functools.partial(requests.get, timeout=30)]
in_each_library = pytest.mark.parametrize("get", GETS, ids=["httpx", "httpx2", "requests"])


@pytest.fixture
def session() -> genauth_sync.TokenSession:
    return genauth_sync.AuthenticationClient("app", "https://localhost", "secret").session({"access_token": TOKEN})


@pytest.fixture
def proxy(recorder: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> RecordingServer:
    """The environment's proxy, which records all that it sees."""
    monkeypatch.setenv("HTTP_PROXY", recorder.url)
    monkeypatch.setenv("http_proxy", recorder.url)
    return recorder


@in_each_library
@pytest.mark.parametrize("host", ["localhost", "app.localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
@pytest.mark.parametrize("no_proxy", [None, "", "example.com", "10.0.0.0/8, 127.0.0.0/8", "localhost:9", "lhost", "::"])
def test_a_proxy_never_gets_the_token_for_this_machine(
    session: genauth_sync.TokenSession,
    proxy: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    get: Callable[..., Any],
    host: str,
    no_proxy: str | None,
) -> None:
    if no_proxy is not None:
        monkeypatch.setenv("NO_PROXY", no_proxy)
    with pytest.raises(ConfigurationError, match="NO_PROXY") as caught:
        get(f"http://{host}:9/items", auth=session.auth)
    assert proxy.requests == []
    assert TOKEN not in str(caught.value)


@in_each_library
def test_all_proxy_is_a_proxy_too(
    session: genauth_sync.TokenSession,
    recorder: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    get: Callable[..., Any],
) -> None:
    monkeypatch.setenv("ALL_PROXY", recorder.url)
    with pytest.raises(ConfigurationError, match="NO_PROXY"):
        get("http://localhost:9/items", auth=session.auth.for_origins("http://localhost:9"))
    assert recorder.requests == []


@in_each_library
@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "example.com,127.0.0.1", "*"])
def test_a_host_that_no_proxy_names_gets_it_directly(
    session: genauth_sync.TokenSession,
    proxy: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    get: Callable[..., Any],
    no_proxy: str,
) -> None:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    get(f"{proxy.url}/items", auth=session.auth)
    assert proxy.last.target == "/items"  # a proxy would get the whole URL
    assert proxy.last.headers["authorization"] == f"Bearer {TOKEN}"


@in_each_library
def test_cluster_internal_http_is_allowed_by_name_only(
    session: genauth_sync.TokenSession, proxy: RecordingServer, get: Callable[..., Any]
) -> None:
    with pytest.raises(ConfigurationError, match="allow_insecure_http=True"):
        get("http://orders.svc.cluster.local/items", auth=session.auth)
    with pytest.raises(ConfigurationError, match="unencrypted"):
        session.auth.for_origins("http://orders.svc.cluster.local")
    auth = session.auth.for_origins("http://orders.svc.cluster.local", allow_insecure_http=True)
    get("http://orders.svc.cluster.local/items", auth=auth)  # the proxy stands for the cluster
    assert proxy.last.target == "http://orders.svc.cluster.local/items"
    assert proxy.last.headers["authorization"] == f"Bearer {TOKEN}"
    get("http://payments.svc.cluster.local/items", auth=auth)
    assert "authorization" not in proxy.last.headers


@pytest.mark.parametrize("value", ["true", 1, None])
def test_the_permission_is_a_boolean(session: genauth_sync.TokenSession, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="allow_insecure_http"):
        session.auth.for_origins("http://orders.svc.cluster.local", allow_insecure_http=value)
