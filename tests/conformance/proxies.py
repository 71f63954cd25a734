"""Proxies that refuse, fail or hang, at CONNECT and at requests over plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.conformance.case import Case
from tests.conformance.connecting import phases, refusing
from tests.conformance.framing import NOT_HTTP
from tests.conformance.keep_alive import HALF_HEAD
from tests.conformance.servers import Peer, Server, answer, answers

_VIA: Final = "through the proxy 127.0.0.1:PORT: "


def connect(*parts: bytes, then: str = "close") -> Callable[[Peer], None]:
    """A proxy that answers CONNECT, and every other request, with this."""

    def play(peer: Peer) -> None:
        if peer.read() is None:
            return
        for part in parts:
            peer.send(part)
        if then == "reset":
            peer.reset()
        elif then == "hang":
            peer.hang()

    return play


def accepting(play: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """A proxy that connects to a server."""

    def proxy(peer: Peer) -> None:
        peer.read()
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        play(peer)

    return proxy


def tunnel(name: str, play: Callable[[Peer], None], problem: str, **options: Any) -> Case:
    """A proxy that fails at CONNECT."""
    return Case(
        name=f"proxy, https: {name}",
        play=play,
        scheme="https",
        host="target.invalid",
        is_proxy=True,
        expect=(f"ConnectionFailedError sent=False: {_VIA}no connection: {problem}",),
        **{"attempts": 2, "within": 2, **options},
    )


def refused_407(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nProxy-Authenticate: Basic\r\n\r\nno".encode()


@contextmanager
def closed_port(server: Server) -> Iterator[None]:
    """Refuse connections."""
    server.refuse()
    yield


CASES: Final = [
    tunnel("refuses connections", refusing, "Connection refused", surroundings=closed_port),
    tunnel(
        "407",
        connect(refused_407("407 Proxy Authentication Required")),
        "the proxy refused: 407 Proxy Authentication Required; proxy= needs its user and password",
    ),
    tunnel("403", connect(refused_407("403 Forbidden")), "the proxy refused: 403 Forbidden"),
    tunnel("502", connect(refused_407("502 Bad Gateway")), "the proxy refused: 502 Bad Gateway"),
    tunnel("503", connect(refused_407("503 Service Unavailable")), "the proxy refused: 503 Service Unavailable"),
    tunnel("closes", connect(), "the connection was closed"),
    tunnel("resets", connect(then="reset"), "Connection reset by peer"),
    tunnel("closes within its answer", connect(HALF_HEAD), "the connection was closed"),
    tunnel("answers garbage", connect(b"\x00garbage\r\n\r\n", then="hang"), "the proxy's answer is not HTTP"),
    tunnel("speaks TLS", connect(b"\x15\x03\x01\x00\x02\x02\x50", then="hang"), "the proxy's answer is not HTTP"),
    Case(
        name="proxy, https: hangs at CONNECT",
        play=connect(then="hang"),
        scheme="https",
        host="target.invalid",
        is_proxy=True,
        timeout=0.4,
        expect=(f"RequestTimeoutError sent=False: {_VIA}no connection in time",),
        attempts=2,
        within=1,
    ),
    Case(
        name="proxy, https: hangs at CONNECT: connect",
        own_only=True,
        play=connect(then="hang"),
        scheme="https",
        host="target.invalid",
        is_proxy=True,
        is_slow=True,
        timeout=phases(connect=0.3),
        expect=(f"RequestTimeoutError sent=False: {_VIA}no connection in time",),
        attempts=2,
        within=1.5,
    ),
    Case(
        name="proxy, https: hangs in the TLS handshake",
        play=accepting(lambda peer: peer.hang()),
        scheme="https",
        host="target.invalid",
        is_proxy=True,
        timeout=0.4,
        expect=(f"RequestTimeoutError sent=False: {_VIA}no connection in time",),
        attempts=2,
        within=1,
    ),
    Case(
        name="proxy, https: closes in the TLS handshake",
        play=accepting(lambda peer: peer.finish()),
        scheme="https",
        host="target.invalid",
        is_proxy=True,
        expect=(f"TLSError sent=False: {_VIA}the TLS handshake failed: the server closed the connection",),
        attempts=2,
    ),
    Case(
        name="proxy, http: 407",
        play=connect(refused_407("407 Proxy Authentication Required")),
        host="target.invalid",
        is_proxy=True,
        expect=("407 no",),
    ),
    Case(
        name="proxy, http: 502",
        play=connect(refused_407("502 Bad Gateway")),
        host="target.invalid",
        is_proxy=True,
        expect=("502 no",),
    ),
    Case(
        name="proxy, http: refuses connections",
        play=refusing,
        surroundings=closed_port,
        host="target.invalid",
        is_proxy=True,
        expect=(f"ConnectionFailedError sent=False: {_VIA}no connection: Connection refused",),
        attempts=2,
    ),
    Case(
        name="proxy, http: closes",
        play=connect(),
        host="target.invalid",
        is_proxy=True,
        expect=(f"ConnectionLostError sent=True: {_VIA}the connection broke before the answer",),
    ),
    Case(
        name="proxy, http: hangs",
        play=connect(then="hang"),
        host="target.invalid",
        is_proxy=True,
        timeout=0.4,
        expect=(f"RequestTimeoutError sent=True: {_VIA}no answer in time",),
        within=1,
    ),
    Case(
        name="proxy, http: garbage",
        play=connect(b"\x00garbage\r\n\r\n"),
        host="target.invalid",
        is_proxy=True,
        expect=(NOT_HTTP.replace(": ", f": {_VIA}", 1),),
    ),
    Case(
        name="proxy, http: works",
        play=answers(answer()),
        host="target.invalid",
        is_proxy=True,
        expect=('200 "a"',) * 2,
        connections=1,
    ),
]
