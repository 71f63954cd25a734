"""The emulator in a process of its own, so that what is measured is the client's alone."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genauth_async.emulator import Emulator

REFRESH_TIMEOUT = 2.0
TWICE = "refresh tokens under way twice"
_TOKEN_ENDPOINT = "/oidc/token"
# In turn: the server fails; it processes requests, and the answers come too late; a gateway says that it is away.
_OUTAGES: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"reply_latency": REFRESH_TIMEOUT + 1},
    {"status": 503, "body": "<html>Back soon</html>"},
)
PASSWORD = "passw0rd-Soak"


class Server:
    """Asks the process, which answers as long as it lives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.url, self.app_id, self.app_secret = connection.recv()

    def statistics(self) -> dict[str, int]:
        self._connection.send("statistics")
        found: dict[str, int] = self._connection.recv()
        return found


@contextmanager
def server(users: int, token_seconds: int, faults: float, outage_seconds: float) -> Iterator[Server]:
    """Serve users; a share of the requests goes wrong, and the token endpoint is down for a third of the time.

    Args:
        users: their number; they are called user0, user1, ...
        token_seconds: an access token's life.
        faults: the share, from 0 to 1.
        outage_seconds: the length of one outage.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, users, token_seconds, faults, outage_seconds), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Server(ours)
    finally:
        ours.close()
        process.join(10)


class _UnderWay:
    """An ASGI application that counts refresh tokens which come before the last request with them is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tokens: Counter[bytes] = Counter()
        self.twice = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != _TOKEN_ENDPOINT:
            await self._app(scope, receive, send)
            return
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        messages: list[Message] = [{"type": "http.request", "body": body}]
        token = parse_qs(body).get(b"refresh_token", [b""])[0]
        under_way = [token]
        self.twice += self._tokens[token] > 0
        self._tokens[token] += 1

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        async def answer(message: Message) -> None:
            self._tokens -= Counter(under_way)
            under_way.clear()
            await send(message)

        try:
            await self._app(scope, receive_again, answer)
        finally:
            self._tokens -= Counter(under_way)


def _serve(connection: Connection, users: int, token_seconds: int, faults: float, outage_seconds: float) -> None:
    is_over = threading.Event()
    emulator = Emulator(
        access_token_lifetime=token_seconds,
        id_token_alg="RS256",
        refresh_tokens="rotate_with_grace",
        refresh_token_grace=24 * 60 * 60,
    )
    emulator._server._app = under_way = _UnderWay(emulator.app)
    with emulator:
        for number in range(users):
            emulator.add_user(username=f"user{number}", password=PASSWORD)
        if faults:
            _add_faults(emulator, faults)
        connection.send((emulator.url, emulator.app_id, emulator.app_secret))
        outages = threading.Thread(target=_fail_in_turn, args=(emulator, outage_seconds, is_over))
        outages.start()
        try:
            while connection.recv() == "statistics":
                presented = emulator.grants.presented().values()
                connection.send(
                    {
                        "requests": emulator.requests.total,
                        "refreshes": emulator.requests[_TOKEN_ENDPOINT],
                        "refresh tokens sent again after their answer was lost": sum(times > 1 for times in presented),
                        TWICE: under_way.twice,
                    }
                )
        except EOFError:
            pass  # the client has left
        is_over.set()
        outages.join()


def _fail_in_turn(emulator: Emulator, seconds: float, is_over: threading.Event) -> None:
    for outage in cycle(_OUTAGES):
        if is_over.wait(2 * seconds):
            return
        fault = emulator.faults.add(_TOKEN_ENDPOINT, **outage, times=None)
        is_over.wait(seconds)
        emulator.faults.remove(fault)


def _add_faults(emulator: Emulator, share: float) -> None:
    kinds: list[dict[str, Any]] = [
        {"status": 503},
        {"retry_after": 1},
        {"status": 500},
        {"drop": True},
        {"lose_reply": True},
        {"truncate": True},
        {"latency": 0.3},
        {"reply_latency": 0.3},
    ]
    for seed, kind in enumerate(kinds):
        emulator.faults.add("*", **kind, times=None, probability=share / len(kinds), seed=seed)
