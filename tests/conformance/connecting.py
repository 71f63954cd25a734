"""Limits of each phase; names and addresses."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch

import httpx
import uvloop

from tests.conformance.case import GET, LARGE, REFRESH, Case
from tests.conformance.keep_alive import HALF_BODY, HALF_HEAD
from tests.conformance.servers import Peer, Server, answer, answers, full_listener

NO_CONNECTION: Final = "RequestTimeoutError sent=False: no connection in time"
NO_ANSWER: Final = "RequestTimeoutError sent=True: no answer in time"
INCOMPLETE: Final = "RequestTimeoutError sent=True: the answer was not complete in time"
_UNRESOLVED: Final = (
    "ConnectionFailedError sent=False: no connection: the host name cannot be resolved (Name or service not known)"
)
_REFUSED: Final = "ConnectionFailedError sent=False: no connection: Connection refused"
_NAME: Final = "name.example"

Resolve = Callable[[int], list[Any]]


def phases(**seconds: float) -> Callable[[], httpx.Timeout]:
    """A timeout with one short phase."""
    return lambda: httpx.Timeout(**{"connect": 5, "read": 5, "write": 5, "pool": 5, **seconds})


@contextmanager
def resolving(resolve: Resolve) -> Iterator[None]:
    """Resolve `name.example` with this function, on all event loops; others as they are."""
    original = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        flags = args[3] if len(args) > 3 else options.get("flags", 0)
        if name == _NAME and flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        return resolve(int(port)) if name == _NAME else original(host, port, *args, **options)

    async def in_thread(self: asyncio.AbstractEventLoop, host: Any, port: Any, **options: Any) -> Any:
        return await self.run_in_executor(None, lambda: getaddrinfo(host, port, **options))

    with patch.object(socket, "getaddrinfo", getaddrinfo), patch.object(uvloop.Loop, "getaddrinfo", in_thread):
        yield


def addresses(*hosts: str) -> Callable[[Server], AbstractContextManager[None]]:
    """Resolve the name to these."""

    def entry(host: str, port: int) -> Any:
        if ":" in host:
            return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))
        return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))

    return lambda _: resolving(lambda port: [entry(host, port) for host in hosts])


def silent_addresses(*dead: str, alive: Sequence[str] = ()) -> Callable[[Server], AbstractContextManager[None]]:
    """Resolve the name to addresses that drop SYNs, at the server's port; then to those that answer."""

    @contextmanager
    def surroundings(server: Server) -> Iterator[None]:
        with ExitStack() as stack:
            for host in dead:
                stack.enter_context(full_listener(host, server.port))
            stack.enter_context(addresses(*dead, *alive)(server))
            yield

    return surroundings


@contextmanager
def unanswered(_: Server) -> Iterator[None]:
    """Resolve nothing while the calls last."""
    over = threading.Event()

    def wait(_: int) -> list[Any]:
        over.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "over")

    with resolving(wait):
        # The event loop waits for its threads at its end, which comes after this.
        timer = threading.Timer(1.5, over.set)
        timer.start()
        yield
        over.set()
        timer.cancel()


def _fails(number: int, text: str) -> Callable[[Server], AbstractContextManager[None]]:
    def fail(_: int) -> list[Any]:
        raise socket.gaierror(number, text)

    return lambda _: resolving(fail)


def silent(peer: Peer) -> None:
    peer.read()
    peer.hang()


def refusing(peer: Peer) -> None:
    raise AssertionError(peer)


def partly(data: bytes) -> Callable[[Peer], None]:
    def play(peer: Peer) -> None:
        peer.read()
        peer.send(data)
        peer.hang()

    return play


def dripping(peer: Peer) -> None:
    """Sends a byte every 50 ms."""
    peer.read()
    for byte in answer("x" * 200):
        if not peer.send(bytes([byte])):
            return
        peer.pause(0.05)


TIMEOUTS: Final = [
    Case(name="no answer", play=silent, timeout=0.3, expect=(NO_ANSWER,), within=1),
    Case(name="no answer: GET", play=silent, calls=(GET,), timeout=0.3, expect=(NO_ANSWER,), within=1),
    Case(name="no answer: read", play=silent, is_slow=True, timeout=phases(read=0.3), expect=(NO_ANSWER,), within=1),
    Case(
        name="no answer: read, GET",
        play=silent,
        calls=(GET,),
        is_slow=True,
        timeout=phases(read=0.3),
        expect=(NO_ANSWER,),
        attempts=2,
        within=1.5,
    ),
    Case(name="half a head, then nothing", play=partly(HALF_HEAD), timeout=0.3, expect=(NO_ANSWER,), within=1),
    Case(
        name="half a head, then nothing: read",
        play=partly(HALF_HEAD),
        is_slow=True,
        timeout=phases(read=0.3),
        expect=(NO_ANSWER,),
        within=1,
    ),
    Case(name="half a body, then nothing", play=partly(HALF_BODY), timeout=0.3, expect=(INCOMPLETE,), within=1),
    Case(
        name="half a body, then nothing: read",
        play=partly(HALF_BODY),
        is_slow=True,
        timeout=phases(read=0.3),
        expect=(INCOMPLETE,),
        within=1,
    ),
    Case(name="a byte every 50 ms: total", play=dripping, timeout=0.4, expect=(NO_ANSWER,), within=1),
    Case(
        name="a large body is not read",
        play=lambda peer: peer.hang(),
        calls=(LARGE,),
        timeout=0.4,
        expect=(NO_ANSWER,),
        within=1.5,
    ),
    Case(
        name="a large body is not read: write",
        play=lambda peer: peer.hang(),
        calls=(LARGE,),
        is_slow=True,
        timeout=phases(write=0.4),
        expect=(NO_ANSWER,),
        within=1.5,
    ),
    Case(
        name="SYN dropped",
        play=refusing,
        host=_NAME,
        surroundings=silent_addresses("127.0.0.2"),
        timeout=0.4,
        expect=(NO_CONNECTION,),
        attempts=2,
        connections=0,
        within=1,
    ),
    Case(
        name="SYN dropped: connect",
        play=refusing,
        host=_NAME,
        surroundings=silent_addresses("127.0.0.2"),
        is_slow=True,
        timeout=phases(connect=0.3),
        expect=(NO_CONNECTION,),
        attempts=2,
        connections=0,
        within=1.5,
    ),
    Case(
        name="no TLS handshake: connect",
        play=lambda peer: peer.hang(),
        scheme="https",
        is_slow=True,
        timeout=phases(connect=0.3),
        expect=(NO_CONNECTION,),
        attempts=2,
        within=1.5,
    ),
    Case(
        name="no TLS handshake",
        play=lambda peer: peer.hang(),
        scheme="https",
        timeout=0.4,
        expect=(NO_CONNECTION,),
        attempts=2,
        within=1.5,
    ),
]

ADDRESSES: Final = [
    Case(
        name="the name does not exist",
        play=refusing,
        host=_NAME,
        surroundings=_fails(socket.EAI_NONAME, "Name or service not known"),
        expect=(_UNRESOLVED,),
        attempts=2,
        within=1,
    ),
    Case(
        name="the name server fails",
        play=refusing,
        host=_NAME,
        surroundings=_fails(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        expect=(_UNRESOLVED.replace("Name or service not known", "Temporary failure in name resolution"),),
        attempts=2,
        within=1,
    ),
    Case(
        name="the name server does not answer",
        play=refusing,
        host=_NAME,
        surroundings=unanswered,
        timeout=0.4,
        expect=(NO_CONNECTION,),
        attempts=2,
        within=1,
    ),
    Case(
        name="the name server does not answer: single use",
        play=refusing,
        host=_NAME,
        surroundings=unanswered,
        calls=(REFRESH,),
        timeout=0.4,
        expect=(NO_CONNECTION,),
        attempts=2,
        within=1,
    ),
    Case(
        name="the name server does not answer: connect",
        play=refusing,
        host=_NAME,
        surroundings=unanswered,
        is_slow=True,
        timeout=phases(connect=0.3),
        expect=(NO_CONNECTION,),
        attempts=2,
        within=1.5,
    ),
    Case(
        name="refused",
        play=refusing,
        host=_NAME,
        surroundings=addresses("127.0.0.2"),
        expect=(_REFUSED,),
        attempts=2,
        within=1,
    ),
    Case(
        name="eight addresses refuse",
        play=refusing,
        host=_NAME,
        surroundings=addresses(*[f"127.0.0.{n}" for n in range(2, 10)]),
        expect=(_REFUSED,),
        attempts=2,
        within=1,
    ),
    Case(
        name="eight addresses drop SYNs",
        play=refusing,
        host=_NAME,
        surroundings=silent_addresses(*[f"127.0.0.{n}" for n in range(2, 10)]),
        timeout=0.6,
        expect=(NO_CONNECTION,),
        attempts=2,
        connections=0,
        within=1,
    ),
    Case(
        name="the first address refuses",
        play=answers(answer()),
        host=_NAME,
        surroundings=addresses("127.0.0.2", "127.0.0.1"),
        expect=('200 "a"',) * 2,
        connections=1,
        within=1,
    ),
    Case(
        name="the first address drops SYNs",
        play=answers(answer()),
        host=_NAME,
        surroundings=silent_addresses("127.0.0.2", alive=["127.0.0.1"]),
        timeout=5,
        expect=('200 "a"',) * 2,
        connections=1,
        within=1,
    ),
    Case(
        name="IPv6 drops SYNs",
        play=answers(answer()),
        host=_NAME,
        surroundings=silent_addresses("::1", alive=["127.0.0.1"]),
        timeout=5,
        expect=('200 "a"',) * 2,
        connections=1,
        within=1,
    ),
    Case(
        name="IPv6 refuses",
        play=answers(answer()),
        host=_NAME,
        surroundings=addresses("::1", "127.0.0.1"),
        timeout=5,
        expect=('200 "a"',) * 2,
        connections=1,
        within=1,
    ),
]

CASES: Final = [*TIMEOUTS, *ADDRESSES]
