"""Bytes that are left over after an answer: the connection is dropped, and they reach no other user."""

from __future__ import annotations

from typing import Any, Final

from tests.conformance.case import Case
from tests.conformance.servers import Peer, Play, answer, chunked, head, send_all


def left_over(*parts: Any) -> Play:
    """Answers each request by its connection's number, with something more; a number is a pause."""

    def play(peer: Peer) -> None:
        for _ in peer:
            first = answer(peer.number)
            if parts and isinstance(parts[0], bytes):
                send_all(peer, first + parts[0], *parts[1:])
            else:
                send_all(peer, first, *parts)

    return play


def chunked_left_over(extra: bytes, *, end: bytes = b"0\r\n\r\n", cut: int = 0) -> Play:
    """As `left_over`, after chunks; if `cut`, the second segment begins so many bytes before the body's end."""

    def play(peer: Peer) -> None:
        for _ in peer:
            body = chunked(str(peer.number).encode()).removesuffix(b"0\r\n\r\n") + end
            first = head("Transfer-Encoding: chunked") + body
            if cut:
                peer.send(first[:-cut])
                peer.pause(0.005)
                peer.send(first[-cut:] + extra)
            else:
                peer.send(first + extra)

    return play


_EVIL: Final = answer("EVIL")
_EXTRAS: Final = {
    "a second answer": _EVIL,
    "two answers": _EVIL + _EVIL,
    "half a head": b"HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Le",
    "half an answer": _EVIL[:-3],
    "a status line": b"HTTP/1.1 200 OK\r\n",
    "garbage": b"\x00\xff garbage",
    "a line break": b"\r\n",
    "one byte": b"H",
    "an interim answer": head(status="100 Continue"),
}
_QUICK: Final = ("a second answer", "half a head")
_SOME: Final = ("a second answer", "half a head", "garbage", "a line break")
_TRAILERS: Final = b"0\r\nX-T: 1\r\n\r\n"


def alone(name: str, extra: str, play: Play, *, is_slow: bool = False, **options: Any) -> Case:
    """Ten users, one after another: each gets their own answer, on a connection of their own."""
    return Case(
        name=f"left over {name}: {extra}",
        play=play,
        expect=tuple(f"200 {number}" for number in range(1, 11)),
        connections=10,
        requests=10,
        within=10.0,
        is_slow=is_slow or extra not in _QUICK,
        **options,
    )


CASES: Final = [
    *(alone("in the same segment", name, left_over(extra)) for name, extra in _EXTRAS.items()),
    *(alone("after a chunked body", name, chunked_left_over(extra)) for name, extra in _EXTRAS.items()),
    *(alone("after trailers", name, chunked_left_over(_EXTRAS[name], end=_TRAILERS)) for name in _SOME),
    *(
        alone("after zeros", name, chunked_left_over(_EXTRAS[name], end=b"000;x\r\n\r\n"), is_slow=True)
        for name in _SOME
    ),
    *(
        alone(f"{cut} bytes into a segment", name, chunked_left_over(_EXTRAS[name], cut=cut), is_slow=cut != 1)
        for name in _SOME
        for cut in range(1, 6)
    ),
    *(alone("while idle", name, left_over(0.005, extra), pause=0.03) for name, extra in _EXTRAS.items()),
    *(
        alone("in part", name, left_over(extra[:1], 0.005, extra[1:]), pause=0.03)
        for name, extra in _EXTRAS.items()
        if len(extra) > 1
    ),
]
