"""Requests that wait inside the emulator until a test lets them go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock
from typing import TYPE_CHECKING, Protocol, cast

import anyio
from anyio.lowlevel import current_token

if TYPE_CHECKING:
    from typing import Self


class _TrioToken(Protocol):
    def run_sync_soon(self, sync_fn: Callable[[], object]) -> None: ...


def _waker(event: anyio.Event) -> Callable[[], object]:
    """A function that any thread may call to set an event of the running loop."""
    loop = current_token().native_token
    if isinstance(loop, asyncio.AbstractEventLoop):
        return lambda: loop.call_soon_threadsafe(event.set)
    return lambda: cast("_TrioToken", loop).run_sync_soon(event.set)


class SharedEvent:
    """An event that threads and event loops of any kind can set and wait for, together."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._event = Event()
        self._wakers: list[Callable[[], object]] = []

    def set(self) -> None:
        with self._lock:
            self._event.set()
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            with suppress(RuntimeError):  # the loop that waited has ended
                wake()

    async def wait(self) -> None:
        event = anyio.Event()
        with self._lock:
            if self._event.is_set():
                return
            self._wakers.append(_waker(event))
        await event.wait()

    def wait_blocking(self, timeout: float) -> bool:
        return self._event.wait(timeout)


class Hold:
    """Keeps requests waiting; a test sees them arrive and releases them, so that it needs no sleeps.

    with emulator.faults.hold("/oidc/token") as hold:
        ...  # start the request in another task or thread
        await hold.wait_arrived()
        ...  # the request is now inside the emulator, and will stay there until the block ends
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._arrived = 0
        self._awaited: list[tuple[int, SharedEvent]] = []
        self._released = SharedEvent()

    @property
    def arrived(self) -> int:
        """How many requests have reached the hold so far."""
        return self._arrived

    async def wait_arrived(self, count: int = 1) -> None:
        """Return once this many requests have arrived, on asyncio or trio."""
        await self._arrival_of(count).wait()

    def wait_arrived_blocking(self, count: int = 1, *, timeout: float = 10) -> None:
        """The same for code that is not async.

        Raises:
            TimeoutError: fewer requests arrived in this many seconds.
        """
        if not self._arrival_of(count).wait_blocking(timeout):
            raise TimeoutError(f"{self._arrived} of {count} requests arrived at the hold within {timeout} s")

    def release(self) -> None:
        """Let the waiting requests go on, and later ones pass."""
        self._released.set()

    async def detain(self) -> None:
        """Keep the calling request until the release."""
        with self._lock:
            self._arrived += 1
            reached = [event for count, event in self._awaited if count <= self._arrived]
        for event in reached:
            event.set()
        await self._released.wait()

    def _arrival_of(self, count: int) -> SharedEvent:
        event = SharedEvent()
        with self._lock:
            self._awaited.append((count, event))
            reached = count <= self._arrived
        if reached:
            event.set()
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()
