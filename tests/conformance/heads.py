"""Large heads: 64 KB and 1,000 headers are read; more is an error, and takes no memory."""

from __future__ import annotations

from typing import Final

from tests.conformance.case import Case
from tests.conformance.framing import NOT_HTTP, dropped, kept
from tests.conformance.servers import Peer, Play, head

_A: Final = b'"a"'
_LENGTH: Final = "Content-Length: 3"


def many(number: int) -> list[str]:
    return [f"X-{index}: {index}" for index in range(number)]


def endless(line: bytes, first: bytes = b"HTTP/1.1 200 OK\r\n") -> Play:
    """Sends lines until the client closes."""

    def play(peer: Peer) -> None:
        peer.read()
        peer.send(first)
        sent = 0
        while sent < 200_000_000 and peer.send(line * (65536 // len(line) + 1)):
            sent += 65536

    return play


ENDLESS: Final = [
    Case(name="endless headers", play=endless(b"X-Header: value\r\n"), expect=(NOT_HTTP,)),
    Case(name="an endless header", play=endless(b"x", b"HTTP/1.1 200 OK\r\nX-A: "), expect=(NOT_HTTP,)),
    Case(name="an endless reason", play=endless(b"x", b"HTTP/1.1 200 "), expect=(NOT_HTTP,)),
    Case(name="an endless name of a header", play=endless(b"x", b"HTTP/1.1 200 OK\r\n"), expect=(NOT_HTTP,)),
    Case(
        name="endless interim answers",
        is_slow=True,
        play=endless(head(status="103 Early Hints"), b""),
        expect=("RequestTimeoutError sent=True: no answer in time",),
    ),
    Case(
        name="endless trailers",
        play=endless(b"X-T: value\r\n", head("Transfer-Encoding: chunked") + b'1\r\n"\r\n0\r\n'),
        expect=('TruncatedResponseError: the answer was truncated after 1 bytes (HTTP 200, no content type): "',),
    ),
]

CASES: Final = [
    kept("a header of 8 KB", head("X-A: " + "x" * 8_192, _LENGTH) + _A),
    kept("a header of 64 KB", head("X-A: " + "x" * 65_536, _LENGTH) + _A),
    kept("headers of 90 KB", head(*["X-A: " + "x" * 9_000] * 10, _LENGTH) + _A),
    kept("1,000 headers", head(*many(1_000), _LENGTH) + _A),
    kept("a reason of 8 KB", head(_LENGTH, status="200 " + "x" * 8_192) + _A),
    dropped("a header of 97 KB", head("X-A: " + "x" * 97 * 1024, _LENGTH) + _A, expect=NOT_HTTP),
    dropped(
        "headers of 97 KB", head(*["X-A: " + "x" * 9_700] * 10, "X-B: " + "x" * 2500, _LENGTH) + _A, expect=NOT_HTTP
    ),
    dropped("2,000 headers", head(*many(2_000), _LENGTH) + _A, expect=NOT_HTTP),
    dropped("5,000 headers", head(*many(5_000), _LENGTH) + _A, expect=NOT_HTTP),
    dropped("10 MB of headers", head(*["X-A: " + "x" * 1_000] * 10_000, _LENGTH) + _A, expect=NOT_HTTP),
    dropped("a header of 10 MB", head("X-A: " + "x" * 10_000_000, _LENGTH) + _A, expect=NOT_HTTP),
    *ENDLESS,
]
