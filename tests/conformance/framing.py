"""Interim answers, bodies and their lengths, odd heads, and answers that come before the request has left."""

from __future__ import annotations

from typing import Any, Final

from tests.conformance.case import GET, HEAD, LARGE, POST, Case
from tests.conformance.keep_alive import BROKEN, TRUNCATED, closing
from tests.conformance.servers import Peer, Play, answer, answers, chunked, head, once

NOT_HTTP: Final = (
    "ConnectionLostError sent=True: "
    "the answer is not HTTP, or has more than 96 KB of headers; does the port need https://?"
)
_CONTINUE: Final = head(status="100 Continue")
_HINTS: Final = head("Link: </a>; rel=preload", status="103 Early Hints")
_CHUNKED: Final = "Transfer-Encoding: chunked"
_A: Final = ('200 "a"',)
_TOO_LARGE: Final = (
    "ResponseTooLargeError: the answer is larger than max_response_bytes=1000000 (HTTP 200, no content type)"
)


def kept(name: str, *parts: Any, expect: str = '200 "a"', **options: Any) -> Case:
    """Each of two requests gets these bytes, on one connection."""
    return Case(name=name, play=answers(*parts), expect=(expect,) * 2, connections=1, requests=2, **options)


def dropped(name: str, *parts: Any, expect: str = '200 "a"', **options: Any) -> Case:
    """Each of two requests gets these bytes, each on a connection of its own, which the server leaves open."""
    return Case(name=name, play=answers(*parts), expect=(expect,) * 2, connections=2, **options)


def pieces(data: bytes, size: int) -> list[Any]:
    """Segments of this size."""
    cut = [data[start : start + size] for start in range(0, len(data), size)]
    return [part for piece in cut for part in (piece, 0.001)]


def early(end: str, status: str = "413 Content Too Large") -> Play:
    """Answers once the head has arrived, and reads no body."""

    def play(peer: Peer) -> None:
        peer.head()
        peer.send(answer(end, status=status))
        if end == "keep":
            peer.hang()
        elif end == "close":
            peer.finish()
        elif end == "reset":
            peer.pause(0.1)
            peer.reset()

    return play


CASES: Final = [
    kept("100 first", _CONTINUE + answer()),
    kept("100 in an earlier segment", _CONTINUE, 0.01, answer()),
    kept("100 in pieces", *pieces(_CONTINUE + answer(), 7)),
    kept("103 first", _HINTS + answer()),
    kept("102 first", head(status="102 Processing") + answer()),
    kept("twenty interim answers", (_CONTINUE + _HINTS) * 10 + answer()),
    dropped(
        "101 unasked", head("Upgrade: x", "Connection: Upgrade", status="101 Switching Protocols"), expect=NOT_HTTP
    ),
    dropped("101 unasked without Upgrade", head(status="101 Switching Protocols"), expect=NOT_HTTP),
    kept("HEAD with a length", head("Content-Length: 5"), calls=(HEAD,), expect="200"),
    kept("HEAD, chunked", head(_CHUNKED), calls=(HEAD,), expect="200"),
    Case(name="HEAD without a length", play=answers(head()), calls=(HEAD,), expect=("200",) * 2),
    dropped("HEAD with a body", answer(), calls=(HEAD,), expect="200"),
    kept("204", head(status="204 No Content"), expect="204"),
    kept("204 with a length of 0", head("Content-Length: 0", status="204 No Content"), expect="204"),
    kept("304", head(status="304 Not Modified"), expect="304"),
    kept("304 with a length", head("Content-Length: 5", status="304 Not Modified"), expect="304"),
    kept("an empty body", head("Content-Length: 0"), expect="200"),
    kept("chunked", head(_CHUNKED) + chunked(b'"', b'a"')),
    kept("chunked, empty", head(_CHUNKED) + chunked(), expect="200"),
    kept("chunked with trailers", head(_CHUNKED, "Trailer: X-T") + chunked(b'"a"', trailers=b"X-T: 1\r\nX-U: 2\r\n")),
    kept("chunked with extensions", head(_CHUNKED) + b'3;x=1;y="2"\r\n"a"\r\n0;z\r\n\r\n'),
    kept(
        "chunked in tiny pieces",
        *pieces(head(_CHUNKED) + chunked(*[b"%d" % n for n in range(9)]), 1),
        expect="200 012345678",
    ),
    kept(
        "chunked, upper-case sizes",
        head("transfer-encoding: CHUNKED") + b"0B\r\n" + b"x" * 11 + b"\r\n000\r\n\r\n",
        expect="200 " + "x" * 11,
    ),
    kept("a length, in tiny pieces", *pieces(answer(), 1)),
    Case(
        name="chunked, closed before the last chunk",
        play=closing(lambda peer: peer.send_with_end(head(_CHUNKED) + b'1\r\n"\r\n')),
        expect=(TRUNCATED,),
    ),
    dropped("chunked, a size that is no number", head(_CHUNKED) + b'1\r\n"\r\nzz\r\n', expect=TRUNCATED),
    dropped("chunked, an endless size line", head(_CHUNKED) + b'1\r\n"\r\n' + b"1" * 200_000, expect=TRUNCATED),
    Case(
        name="no length until close",
        play=closing(once(head() + b'"', 0.01, b'a"', then=Peer.close)),
        expect=_A * 2,
        connections=2,
    ),
    Case(
        name="no length until reset",
        play=closing(once(head() + b'"', 0.05, then=Peer.reset)),
        expect=(TRUNCATED,),
    ),
    kept("length and chunked", head("Content-Length: 99", _CHUNKED) + chunked(b'"a"')),
    kept("chunked and length", head(_CHUNKED, "Content-Length: 1") + chunked(b'"a"')),
    kept("two equal lengths", head("Content-Length: 3", "Content-Length: 3") + b'"a"'),
    kept("two equal lengths in one", head("Content-Length: 3, 3") + b'"a"'),
    dropped("two different lengths", head("Content-Length: 3", "Content-Length: 4") + b'"a"', expect=NOT_HTTP),
    dropped("two different lengths in one", head("Content-Length: 3, 4") + b'"a"', expect=NOT_HTTP),
    dropped("a negative length", head("Content-Length: -3") + b'"a"', expect=NOT_HTTP),
    dropped("a length with a sign", head("Content-Length: +3") + b'"a"', expect=NOT_HTTP),
    dropped("a length in hexadecimal", head("Content-Length: 0x3") + b'"a"', expect=NOT_HTTP),
    dropped("an empty length", head("Content-Length:") + b'"a"', expect=NOT_HTTP),
    dropped(
        "a huge length",
        head("Content-Length: 99999999999"),
        expect=_TOO_LARGE,
    ),
    dropped("a length of 30 digits", head("Content-Length: " + "9" * 30) + b'"a"', expect=NOT_HTTP),
    dropped(
        "a body over the limit",
        head(_CHUNKED) + chunked(b"x" * 600_000, b"x" * 600_000),
        expect=_TOO_LARGE,
    ),
    kept("a body at the limit", head("Content-Length: 1000000") + b"x" * 1_000_000, expect="200 1000000 bytes"),
    dropped("an unknown transfer coding", head("Transfer-Encoding: x") + b'"a"', expect=NOT_HTTP),
    dropped("gzip as a transfer coding", head("Transfer-Encoding: gzip, chunked") + chunked(b'"a"'), expect=NOT_HTTP),
    kept("line feeds alone", answer().replace(b"\r\n", b"\n")),
    kept("no reason", head("Content-Length: 3", status="200 ") + b'"a"'),
    kept("no reason and no blank", head("Content-Length: 3", status="200") + b'"a"'),
    kept("a reason in Latin-1", head("Content-Length: 3", status="200 \xe9t\xe9") + b'"a"'),
    kept("Latin-1 in a header", head("X-A: \xe9\xff", "Content-Length: 3") + b'"a"'),
    kept("an empty header", head("X-A:", "Content-Length: 3") + b'"a"'),
    kept("blanks around a value", head("Content-Length: \t 3 \t") + b'"a"'),
    kept("a folded header", head("X-A: one\r\n two", "Content-Length: 3") + b'"a"'),
    dropped("a blank before the colon", head("Content-Length : 3") + b'"a"', expect=NOT_HTTP),
    dropped("a header without a colon", head("X-A", "Content-Length: 3") + b'"a"', expect=NOT_HTTP),
    dropped("a header without a name", head(": 1", "Content-Length: 3") + b'"a"', expect=NOT_HTTP),
    dropped("NUL in a header", head("X-A: a\x00b", "Content-Length: 3") + b'"a"', expect=NOT_HTTP),
    dropped("a bare CR in a header", head("X-A: a\rb", "Content-Length: 3") + b'"a"', expect=NOT_HTTP),
    kept("Unknown status 299", head("Content-Length: 3", status="299 Odd") + b'"a"', expect='299 "a"'),
    kept("Unknown status 999", head("Content-Length: 3", status="999 Odd") + b'"a"', expect='999 "a"'),
    dropped("a status of two digits", head("Content-Length: 3", status="20 OK") + b'"a"', expect=NOT_HTTP),
    dropped("a status of four digits", head("Content-Length: 3", status="2000 OK") + b'"a"', expect=NOT_HTTP),
    dropped("a status that is no number", head("Content-Length: 3", status="abc OK") + b'"a"', expect=NOT_HTTP),
    dropped("HTTP/2.0", head("Content-Length: 3", version="2.0") + b'"a"', expect=NOT_HTTP, own_only=True),
    dropped("HTTP/1.9", head("Content-Length: 3", version="1.9") + b'"a"', expect=NOT_HTTP, own_only=True),
    dropped("lower-case http", b"http/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + b'"a"', expect=NOT_HTTP),
    dropped("a status line that is garbage", b"\x00\xff\r\n\r\n", expect=NOT_HTTP),
    dropped("an SSH banner", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", expect=NOT_HTTP),
    dropped("HTML without a head", b"<html><body>no</body></html>\r\n\r\n", expect=NOT_HTTP),
    dropped("a TLS alert from an http port", b"\x15\x03\x01\x00\x02\x02\x50", expect=NOT_HTTP),
    dropped("an empty line before the head", b"\r\n" + answer(), expect=NOT_HTTP),
    Case(name="413 before the body is read: kept open", play=early("keep"), calls=(POST,), expect=('413 "keep"',)),
    Case(name="413 before the body is read: closed", play=early("close"), calls=(POST,), expect=('413 "close"',)),
    Case(
        name="413 before a large body is read: kept open",
        own_only=True,
        play=early("keep"),
        calls=(LARGE,),
        expect=('413 "keep"',),
        attempts=1,
    ),
    Case(name="413 before a large body is read: closed", play=early("close"), calls=(LARGE,), expect=('413 "close"',)),
    Case(
        name="413 before a large body is read: reset",
        own_only=True,
        play=early("reset"),
        calls=(LARGE,),
        expect=('413 "reset"',),
    ),
    Case(
        name="401 before a large body is read: reset",
        own_only=True,
        play=early("reset", "401 Unauthorized"),
        calls=(LARGE,),
        expect=('401 "reset"',),
    ),
    Case(
        name="200 before a large body is read, then another call",
        own_only=True,
        play=early("keep", "200 OK"),
        calls=(LARGE, GET),
        expect=('200 "keep"',) * 2,
        connections=2,
    ),
    Case(
        name="reset without an answer to a large body",
        play=closing(lambda peer: peer.reset()),
        calls=(LARGE,),
        expect=(BROKEN,),
    ),
]
