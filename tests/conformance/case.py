"""A case: the server's part, the calls, and the expected outcome, which is the same for each carrier."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache
from typing import Any, Final, cast

import anyio
import trustme
from attrs import field, frozen

from genauth_async import RetryPolicy
from genauth_async._arguments.timeouts import deadline
from genauth_async._http.transport import Transport
from genauth_async._wire.request import Idempotency, Request
from genauth_async.settings import Settings
from tests.conformance.servers import Play, Server
from tests.conformance.ways import Way, opened

POST: Final = Request(method="POST", path=("p",), json={"n": 1})
GET: Final = Request(method="GET", path=("g",), idempotency=Idempotency.SAFE)
REFRESH: Final = Request(method="POST", path=("r",), form={"refresh_token": "t"}, single_use=True)
HEAD: Final = Request(method=cast(Any, "HEAD"), path=("h",))
LARGE: Final = Request(method="POST", path=("p",), json={"n": "x" * 8_000_000})


@cache
def authority() -> trustme.CA:
    """The certificate authority that the clients trust."""
    return trustme.CA()


@cache
def trusting() -> ssl.SSLContext:
    """The clients' TLS context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(context)
    return context


@frozen(kw_only=True)
class Case:
    """Some calls, made one after another, and their outcome.

    Attributes:
        name: for the test's name and the table.
        play: the server's part on each connection.
        expect: the outcome of each call, as `described` has it.
        calls: the requests; the last is repeated for further outcomes.
        attempts: all attempts of all calls; None where each call takes one.
        connections: that the server accepts; None where this does not matter.
        requests: that reach the server; None where this does not matter.
        pause: seconds between the calls.
        timeout: of each call.
        within: the most seconds for all of it.
        settings: other settings.
        scheme: of the server's URL.
        host: of the server's URL.
        context: the server's TLS context; it plays the handshake before `play`.
        is_proxy: whether the server is a proxy, through which the client sends.
        surroundings: a context manager around the calls, called with the server.
        is_slow: whether `make test` leaves it out.
        own_only: for the carriers that the SDK chooses; given ones have pools, timeouts and addresses of their own.
    """

    name: str
    play: Play
    expect: tuple[str, ...]
    calls: tuple[Request, ...] = (POST,)
    attempts: int | None = None
    connections: int | None = None
    requests: int | None = None
    pause: float = 0.0
    timeout: Any = 1.0
    within: float = 5.0
    settings: Mapping[str, Any] = field(factory=dict)
    scheme: str = "http"
    host: str = "127.0.0.1"
    context: Callable[[], ssl.SSLContext] | None = None
    is_proxy: bool = False
    surroundings: Callable[[Server], AbstractContextManager[object]] = nullcontext
    is_slow: bool = False
    own_only: bool = False

    def __str__(self) -> str:
        return self.name

    def runs(self, way: Way) -> bool:
        """Return whether the case is one for this way."""
        return not (self.own_only and way.is_given)


@frozen(kw_only=True)
class Observed:
    """The outcome.

    Attributes:
        outcomes: of each call.
        attempts: of all calls.
        connections: that the server accepted.
        requests: of which the server read at least the head.
        seconds: that the calls took.
    """

    outcomes: tuple[str, ...]
    attempts: int
    connections: int
    requests: int
    seconds: float = field(eq=False)


class CountingTransport(Transport):
    """Counts the attempts."""

    attempts = 0

    async def _attempt(self, outgoing: Any, attempt: Any) -> Any:
        self.attempts += 1
        return await super()._attempt(outgoing, attempt)


async def run(case: Case, way: Way) -> Observed:
    """Run a case in one way."""
    context = None if case.context is None else case.context()
    with ExitStack() as stack:
        server = stack.enter_context(Server(case.play, context=context))
        stack.enter_context(case.surroundings(server))
        origin = f"{case.scheme}://{case.host}:{server.port}"
        proxy = None
        if case.is_proxy:
            origin, proxy = f"{case.scheme}://{case.host}", f"http://127.0.0.1:{server.port}"
        settings = settings_for(origin, **case.settings)
        async with opened(way, origin, verify=trusting(), proxy=proxy) as provider:
            transport = CountingTransport(provider)
            outcomes: list[str] = []
            began = time.monotonic()
            for number in range(len(case.expect)):
                if number:
                    await anyio.sleep(case.pause)
                request = case.calls[min(number, len(case.calls) - 1)]
                outcomes.append(
                    await described(transport.send(request, settings, deadline_of(case.timeout)), server.port)
                )
            seconds = time.monotonic() - began
    return Observed(
        outcomes=tuple(outcomes),
        attempts=transport.attempts,
        connections=server.connections,
        requests=len(server.requests),
        seconds=seconds,
    )


def expected(case: Case, way: Way, observed: Observed) -> Observed:
    """Return what should have happened; what does not matter is taken from what did."""
    outcomes = case.expect
    if way.is_given:  # its proxy is not known
        outcomes = tuple(outcome.replace("through the proxy 127.0.0.1:PORT: ", "") for outcome in outcomes)
    return Observed(
        outcomes=outcomes,
        attempts=len(case.expect) if case.attempts is None else case.attempts,
        connections=observed.connections if case.connections is None else case.connections,
        requests=observed.requests if case.requests is None else case.requests,
        seconds=observed.seconds,
    )


def settings_for(origin: str, **changes: Any) -> Settings:
    """A client's settings, with two attempts and no wait between them."""
    return Settings(
        **{
            "app_id": "app",
            "app_host": origin,
            "issuer": "i",
            "app_secret": "s",
            "timeout": deadline(1.0),
            "retry": RetryPolicy(attempts=2, backoff=0.0),
            "max_response_bytes": 1_000_000,
            **changes,
        }
    )


def deadline_of(timeout: Any) -> Any:
    """Return a timeout, which a case may give as a function that makes it."""
    return timeout() if callable(timeout) else timeout


async def described(call: Any, port: int) -> str:
    """Await a call; return its status and body, or its error with `sent` and the message."""
    try:
        answer = await call
    except Exception as error:  # noqa: BLE001 - foreign ones are described as well
        sent = getattr(error, "sent", None)
        message = re.sub(r"^\w+ /\w+ at ", "", str(error).replace(str(port), "PORT"))
        message = re.sub(r"^[\w.-]+(:PORT)?(: | (?=through the proxy))", "", message)
        return f"{type(error).__name__}{'' if sent is None else f' sent={sent}'}: {message}"
    body = bytes(answer.body)
    return f"{answer.status} {body.decode('utf-8', 'replace') if len(body) < 100 else f'{len(body)} bytes'}".strip()
