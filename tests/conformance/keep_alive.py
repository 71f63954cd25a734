"""Keep-alive, and its end at each moment."""

from __future__ import annotations

from typing import Any, Final

from tests.conformance.case import GET, POST, REFRESH, Case
from tests.conformance.servers import Peer, Play, answer, answers, head, send_all

BROKEN: Final = "ConnectionLostError sent=True: the connection broke before the answer"
TRUNCATED: Final = 'TruncatedResponseError: the answer was truncated after 1 bytes (HTTP 200, no content type): "'
HALF_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Le"
HALF_BODY: Final = head("Content-Length: 3") + b'"'


def second(*parts: Any, reset: bool = False) -> Play:
    """The first connection's first request is answered; the second gets only this; further connections work."""

    def play(peer: Peer) -> None:
        if peer.number > 1:
            answers(answer("new"))(peer)
            return
        peer.read()
        peer.send(answer("kept"))
        peer.read()
        send_all(peer, *parts)
        if reset:
            peer.reset()

    return play


def closing(end: Play) -> Play:
    """Each connection ends after its first request, in this manner."""

    def play(peer: Peer) -> None:
        peer.read()
        end(peer)

    return play


def _later(peer: Peer) -> None:
    peer.send(answer())
    peer.pause(0.002)
    peer.close()


def _reset_later(peer: Peer) -> None:
    peer.send(answer())
    peer.pause(0.02)
    peer.reset()


def numbered(peer: Peer) -> None:
    """Answer each request by its connection's number."""
    for _ in peer:
        peer.send(answer(peer.number))


CASES: Final = [
    Case(name="kept", play=answers(answer()), expect=('200 "a"',) * 3, connections=1, requests=3),
    Case(
        name="closed with the answer's last segment",
        play=closing(lambda peer: peer.send_with_end(answer())),
        expect=('200 "a"',) * 3,
        connections=3,
        requests=3,
    ),
    Case(
        name="closed 2 ms after the answer",
        play=closing(_later),
        expect=('200 "a"',) * 3,
        connections=3,
        requests=3,
        pause=0.05,
    ),
    Case(
        name="reset 20 ms after the answer",
        play=closing(_reset_later),
        expect=('200 "a"',) * 3,
        connections=3,
        requests=3,
        pause=0.1,
    ),
    Case(name="closed as the next request arrives: POST", play=second(), expect=('200 "kept"', BROKEN), requests=2),
    Case(
        name="closed as the next request arrives: GET",
        play=second(),
        calls=(GET,),
        expect=('200 "kept"', '200 "new"'),
        attempts=3,
        connections=2,
    ),
    Case(
        name="closed as the next request arrives: single use",
        play=second(),
        calls=(POST, REFRESH),
        own_only=True,
        expect=('200 "kept"', '200 "new"', '200 "new"'),
        connections=3,
        requests=3,
    ),
    Case(name="reset as the next request arrives", play=second(reset=True), expect=('200 "kept"', BROKEN), requests=2),
    Case(name="closed within the next head", play=second(HALF_HEAD), expect=('200 "kept"', BROKEN), requests=2),
    Case(name="reset within the next head", play=second(HALF_HEAD, 0.05, reset=True), expect=('200 "kept"', BROKEN)),
    Case(name="closed within the next body", play=second(HALF_BODY), expect=('200 "kept"', TRUNCATED), requests=2),
    Case(name="reset within the next body", play=second(HALF_BODY, 0.05, reset=True), expect=('200 "kept"', TRUNCATED)),
    Case(
        name="closed within the next body: GET",
        play=second(HALF_BODY),
        calls=(GET,),
        expect=('200 "kept"', '200 "new"'),
        attempts=3,
    ),
    Case(name="closed without an answer", play=closing(lambda peer: peer.close()), expect=(BROKEN,), connections=1),
    Case(name="reset without an answer", play=closing(lambda peer: peer.reset()), expect=(BROKEN,), connections=1),
    Case(
        name="closed without an answer: GET",
        play=closing(lambda peer: peer.close()),
        calls=(GET,),
        expect=(BROKEN,),
        attempts=2,
        connections=2,
    ),
    Case(
        name="Connection: close",
        play=answers(answer("a", "Connection: close")),
        expect=('200 "a"',) * 2,
        connections=2,
    ),
    Case(
        name="Connection: Close, X-Other",
        play=answers(answer("a", "connection: Close, X-Other")),
        expect=('200 "a"',) * 2,
        connections=2,
    ),
    Case(name="HTTP/1.0", play=answers(answer(version="1.0")), expect=('200 "a"',) * 2, connections=2),
    Case(
        name="HTTP/1.0 with keep-alive",
        play=answers(answer("a", "Connection: keep-alive", version="1.0")),
        expect=('200 "a"',) * 2,
        connections=2,
    ),
    Case(
        name="HTTP/1.0 without length",
        play=closing(lambda peer: peer.send_with_end(head(version="1.0") + b'"a"')),
        expect=('200 "a"',) * 2,
        connections=2,
    ),
    Case(
        name="single use",
        play=numbered,
        calls=(REFRESH,),
        own_only=True,
        expect=("200 1", "200 2", "200 3"),
        connections=3,
    ),
]
