"""Cancellation, and `aclose()`, at each step of a call."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import field, frozen

from genauth_async import ClientClosedError
from genauth_async._http.transport import Transport
from genauth_async._wire.request import Request
from tests.conformance.case import LARGE, POST, settings_for, trusting
from tests.conformance.connecting import addresses, resolving, silent_addresses
from tests.conformance.keep_alive import HALF_BODY
from tests.conformance.secure import good
from tests.conformance.servers import Peer, Play, Server, answer, answers
from tests.conformance.ways import Way, opened

pytestmark = pytest.mark.anyio


@frozen(kw_only=True)
class Step:
    """A step at which the first call is held.

    Attributes:
        play: the server's part for the first connection; others are answered.
        sent: whether the request may have left by then.
        request: the call's.
        scheme: of the URL.
        host: of the URL.
        surroundings: around the first call.
        hook: seconds that the hook takes.
    """

    play: Play = field(factory=lambda: answers(answer()))
    sent: bool
    request: Request = POST
    scheme: str = "http"
    host: str = "127.0.0.1"
    surroundings: Callable[[Server], Any] | None = None
    hook: float = 0.0


def _holding(data: bytes = b"") -> Play:
    def play(peer: Peer) -> None:
        peer.read()
        peer.send(data)
        peer.wait_for_end()

    return play


@contextmanager
def _unanswered(_: Server) -> Iterator[None]:
    over = threading.Event()

    def wait(port: int) -> list[Any]:
        over.wait(10)
        raise OSError(port)

    try:
        with resolving(wait):
            yield
    finally:
        over.set()


STEPS = {
    "opening": Step(sent=False),
    "resolving": Step(sent=False, host="name.example", surroundings=_unanswered),
    "connecting": Step(sent=False, host="name.example", surroundings=silent_addresses("127.0.0.2")),
    "TLS": Step(play=lambda peer: peer.wait_for_end(), sent=False, scheme="https"),
    "hook": Step(sent=False, hook=5.0),
    "writing": Step(play=lambda peer: peer.hang(), sent=True, request=LARGE),
    "waiting for the head": Step(play=_holding(), sent=True),
    "within the head": Step(play=_holding(b"HTTP/1.1 200 OK\r\n"), sent=True),
    "within the body": Step(play=_holding(HALF_BODY), sent=True),
    "within a chunk": Step(play=_holding(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), sent=True),
}


def client_sockets(port: int) -> set[str]:
    """The open sockets that are connected, or connecting, to a port."""
    lines = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return {line[9] for line in lines if line[9] != "0" and int(line[2].rpartition(":")[2], 16) == port}


async def closed(held: Held, before: set[str]) -> bool:
    """Return whether all sockets to the port get closed."""
    until = time.monotonic() + 5
    while client_sockets(held.port) - before:
        if held.way.is_given:
            gc.collect()  # to which httpx leaves some
        if time.monotonic() > until:
            return False
        await anyio.sleep(0.01)
    return True


class Held:
    """A server, a transport, and a call that is held at a step."""

    def __init__(self, stack: ExitStack, step: Step, way: Way) -> None:
        def play(peer: Peer) -> None:
            (step.play if peer.number == 1 else answers(answer()))(peer)

        def secured(peer: Peer) -> None:
            if peer.number > 1:
                peer.secure(good())
            play(peer)

        self._step = step
        self.server = stack.enter_context(Server(play if step.scheme == "http" else secured))
        self.port = self.server.port
        self.origin = f"{step.scheme}://{step.host}:{self.port}"
        self.way = way
        self.settings = settings_for(self.origin)

    def opened(self) -> Any:
        return opened(self.way, self.origin, verify=trusting())

    async def call(self, transport: Transport, ends: Callable[[], Any]) -> None:
        """Begin a call; once it is held, await `ends`, which is to end it."""
        step = self._step
        surroundings = step.surroundings(self.server) if step.surroundings else ExitStack()

        async def hook() -> None:
            await anyio.sleep(step.hook)

        with surroundings:
            before = client_sockets(self.port)
            async with anyio.create_task_group() as group:
                group.start_soon(ends)
                began = time.monotonic()
                try:
                    await transport.send(step.request, self.settings, 8.0, before_send=hook)
                finally:
                    group.cancel_scope.cancel()
                    self.seconds = time.monotonic() - began
        with anyio.CancelScope(shield=True):
            self.is_closed = await closed(self, before)

    async def again(self, transport: Transport) -> None:
        with addresses("127.0.0.1")(self.server):
            sent = await transport.send(POST, self.settings, 3.0)
            assert sent.body == b'"a"'


async def _soon(name: str) -> None:
    # Opening takes tens of milliseconds at least; the others are held by then.
    await anyio.sleep(0 if name == "opening" else 0.15)


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
async def test_a_cancelled_scope(way: Way, name: str) -> None:
    step = STEPS[name]
    with ExitStack() as stack:
        held = Held(stack, step, way)
        async with held.opened() as provider:
            transport = Transport(provider)
            before = client_sockets(held.port)
            with anyio.CancelScope() as scope:

                async def end() -> None:
                    await _soon(name)
                    scope.cancel()

                await held.call(transport, end)
            assert scope.cancelled_caught
            assert held.seconds < 1.5
            assert await closed(held, before)
            await held.again(transport)


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
async def test_a_cancelled_task(way: Way, name: str) -> None:
    if way.loop == "trio":
        pytest.skip("trio has no tasks to cancel")
    step = STEPS[name]
    with ExitStack() as stack:
        held = Held(stack, step, way)
        async with held.opened() as provider:
            transport = Transport(provider)
            before = client_sockets(held.port)
            surroundings = stack.enter_context(step.surroundings(held.server)) if step.surroundings else None
            full = client_sockets(held.port)
            task = asyncio.create_task(
                transport.send(step.request, held.settings, 8.0, before_send=lambda: anyio.sleep(step.hook))
            )
            await _soon(name)
            task.cancel()
            began = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - began < 4
            assert await closed(held, before | full)
            assert surroundings is None
            await held.again(transport)


@pytest.mark.parametrize("name", STEPS)
async def test_a_client_that_is_closed(way: Way, name: str) -> None:
    step = STEPS[name]
    with ExitStack() as stack:
        held = Held(stack, step, way)
        async with held.opened() as provider:
            transport = Transport(provider)
            before = client_sockets(held.port)

            async def end() -> None:
                await _soon(name)
                with anyio.CancelScope(shield=True):
                    await transport.aclose()

            with pytest.raises(ExceptionGroup) as caught:
                await held.call(transport, end)
            (error,) = caught.value.exceptions
            assert isinstance(error, ClientClosedError), repr(error)
            assert "closed" in str(error)
            assert error.sent is step.sent
            assert held.seconds < 1.5
            assert await closed(held, before)
            with pytest.raises(ClientClosedError):
                await held.again(transport)


async def test_a_late_answer_reaches_no_other_call(way: Way) -> None:
    def play(peer: Peer) -> None:
        for _ in peer:
            peer.pause(0.2 if peer.number == 1 else 0)
            peer.send(answer(peer.number))

    with Server(play) as server:
        origin = f"http://127.0.0.1:{server.port}"
        settings = settings_for(origin)
        async with opened(way, origin) as provider:
            transport = Transport(provider)
            with anyio.move_on_after(0.1):
                await transport.send(POST, settings)
            await anyio.sleep(0.2)
            for _ in range(3):
                assert (await transport.send(POST, settings)).body == b"2"
