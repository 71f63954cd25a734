"""Subscription to events: a WebSocket that reconnects."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from secrets import SystemRandom
from typing import Final

import anyio
from anyio import ResourceGuard
from attrs import define, evolve

from .._core.per_loop import PerLoop
from .._core.shielding import run_shielded
from .._http.retry import Outcome, wait_before_retry
from .._wire.request import Idempotency
from ..errors import GenAuthAPIError, GenAuthError, InvalidResponseError, TransportError
from ..settings import RetryPolicy
from ..stream import Stream
from .connection import WebSocket

_log: Final = logging.getLogger(__name__)
_random: Final = SystemRandom()
# A connection that lasted this long ends the count of consecutive failures. An event does not: a server that sends one
# and closes would be connected to without a pause.
_STEADY_SECONDS: Final = 5.0
_MAX_ATTEMPTS: Final = 32


@define(eq=False)
class _ConnectionState:
    """The connection of one event loop and its attempts to connect, with times of that loop's clock."""

    socket: WebSocket | None = None
    is_awaited: bool = False
    was_connected: bool = False
    connected_at: float = 0.0
    failures: int = 0
    failing_since: float = 0.0
    retry_at: float = 0.0


class Subscription(Stream[str]):
    """The events of a subscription, in the order in which the server sends them.

    It connects when the first event is awaited, and holds the connection open: leave it with `async with`, or call
    `aclose`. It replaces a broken connection; events sent in between are lost. It ends only when it is closed.

    A connection belongs to one event loop and process: on another loop, and in a forked child, the stream opens its
    own. Closing the stream ends it on every loop. A connection of another loop is closed there, by `aclose` or the next
    wait; a wait under way there ends with the next event or failure.

    Args:
        connect: opens a connection.
        retry: the attempts at the first connection, and the waits between attempts.
        reconnect_for: seconds for which to retry while no connection lasts 5 seconds; None for ever.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[WebSocket]], retry: RetryPolicy, reconnect_for: float | None
    ) -> None:
        super().__init__()
        self._connect = connect
        self._first_retry = retry
        self._reconnect_retry = evolve(retry, attempts=_MAX_ATTEMPTS)
        self._reconnect_for = math.inf if reconnect_for is None else reconnect_for
        self._states = PerLoop(_ConnectionState)
        self._pid = os.getpid()

    async def __anext__(self) -> str:
        if self._pid != os.getpid():
            # A thread of the parent process may have held the guard at the fork; here it never leaves.
            self._guard = ResourceGuard("waiting for the next item of")
            self._pid = os.getpid()
        if self._ended:
            await run_shielded(self._drop)  # in case another loop closed it
        return await super().__anext__()

    async def keep_alive_during(self, work: Awaitable[None]) -> None:
        """Await the work on an event; meanwhile, read ahead and exchange pings with the server."""
        socket = self._states.get().socket
        failure: BaseException | None = None
        async with anyio.create_task_group() as group:
            if socket is not None:
                group.start_soon(socket.keep_alive)
            try:
                await work
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException as error:  # noqa: BLE001 - the task group would wrap it
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _next(self) -> str:
        state = self._states.get()
        state.is_awaited = True
        try:
            text = None
            while text is None:
                if self._ended:  # by another loop
                    raise StopAsyncIteration
                text = await self._try(state)
        finally:
            state.is_awaited = False
        return text

    async def _shut(self) -> None:
        # Cancels a wait on this loop only, not one of another loop or of the parent process.
        if self._states.get().is_awaited:
            await super()._shut()
        await self._drop()

    async def _try(self, state: _ConnectionState) -> str | None:
        """Return the next event, or None if the connection failed and another attempt is due."""
        try:
            socket = await self._open(state)
            return await socket.receive()
        except GenAuthError as error:
            await self._drop()
            self._wait_or_raise(state, error)
            return None

    async def _open(self, state: _ConnectionState) -> WebSocket:
        if state.socket is None:
            if state.failures:
                await anyio.sleep_until(state.retry_at)
            state.socket = await self._connect()
            state.was_connected = True
            state.connected_at = anyio.current_time()
        return state.socket

    async def _drop(self) -> None:
        """Close this loop's connection."""
        state = self._states.get()
        socket, state.socket = state.socket, None
        if socket is None:
            return
        if anyio.current_time() - state.connected_at >= _STEADY_SECONDS:
            state.failures = 0
        await socket.aclose()

    def _wait_or_raise(self, state: _ConnectionState, error: GenAuthError) -> None:
        """Set the time of the next attempt, or raise the error if none is due; the next call starts afresh."""
        now = anyio.current_time()
        if not state.failures:
            state.failing_since = now
        state.failures = min(state.failures + 1, _MAX_ATTEMPTS - 1)
        policy = self._reconnect_retry if state.was_connected else self._first_retry
        wait = wait_before_retry(policy, Idempotency.SAFE, state.failures, _outcome(error), _random.random)
        if wait is None or (state.was_connected and now + wait - state.failing_since >= self._reconnect_for):
            state.failures = 0
            raise error
        state.retry_at = now + wait
        _log.warning("%s; reconnecting in %.1f s", error, wait)


def _outcome(error: GenAuthError) -> Outcome:
    """Return the outcome of an attempt for the retry rules."""
    if isinstance(error, TransportError):
        return Outcome(sent=error.sent)
    status: int = HTTPStatus.BAD_REQUEST
    if isinstance(error, GenAuthAPIError):
        status = error.status_code
    elif isinstance(error, InvalidResponseError):
        status = error.http_status
    # A gateway answers 500, 502, 503 or 504 while the server behind it restarts.
    unavailable = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return Outcome(status=None if unavailable else status, retry_after=getattr(error, "retry_after", None))
