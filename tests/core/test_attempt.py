"""One attempt: its phases, and the head and body of an answer as carriers report them."""

from __future__ import annotations

import gzip
import zlib

import anyio
import httpx
import pytest

from genauth_async import (
    GenAuthAPIError,
    NotJSONError,
    RateLimitedError,
    ResponseError,
    ResponseTooLargeError,
    ServerError,
    TruncatedResponseError,
)
from genauth_async._arguments.timeouts import deadline
from genauth_async._http.attempt import MAX_HEAD_BYTES, Attempt, BadHeadError, BeforeSend

pytestmark = pytest.mark.anyio


def attempt_of(max_bytes: int = 100, before_send: BeforeSend | None = None) -> Attempt:
    limits = deadline(httpx.Timeout(20, connect=15, read=2))
    return Attempt("GET /", limits, anyio.current_time() + 10, max_bytes, before_send)


async def test_each_phase_has_its_limit_within_the_whole() -> None:
    attempt = attempt_of()
    now = anyio.current_time()
    limits = {}
    for phase in ("pool", "connect", "write", "read"):
        attempt.enter(phase)
        limits[phase] = attempt.scope.deadline - now
    assert limits == pytest.approx({"pool": 10, "connect": 8, "write": 10, "read": 2}, abs=0.1)


async def test_a_request_is_sent_after_the_hook() -> None:
    seen: list[bool] = []

    async def hook() -> None:
        seen.append(attempt.sent)

    attempt = attempt_of(before_send=hook)
    for _ in range(2):
        await attempt.connected()
    assert (seen, attempt.sent, attempt.phase) == ([False], True, "write")


async def test_a_hook_that_fails_keeps_the_request_from_being_sent() -> None:
    async def hook() -> None:
        raise LookupError

    attempt = attempt_of(before_send=hook)
    with pytest.raises(LookupError) as caught:
        await attempt.connected()
    assert (attempt.hook_failure, attempt.sent) == (caught.value, False)


async def test_headers_are_found_however_they_are_written() -> None:
    attempt = attempt_of()
    attempt.receive_head(200, [(b"Retry-After", b"1"), (b"X-Twice", b"a"), (b"x-twice", b"\xff")])
    assert attempt.headers == {"retry-after": "1", "x-twice": "a, \ufffd"}


@pytest.mark.parametrize(
    "headers", [[(b"x", b"y")] * 1025, [(b"x", b"y" * MAX_HEAD_BYTES)]], ids=["too many", "too large"]
)
async def test_a_head_that_is_too_large_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BadHeadError):
        attempt_of().receive_head(200, headers)


@pytest.mark.parametrize("length", ["100", "-1", "1, 1", "\u0661", "", "x", "1e9"])
async def test_an_announced_length_that_says_nothing_is_ignored(length: str) -> None:
    attempt = attempt_of()
    attempt.receive_head(200, [(b"content-length", length.encode())])
    await attempt.receive(b"body")
    assert attempt.response().body == b"body"


@pytest.mark.parametrize("length", ["101", "9" * 5000], ids=len)
async def test_a_body_announced_as_too_large_is_not_read(length: str) -> None:
    with pytest.raises(ResponseTooLargeError, match="max_response_bytes=100"):
        attempt_of().receive_head(200, [(b"content-length", length.encode())])


RAW_DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
CODED = {
    "gzip": gzip.compress(b"body"),
    "X-GZip": gzip.compress(b"body"),
    "deflate": zlib.compress(b"body"),
    "Deflate": RAW_DEFLATE.compress(b"body") + RAW_DEFLATE.flush(),
    " identity ": b"body",
}


@pytest.mark.parametrize("coding", CODED)
async def test_a_coded_body_is_decompressed_byte_by_byte(coding: str) -> None:
    attempt = attempt_of()
    attempt.receive_head(200, [(b"content-encoding", coding.encode())])
    for byte in CODED[coding]:
        await attempt.receive(bytes([byte]))
    assert attempt.response().body == b"body"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "gzip, identity", "gzip;q=1"])
async def test_another_coding_or_a_list_of_them_is_refused(coding: str) -> None:
    with pytest.raises(NotJSONError, match="gzip or deflate"):
        attempt_of().receive_head(200, [(b"content-encoding", coding.encode())])


async def test_a_compressed_body_that_breaks_off_is_truncated() -> None:
    attempt = attempt_of()
    attempt.receive_head(200, [(b"content-encoding", b"gzip")])
    await attempt.receive(CODED["gzip"][:-3])
    with pytest.raises(TruncatedResponseError):
        attempt.response()


async def test_a_bomb_is_refused_before_it_unfolds() -> None:
    attempt = attempt_of(max_bytes=1_000_000)
    attempt.receive_head(200, [(b"content-encoding", b"gzip")])
    with pytest.raises(ResponseTooLargeError):
        await attempt.receive(gzip.compress(bytes(50_000_000)))
    assert len(attempt.body) < 2_000_000


async def test_a_body_of_exactly_the_limit_is_accepted() -> None:
    for length in ([(b"content-length", b"8")], []):
        attempt = attempt_of(max_bytes=8)
        attempt.receive_head(200, length)
        await attempt.receive(b"12345678")
        assert attempt.response().body == b"12345678"
    small = attempt_of(max_bytes=7)
    small.receive_head(200, [])
    with pytest.raises(ResponseTooLargeError):
        await small.receive(b"12345678")


@pytest.mark.parametrize(("status", "cls"), [(429, RateLimitedError), (500, ServerError), (503, ServerError)])
async def test_the_status_of_an_unreadable_body_counts(status: int, cls: type[GenAuthAPIError]) -> None:
    wait = (b"retry-after", b"9")
    broken = attempt_of()
    broken.receive_head(status, [wait])
    await broken.receive(b'{"statusCo')
    large = attempt_of(max_bytes=1)
    large.receive_head(status, [wait])
    errors: list[ResponseError] = [broken.truncated()]
    with pytest.raises(cls) as caught:
        await large.receive(b"xy")
    errors.append(caught.value)
    with pytest.raises(cls) as caught:
        attempt_of().receive_head(status, [wait, (b"content-encoding", b"br")])
    errors.append(caught.value)
    for error in errors:
        assert isinstance(error, cls)
        assert (error.http_status, error.retry_after, error.endpoint) == (status, 9.0, "GET /")


async def test_an_error_that_was_truncated_is_truncated() -> None:
    attempt = attempt_of()
    attempt.receive_head(401, [(b"www-authenticate", b'Bearer error="invalid_token"')])
    assert isinstance(attempt.truncated(), TruncatedResponseError)
