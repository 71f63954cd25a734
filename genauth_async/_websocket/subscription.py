"""A subscription to events: a WebSocket that is made anew when it breaks."""

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
from .._core.shielding import finish
from .._http.retry import Outcome, wait_before_retry
from .._wire.request import Repeat
from ..errors import GenAuthAPIError, GenAuthError, InvalidResponseError, TransportError
from ..settings import RetryPolicy
from ..stream import Stream
from .connection import WebSocket

_log: Final = logging.getLogger(__name__)
_random: Final = SystemRandom()
# How long a connection has to last for its end to count as a first failure, and not as one more of a row.
_STEADY_SECONDS: Final = 5.0
_TRIES_COUNTED: Final = 32


@define(eq=False)
class _Line:
    """The connection on one event loop, and how the tries to make it went. Times are those of that loop."""

    socket: WebSocket | None = None
    is_awaited: bool = False
    was_connected: bool = False
    connected_at: float = 0.0
    failures: int = 0
    failing_since: float = 0.0
    due: float = 0.0


class Subscription(Stream[str]):
    """The events of a subscription, in the order in which the server sends them.

    It connects when the first one is asked for, and holds a connection open from then on: leave it with `async with`,
    or call `aclose`. A broken connection is made anew; events of the time in between are lost. It ends only when it is
    closed.

    A connection stays on the event loop, and in the process, that made it: on another loop and in a forked child the
    stream makes one of its own. Closing it ends it everywhere; connections of other loops are closed there, by `aclose`
    or when an event is asked for, and a wait there ends with the event, or the failure, that comes next.

    Args:
        connect: makes a connection.
        retry: how often the first connection is tried, and the waits between tries to connect.
        reconnect_for: seconds for which a broken connection is tried to be made again; None for ever.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[WebSocket]], retry: RetryPolicy, reconnect_for: float | None
    ) -> None:
        super().__init__()
        self._connect = connect
        self._first = retry
        self._later = evolve(retry, attempts=_TRIES_COUNTED)
        self._seconds = math.inf if reconnect_for is None else reconnect_for
        self._lines = PerLoop(_Line)
        self._pid = os.getpid()

    async def __anext__(self) -> str:
        if self._pid != os.getpid():
            # A thread of the parent's may have been waiting when it forked; here it never leaves.
            self._guard = ResourceGuard("waiting for the next item of")
            self._pid = os.getpid()
        if self._ended:
            await finish(self._drop)  # in case another loop closed it
        return await super().__anext__()

    async def tend_during(self, work: Awaitable[None]) -> None:
        """Gives the server signs of life, and reads ahead, until the work on an event is done."""
        socket = self._lines.get().socket
        failure: BaseException | None = None
        async with anyio.create_task_group() as group:
            if socket is not None:
                group.start_soon(socket.tend)
            try:
                await work
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException as error:  # noqa: BLE001 - out here it would be raised within a group
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _next(self) -> str:
        line = self._lines.get()
        line.is_awaited = True
        try:
            text = None
            while text is None:
                if self._ended:  # by another loop
                    raise StopAsyncIteration
                text = await self._try(line)
        finally:
            line.is_awaited = False
        line.failures = 0
        return text

    async def _shut(self) -> None:
        # Only a wait on this loop can be ended from here; that of another loop, or of the parent, is not touched.
        if self._lines.get().is_awaited:
            await super()._shut()
        await self._drop()

    async def _try(self, line: _Line) -> str | None:
        """The next event, or None if the connection failed and another one is to be tried."""
        try:
            socket = await self._open(line)
            return await socket.receive()
        except GenAuthError as error:
            await self._drop()
            self._wait_or_raise(line, error)
            return None

    async def _open(self, line: _Line) -> WebSocket:
        if line.socket is None:
            if line.failures:
                await anyio.sleep_until(line.due)
            line.socket = await self._connect()
            line.was_connected = True
            line.connected_at = anyio.current_time()
        return line.socket

    async def _drop(self) -> None:
        """Closes this loop's connection."""
        line = self._lines.get()
        socket, line.socket = line.socket, None
        if socket is None:
            return
        if anyio.current_time() - line.connected_at >= _STEADY_SECONDS:
            line.failures = 0
        await socket.aclose()

    def _wait_or_raise(self, line: _Line, error: GenAuthError) -> None:
        """Sets when to connect again, or raises the error if that is of no use; the call after that starts afresh."""
        now = anyio.current_time()
        if not line.failures:
            line.failing_since = now
        line.failures = min(line.failures + 1, _TRIES_COUNTED - 1)
        policy = self._later if line.was_connected else self._first
        wait = wait_before_retry(policy, Repeat.SAFE, line.failures, _outcome(error), _random.random)
        if wait is None or (line.was_connected and now + wait - line.failing_since >= self._seconds):
            line.failures = 0
            raise error
        line.due = now + wait
        _log.warning("%s; connecting again in %.1f s", error, wait)


def _outcome(error: GenAuthError) -> Outcome:
    """How a try ended, as the rules for trying again see it."""
    if isinstance(error, TransportError):
        return Outcome(sent=error.sent)
    status: int = HTTPStatus.BAD_REQUEST
    if isinstance(error, GenAuthAPIError):
        status = error.status_code
    elif isinstance(error, InvalidResponseError):
        status = error.http_status
    # A gateway in front of a server that is being restarted says 500, 502, 503 or 504.
    unavailable = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return Outcome(status=None if unavailable else status, retry_after=getattr(error, "retry_after", None))
