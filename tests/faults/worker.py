"""A process that has a session in a shared store, and asks for tokens when it gets a command."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any, Final, TypeAlias

import anyio
import anyio.to_thread
from attrs import field, frozen

import genauth_sync
from genauth_async import AuthenticationClient, GenAuthError
from genauth_async.stores import FileStore, RedisStore

Ask: TypeAlias = Callable[[str], Awaitable[str]]
"""Gives a token, as the command says."""

STOPPED: Final = "stopped"
TERMINATING: Final = "terminating"


@frozen(kw_only=True)
class Plan:
    """The orders that a worker gets at its start.

    Attributes:
        place: the directory of a FileStore, or the URL of a Redis server.
        options: of the store.
        refresh_timeout: of the client.
        resends: the client's resend_refresh_token.
        backend: an event loop, or "sync" for the blocking client.
        tokens: what the session is made with; None for what the store has.
    """

    url: str
    app_id: str
    app_secret: str = field(repr=False)
    place: str = field(repr=False)
    options: Mapping[str, object]
    key: str
    refresh_timeout: float
    resends: bool
    backend: str
    tokens: Mapping[str, object] | None = field(default=None, repr=False)

    def client_options(self) -> dict[str, Any]:
        """Return the options of the client."""
        return {"refresh_timeout": self.refresh_timeout, "resend_refresh_token": self.resends}


Asking: TypeAlias = Callable[[Plan], AbstractAsyncContextManager[Ask]]
"""Makes a client and a session for as long as callers ask."""


@frozen
class Answer:
    """The answer to a caller: a token, or an error."""

    token: str | None = field(default=None, repr=False)
    error: str | None = None
    message: str = ""
    outcome_unknown: bool = False
    reason: str | None = None


@frozen
class StopAt:
    """Has the process stand still where a file is written for the n-th time, until it gets the command to go on.

    The interpreter tells its audit hooks of each file that it opens or renames, so nothing is replaced.
    """

    event: str
    write: int


class Stops:
    """An audit hook that stands still."""

    def __init__(self, connection: Connection, directory: str) -> None:
        self._connection = connection
        self._directory = directory
        self._at: StopAt | None = None
        self._seen = 0
        self._going_on = threading.Event()

    def set(self, at: StopAt) -> None:
        self._at = at

    def resume(self) -> None:
        self._going_on.set()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._at is None or event != self._at.event or not self._is_of_a_record(event, arguments[0]):
            return
        self._seen += 1
        if self._seen == self._at.write:
            self._connection.send(STOPPED)
            self._going_on.wait()

    def _is_of_a_record(self, event: str, path: object) -> bool:
        # The directory itself is opened once a record has its new name.
        text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else ""
        return text == self._directory if event == "open" else text.startswith(self._directory)


def main(connection: Connection, plan: Plan) -> None:
    """Serves until the other end is closed, or until a SIGTERM."""
    stops = Stops(connection, plan.place)
    sys.addaudithook(stops)
    if plan.backend == "sync":
        anyio.run(_serve, connection, plan, stops, _asking_blocking)
    else:
        anyio.run(_serve, connection, plan, stops, _asking, backend=plan.backend)


async def _serve(connection: Connection, plan: Plan, stops: Stops, asking: Asking) -> None:
    async with asking(plan) as ask, anyio.create_task_group() as tasks:
        tasks.start_soon(_end_when_terminated, connection, tasks.cancel_scope)
        connection.send("ready")
        while (command := await _received(connection)) != "end":
            if isinstance(command, StopAt):
                stops.set(command)
            elif command == "go on":
                stops.resume()
            else:
                tasks.start_soon(_answer, connection, ask, str(command))
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def _asking(plan: Plan) -> AsyncIterator[Ask]:
    store = _store(plan)
    async with AuthenticationClient(plan.app_id, plan.url, plan.app_secret, **plan.client_options()) as client:
        session = client.session(plan.tokens, store=store, key=plan.key)

        async def ask(command: str) -> str:
            return await session.access_token() if command == "ask" else (await session.refresh()).access_token

        yield ask
    if isinstance(store, RedisStore):
        await store.aclose()


@asynccontextmanager
async def _asking_blocking(plan: Plan) -> AsyncIterator[Ask]:
    client = genauth_sync.AuthenticationClient(plan.app_id, plan.url, plan.app_secret, **plan.client_options())
    session = client.session(plan.tokens, store=_store(plan), key=plan.key)

    def ask_blocking(command: str) -> str:
        return session.access_token() if command == "ask" else session.refresh().access_token

    async def ask(command: str) -> str:
        return await anyio.to_thread.run_sync(ask_blocking, command)

    yield ask
    await anyio.to_thread.run_sync(client.close)


def _store(plan: Plan) -> FileStore | RedisStore:
    kind = RedisStore if plan.place.startswith("redis:") else FileStore
    return kind(plan.place, **plan.options)  # type: ignore[arg-type]


async def _received(connection: Connection) -> object:
    await anyio.wait_readable(connection.fileno())
    try:
        return connection.recv()
    except EOFError:
        return "end"


async def _answer(connection: Connection, ask: Ask, command: str) -> None:
    try:
        answer = Answer(await ask(command))
    except GenAuthError as error:
        unknown, reason = getattr(error, "outcome_unknown", False), getattr(error, "reason", None)
        answer = Answer(None, type(error).__name__, str(error), unknown, reason)
    connection.send(answer)


async def _end_when_terminated(connection: Connection, scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            connection.send(TERMINATING)
            scope.cancel()
