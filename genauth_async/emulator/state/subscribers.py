"""Who receives which events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock

from attrs import define, field, frozen

from .shared_event import SharedEvent


@frozen
class Closing:
    """The server's goodbye to a subscriber."""

    code: int


@define(eq=False)
class Subscriber:
    """One connection, and what is on its way to it. Any thread may add to that."""

    event_code: str
    user_id: str
    dropped: SharedEvent = field(factory=SharedEvent, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)
    _queue: deque[str | Closing] = field(factory=deque, init=False, repr=False)
    _arrived: SharedEvent = field(factory=SharedEvent, init=False, repr=False)

    def put(self, item: str | Closing) -> None:
        """Send this after all that was put before."""
        with self._lock:
            self._queue.append(item)
            self._arrived.set()

    async def take(self) -> str | Closing:
        """The next of what was put."""
        while True:
            with self._lock:
                if self._queue:
                    return self._queue.popleft()
                self._arrived = arrived = SharedEvent()
            await arrived.wait()


class Events:
    """Publishes events to whoever has subscribed to their code at that moment; nothing is kept for later."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._subscribers: list[Subscriber] = []
        self._awaited: list[tuple[Callable[[], bool], SharedEvent]] = []

    def publish(self, event_code: str, message: str, *, user_id: str | None = None) -> int:
        """Send a text to the subscribers of an event code.

        Args:
            event_code: what they subscribed to.
            message: the text, as it is; GenAuth's are JSON.
            user_id: only to this user's; to everyone's when None.

        Returns:
            To how many it was sent.

        Raises:
            UnicodeEncodeError: the text holds half a character, which no connection can carry.
        """
        message.encode()
        with self._lock:
            told = [
                subscriber
                for subscriber in self._subscribers
                if subscriber.event_code == event_code and user_id in {None, subscriber.user_id}
            ]
            for subscriber in told:
                subscriber.put(message)
        return len(told)

    def subscribers(self, event_code: str) -> int:
        """How many connections receive this event code now."""
        with self._lock:
            return self._count(event_code)

    async def wait_subscribed(self, event_code: str, count: int = 1) -> None:
        """Return once this many connections receive an event code, on asyncio or trio."""
        await self._once(lambda: self._count(event_code) >= count).wait()

    def wait_subscribed_blocking(self, event_code: str, count: int = 1, *, timeout: float = 10) -> None:
        """The same for code that is not async.

        Raises:
            TimeoutError: fewer did within this many seconds.
        """
        if not self._once(lambda: self._count(event_code) >= count).wait_blocking(timeout):
            raise TimeoutError(f"fewer than {count} connections subscribed to {event_code} within {timeout} s")

    async def wait_unsubscribed(self, event_code: str) -> None:
        """Return once no connection receives an event code, on asyncio or trio."""
        await self._once(lambda: self._count(event_code) == 0).wait()

    def drop_connections(self) -> int:
        """Break every subscriber's connection at once, without a goodbye, as a network does.

        Returns:
            How many there were.
        """
        with self._lock:
            present = list(self._subscribers)
            self._subscribers.clear()
            self._tell_waiting()
        for subscriber in present:
            subscriber.dropped.set()
        return len(present)

    def close_connections(self, close_code: int = 1001) -> int:
        """Close every subscriber's connection properly, after what was published before.

        Args:
            close_code: the reason in numbers (RFC 6455 section 7.4), such as 1001 for a server that is restarted.

        Returns:
            How many there were.
        """
        with self._lock:
            present = list(self._subscribers)
            self._subscribers.clear()
            self._tell_waiting()
        for subscriber in present:
            subscriber.put(Closing(close_code))
        return len(present)

    def add(self, event_code: str, user_id: str) -> Subscriber:
        """A new connection that receives an event code."""
        subscriber = Subscriber(event_code, user_id)
        with self._lock:
            self._subscribers.append(subscriber)
            self._tell_waiting()
        return subscriber

    def remove(self, subscriber: Subscriber) -> None:
        """A connection that is gone."""
        with self._lock:
            self._subscribers = [other for other in self._subscribers if other is not subscriber]
            self._tell_waiting()

    def _count(self, event_code: str) -> int:
        return sum(subscriber.event_code == event_code for subscriber in self._subscribers)

    def _once(self, condition: Callable[[], bool]) -> SharedEvent:
        event = SharedEvent()
        with self._lock:
            self._awaited.append((condition, event))
            self._tell_waiting()
        return event

    def _tell_waiting(self) -> None:
        waiting, self._awaited = self._awaited, []
        for condition, event in waiting:
            if condition():
                event.set()
            else:
                self._awaited.append((condition, event))

    def __repr__(self) -> str:
        return f"<Events: {len(self._subscribers)} connections>"
