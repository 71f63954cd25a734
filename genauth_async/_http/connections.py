"""The connections of one event loop: idle ones are kept for the next request, and closed in time."""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context
from time import monotonic
from typing import Final, Protocol

from anyio import CancelScope, sleep
from anyio.lowlevel import cancel_shielded_checkpoint
from sniffio import current_async_library

from .attempt import Attempt, Outgoing

# If the server closes a connection while a request is being written, its outcome is unknown. Servers close idle
# connections after 5 s or more, so ours are closed before that.
_IDLE_SECONDS: Final = 4.0
_STEP_SECONDS: Final = 0.2


class Connection(Protocol):
    """One connection of an HTTP library."""

    def is_clean(self) -> bool:
        """Return whether it is open, and nothing has arrived since the last answer, as far as the event loop knows."""
        ...

    def is_readable(self) -> bool:
        """Return whether something has arrived, or the end of the stream, that the event loop has not read yet."""
        ...

    async def exchange(self, outgoing: Outgoing, attempt: Attempt) -> None:
        """Send a request and read its answer."""

    async def aclose(self) -> None:
        """Close it, even if the caller is cancelled."""


Connect = Callable[[], Awaitable[Connection]]


class Connections:
    """A carrier with a connection for each concurrent request. The caller limits their number.

    The pools of the HTTP libraries lose places for cancelled requests, and become slow with hundreds.
    """

    def __init__(self, connect: Connect, via: str = "") -> None:
        """Start without connections.

        Args:
            connect: opens one; the attempt's scope limits its time.
            via: the proxy, for messages.
        """
        self.via = via
        self._connect = connect
        self._is_closed = self._is_closing_idle = False
        # With the time until which it is kept. The last used one is used next, so that surplus ones expire.
        self._idle: deque[tuple[float, Connection]] = deque()

    async def exchange(self, outgoing: Outgoing, attempt: Attempt) -> None:
        """Send a request and read its answer."""
        connection = None
        if not outgoing.single_use:
            connection = await self._take_idle()
        elif self._idle:
            await _close(self._idle.popleft()[1])  # the new one replaces it, or their number would grow
        if connection is None:
            attempt.enter("connect")
            connection = await self._connect()
        try:
            await connection.exchange(outgoing, attempt)
        except BaseException:
            await _close(connection)
            raise
        if self._is_closed or not connection.is_clean():
            await _close(connection)
        else:
            self._idle.append((monotonic() + _IDLE_SECONDS, connection))
            self._close_idle_in_time()

    async def _take_idle(self) -> Connection | None:
        while self._idle:
            until, connection = self._idle.pop()
            if monotonic() < until and connection.is_clean() and not connection.is_readable():
                return connection
            await _close(connection)
        return None

    def _close_idle_in_time(self) -> None:
        if self._is_closing_idle:
            return
        self._is_closing_idle = True
        seconds = max(_STEP_SECONDS, self._idle[0][0] - monotonic())
        if current_async_library() == "asyncio":
            # A timer, not a task: the loop may end at any time, and would complain of a task that has not.
            loop = asyncio.get_running_loop()
            loop.call_later(seconds, lambda: loop.create_task(self._close_idle()), context=Context())
        else:
            import trio

            trio.lowlevel.spawn_system_task(self._sleep_and_close_idle, seconds, context=Context())

    async def _sleep_and_close_idle(self, seconds: float) -> None:
        await sleep(seconds)
        await self._close_idle()

    async def _close_idle(self) -> None:
        self._is_closing_idle = False
        while self._idle and (self._is_closed or self._idle[0][0] <= monotonic()):
            await _close(self._idle.popleft()[1])
        if self._idle:
            self._close_idle_in_time()

    async def aclose(self) -> None:
        """Close the idle connections; those in use are closed by their requests."""
        self._is_closed = True
        await self._close_idle()
        await cancel_shielded_checkpoint()  # asyncio closes a socket in the next step of its loop
        await cancel_shielded_checkpoint()


async def _close(connection: Connection) -> None:
    with CancelScope(shield=True):
        await connection.aclose()


def is_readable(descriptor: int) -> bool:
    """Return whether bytes, or the end of the stream, wait at a socket that the event loop has not read yet."""
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([descriptor], [], [], 0)[0])
    sockets = select.poll()
    sockets.register(descriptor, select.POLLIN)
    return bool(sockets.poll(0))
