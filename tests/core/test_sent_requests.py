"""Requests as a server receives them, the same from every carrier, and their lines in the log."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
from anyio.abc import SocketStream

from genauth_async import AuthenticationClient, RetryPolicy
from genauth_async._core.version import VERSION
from genauth_async._wire.request import Idempotency, Request
from tests.conftest import MakeClient
from tests.core.test_connections import ANSWER, serving
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends]

# Each with its first line, its headers besides the common ones, and its body.
REQUESTS: list[tuple[Request, str, dict[str, str], str]] = [
    (
        Request(method="POST", path=("api", "v3", "signin"), json={"account": "ä", "n": 1}, user_token="token"),
        "POST /api/v3/signin HTTP/1.1",
        {"content-type": "application/json", "authorization": "Bearer token"},
        r'{"account":"\u00e4","n":1}',
    ),
    (
        Request(method="POST", path=("oidc", "token"), form={"scope": "a b"}, headers={"authorization": "Basic eDp5"}),
        "POST /oidc/token HTTP/1.1",
        {"content-type": "application/x-www-form-urlencoded", "authorization": "Basic eDp5"},
        "scope=a+b",
    ),
    (
        Request(method="POST", path=("empty",), form={}),
        "POST /empty HTTP/1.1",
        {"content-type": "application/x-www-form-urlencoded"},
        "",
    ),
    (Request(method="PUT", path=("nothing",)), "PUT /nothing HTTP/1.1", {}, ""),
    (Request(method="DELETE", path=("nothing",)), "DELETE /nothing HTTP/1.1", {}, ""),
    (
        Request(
            method="GET", path=("a b/c", "ü~:@!$&'()*+,;=", "%41"), query={"q": "a b+c&ü~/:'\"<>|{}[]^`%zz", "t": True}
        ),
        (
            "GET /a%20b%2Fc/%C3%BC~%3A%40%21%24%26%27%28%29%2A%2B%2C%3B%3D/%2541"
            "?q=a+b%2Bc%26%C3%BC~%2F%3A%27%22%3C%3E%7C%7B%7D%5B%5D%5E%60%25zz&t=true HTTP/1.1"
        ),
        {},
        "",
    ),
]


SETTINGS = {"lang": "zh-CN", "real_ip": "192.0.2.1", "user_pool_id": "pool"}

Heard = tuple[str, list[tuple[str, str]], str]


async def send_all(make: Callable[[str], AuthenticationClient]) -> tuple[list[Heard], list[Heard]]:
    """Send the requests by a client; return what a server heard, and what it should have: line, headers and body."""
    heard: list[Heard] = []

    async def answer(stream: SocketStream) -> None:
        for _ in REQUESTS:
            request = await stream.receive()
            head, _, body = request.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            while length is not None and len(body) < int(length[1]):
                body += await stream.receive()
            line, *headers = head.decode("ascii").split("\r\n")
            pairs = [header.split(": ", 1) for header in headers]
            heard.append((line, sorted((name.lower(), value) for name, value in pairs), body.decode()))
            await stream.send(ANSWER)

    expected = []
    async with serving(answer) as (url, _):
        client = make(url)
        for request, line, special, body in REQUESTS:
            await client._shared.transport.send(request, client.settings)
            headers = {**common_headers(url, client.settings.app_id), **special}
            if request.method in {"POST", "PUT"}:
                headers["content-length"] = str(len(body))
            expected.append((line, sorted(headers.items()), body))
    return heard, expected


def common_headers(url: str, app_id: str) -> dict[str, str]:
    return {
        "host": url.removeprefix("http://"),
        "user-agent": f"genauth-async/{VERSION} python/{platform.python_version()}",
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "connection": "keep-alive",
        "x-genauth-app-id": app_id,
        "x-genauth-request-from": "sdk",
        "x-genauth-sdk-version": f"python:{VERSION}",
        "x-genauth-lang": "zh-CN",
        "x-genauth-userpool-id": "pool",
        "x-real-ip": "192.0.2.1",
    }


async def test_every_carrier_sends_exactly_the_expected_requests(carrier: Any, make_client: MakeClient) -> None:
    heard, expected = await send_all(lambda url: make_client(url, **carrier, **SETTINGS))
    assert heard == expected


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_given_client_sends_exactly_the_expected_requests(library: Any, make_client: MakeClient) -> None:
    async with library.AsyncClient(trust_env=False) as theirs:
        heard, expected = await send_all(lambda url: make_client(url, http_client=theirs, **SETTINGS))
    assert heard == expected


async def test_each_try_is_a_line_in_the_log(
    carrier: Any, recorder: RecordingServer, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "genauth_async")
    client = make_client(recorder.url, **carrier, retry=RetryPolicy(backoff=0.0))
    recorder.answers = [Answer(close=True), Answer({"statusCode": 200}, status=503)]
    request = Request(method="GET", path=("a\nb",), query={"id_token": "canary"}, idempotency=Idempotency.SAFE)
    await client._shared.transport.send(request, client.settings)
    lines = [record.getMessage() for record in caplog.records if record.name == "genauth_async._http.transport"]
    assert [re.sub(r"\d+ ms", "so many ms", line) for line in lines] == [
        "GET /a%0Ab: ConnectionLostError after so many ms",
        "GET /a%0Ab: 503 after so many ms",
        "GET /a%0Ab: 200 after so many ms",
    ]
