"""The subscribers of events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock

from attrs import define, field, frozen

from .shared_event import SharedEvent, Waiters


@frozen
class Closing:
    """A close code for a subscriber."""

    code: int


@define(eq=False)
class Subscriber:
    """One connection and its queue, to which any thread may add."""

    event_code: str
    user_id: str
    dropped: SharedEvent = field(factory=SharedEvent, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    _queue: deque[str | Closing] = field(factory=deque, init=False, repr=False)
    _arrived: SharedEvent = field(factory=SharedEvent, init=False, repr=False)

    def put(self, item: str | Closing) -> None:
        """Add to the queue."""
        with self._lock:
            self._queue.append(item)
            self._arrived.set()

    async def take(self) -> str | Closing:
        """Wait for the next of the queue."""
        while True:
            with self._lock:
                if self._queue:
                    return self._queue.popleft()
                self._arrived = arrived = SharedEvent()
            await arrived.wait()


class Events:
    """Publishes events to the current subscribers of their code; nothing is kept for later."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._subscribers: list[Subscriber] = []
        self._waiters = Waiters()

    def publish(self, event_code: str, message: str, *, user_id: str | None = None) -> int:
        """Send a text to the subscribers of an event code.

        Args:
            event_code: the code that they subscribed to.
            message: the text, as it is; GenAuth's are JSON.
            user_id: the user whose connections receive it; None for all.

        Returns:
            The number of receivers.

        Raises:
            UnicodeEncodeError: the text contains a lone surrogate.
        """
        message.encode()
        with self._lock:
            receivers = [
                subscriber
                for subscriber in self._subscribers
                if subscriber.event_code == event_code and user_id in {None, subscriber.user_id}
            ]
            for subscriber in receivers:
                subscriber.put(message)
        return len(receivers)

    def subscribers(self, event_code: str) -> int:
        """Return the number of connections that receive this event code."""
        with self._lock:
            return self._count(event_code)

    async def wait_subscribed(self, event_code: str, count: int = 1) -> None:
        """Return once this many connections receive an event code, on asyncio or trio."""
        await self._once(lambda: self._count(event_code) >= count).wait()

    def wait_subscribed_blocking(self, event_code: str, count: int = 1, *, timeout: float = 10) -> None:
        """Do the same in code that is not async.

        Raises:
            TimeoutError: fewer did within this many seconds.
        """
        if not self._once(lambda: self._count(event_code) >= count).wait_blocking(timeout):
            raise TimeoutError(f"fewer than {count} connections subscribed to {event_code} within {timeout} s")

    async def wait_unsubscribed(self, event_code: str) -> None:
        """Return once no connection receives an event code, on asyncio or trio."""
        await self._once(lambda: self._count(event_code) == 0).wait()

    def drop_connections(self) -> int:
        """Break every subscriber's connection without a close frame, as a network does.

        Returns:
            The number of connections.
        """
        present = self._take_all()
        for subscriber in present:
            subscriber.dropped.set()
        return len(present)

    def close_connections(self, close_code: int = 1001) -> int:
        """Close every subscriber's connection properly, after all published events.

        Args:
            close_code: the status code (RFC 6455 section 7.4), such as 1001 for a server that restarts.

        Returns:
            The number of connections.
        """
        present = self._take_all()
        for subscriber in present:
            subscriber.put(Closing(close_code))
        return len(present)

    def add(self, event_code: str, user_id: str) -> Subscriber:
        """Add a connection that receives an event code."""
        subscriber = Subscriber(event_code, user_id)
        with self._lock:
            self._subscribers.append(subscriber)
            self._waiters.notify()
        return subscriber

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a connection."""
        with self._lock:
            self._subscribers = [other for other in self._subscribers if other is not subscriber]
            self._waiters.notify()

    def _take_all(self) -> list[Subscriber]:
        with self._lock:
            present, self._subscribers = self._subscribers, []
            self._waiters.notify()
        return present

    def _count(self, event_code: str) -> int:
        return sum(subscriber.event_code == event_code for subscriber in self._subscribers)

    def _once(self, condition: Callable[[], bool]) -> SharedEvent:
        with self._lock:
            return self._waiters.once(condition)

    def __repr__(self) -> str:
        return f"<Events: {len(self._subscribers)} connections>"
