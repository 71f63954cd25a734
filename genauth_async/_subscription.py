"""A subscription to events: a WebSocket that is made anew when it breaks."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from secrets import SystemRandom
from typing import Final

import anyio
from attrs import evolve

from ._request import Repeat
from ._retry import Outcome, RetryPolicy, wait_before_retry
from ._websocket import WebSocket
from .errors import GenAuthAPIError, GenAuthError, InvalidResponseError, TransportError
from .stream import Stream

_log: Final = logging.getLogger(__name__)
_random: Final = SystemRandom()
# How long a connection has to last for its end to count as a first failure, and not as one more of a row.
_STEADY_SECONDS: Final = 5.0
_TRIES_COUNTED: Final = 32


class Subscription(Stream[str]):
    """The events of a subscription, in the order in which the server sends them.

    It connects when the first one is asked for, and holds a connection open from then on: leave it with `async with`,
    or call `aclose`. A broken connection is made anew; events of the time in between are lost. It ends only when it is
    closed.

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
        self._socket: WebSocket | None = None
        self._was_connected = False
        self._connected_at = 0.0
        self._failures = 0
        self._failing_since = 0.0
        self._due = 0.0

    async def tend_during(self, work: Awaitable[None]) -> None:
        """Gives the server signs of life, and reads ahead, until the work on an event is done."""
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            if self._socket is not None:
                group.start_soon(self._socket.tend)
            try:
                await work
            except Exception as error:  # noqa: BLE001 - out here it would be raised within a group
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _next(self) -> str:
        text = None
        while text is None:
            text = await self._try()
        self._failures = 0
        return text

    async def _close(self) -> None:
        await self._drop()

    async def _try(self) -> str | None:
        """The next event, or None if the connection failed and another one is to be tried."""
        try:
            socket = await self._open()
            return await socket.receive()
        except GenAuthError as error:
            await self._drop()
            self._wait_or_raise(error)
            return None

    async def _open(self) -> WebSocket:
        if self._socket is None:
            if self._failures:
                await anyio.sleep_until(self._due)
            self._socket = await self._connect()
            self._was_connected = True
            self._connected_at = anyio.current_time()
        return self._socket

    async def _drop(self) -> None:
        socket, self._socket = self._socket, None
        if socket is None:
            return
        if anyio.current_time() - self._connected_at >= _STEADY_SECONDS:
            self._failures = 0
        await socket.aclose()

    def _wait_or_raise(self, error: GenAuthError) -> None:
        """Sets when to connect again, or raises the error if that is of no use; the call after that starts afresh."""
        now = anyio.current_time()
        if not self._failures:
            self._failing_since = now
        self._failures = min(self._failures + 1, _TRIES_COUNTED - 1)
        policy = self._later if self._was_connected else self._first
        wait = wait_before_retry(policy, Repeat.SAFE, self._failures, _outcome(error), _random.random)
        if wait is None or (self._was_connected and now + wait - self._failing_since >= self._seconds):
            self._failures = 0
            raise error
        self._due = now + wait
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
