"""Requests that wait inside the emulator until a test releases them."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from ..state.shared_event import SharedEvent, Waiters

if TYPE_CHECKING:
    from typing import Self


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
        self._waiters = Waiters()
        self._released = SharedEvent()

    @property
    def arrived(self) -> int:
        """The number of requests that have reached the hold so far."""
        return self._arrived

    async def wait_arrived(self, count: int = 1) -> None:
        """Return once this many requests have arrived, on asyncio or trio."""
        await self._arrival_of(count).wait()

    def wait_arrived_blocking(self, count: int = 1, *, timeout: float = 10) -> None:
        """Do the same in code that is not async.

        Raises:
            TimeoutError: fewer requests arrived in this many seconds.
        """
        if not self._arrival_of(count).wait_blocking(timeout):
            raise TimeoutError(f"{self._arrived} of {count} requests arrived at the hold within {timeout} s")

    def release(self) -> None:
        """Release the waiting requests; later ones pass."""
        self._released.set()

    async def wait(self) -> None:
        """Keep the calling request until the release."""
        with self._lock:
            self._arrived += 1
            self._waiters.notify()
        await self._released.wait()

    def _arrival_of(self, count: int) -> SharedEvent:
        with self._lock:
            return self._waiters.once(lambda: self._arrived >= count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()
