"""Requests and logs of the MinimalClient, which replaces an HTTP library's own client."""

from __future__ import annotations

import re
from typing import Any

import httpx
import httpx2
import pytest
from anyio.abc import SocketStream

from genauth_async import RetryPolicy
from genauth_async._http.transport import _fits, _headers
from genauth_async._wire.request import Idempotency, Request
from tests.conftest import MakeClient
from tests.core.test_connections import ANSWER, serving
from tests.recording import Answer, RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends]

REQUESTS = [
    Request(method="POST", path=("api", "v3", "signin"), json={"account": "ä", "n": 1}, user_token="token"),
    Request(method="POST", path=("oidc", "token"), form={"scope": "a b"}, headers={"authorization": "Basic eDp5"}),
    Request(method="POST", path=("empty",), form={}),
    Request(method="PUT", path=("nothing",)),
    Request(method="DELETE", path=("nothing",)),
    Request(
        method="GET", path=("a b/c", "ü~:@!$&'()*+,;=", "%41"), query={"q": "a b+c&ü~/:'\"<>|{}[]^`%zz", "t": True}
    ),
]


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_requests_are_byte_identical_to_the_librarys_client(library: Any, make_client: MakeClient) -> None:
    heard = []

    async def answer(stream: SocketStream) -> None:
        for _ in REQUESTS:
            request = await stream.receive()
            head, _, body = request.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            while length is not None and len(body) < int(length[1]):
                body += await stream.receive()
            heard.append((head, body))
            await stream.send(ANSWER)

    async with serving(answer) as (url, _), library.AsyncClient(trust_env=False) as theirs:
        for options in ({"http_client": theirs}, {"transport": library.AsyncHTTPTransport()}):
            client = make_client(url, **options, lang="zh-CN", real_ip="192.0.2.1", user_pool_id="pool")
            for request in REQUESTS:
                await client._shared.transport.send(request, client.settings)
        await options["transport"].aclose()
    assert heard[: len(REQUESTS)] == heard[len(REQUESTS) :]
    assert b"/a%20b%2Fc/" in heard[-1][0]


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


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_headers_of_an_answer_are_found_however_they_are_written(library: Any) -> None:
    sent = [(b"Retry-After", b"1"), (b"X-Twice", b"a"), (b"x-twice", b"\xff")]
    assert _headers(library.Response(200, headers=sent)) == {"retry-after": "1", "x-twice": "a, \ufffd"}


@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ({"content-length": "100"}, True),
        ({"content-length": "101"}, False),
        ({"content-length": "100", "content-encoding": "gzip"}, False),
        ({"content-length": "-1"}, False),
        ({"content-length": "1, 1"}, False),
        ({"content-length": "\u0661"}, False),
        ({}, False),
    ],
)
def test_only_what_is_sure_to_fit_is_read_without_looking(headers: dict[str, str], fits: bool) -> None:
    assert _fits(headers, 100) is fits
