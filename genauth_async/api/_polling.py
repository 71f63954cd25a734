"""Polling until a state is final."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

from .._arguments.numbers import is_number, shown
from ..errors import (
    ConfigurationError,
    GenAuthError,
    InvalidResponseError,
    RateLimitedError,
    ServerError,
    TransportError,
    WaitTimeoutError,
)
from ..settings import Clock
from ..stream import Stream

_T = TypeVar("_T")

DEFAULT_INTERVAL: Final = 2.0
DEFAULT_WAIT: Final = 300.0
_FINAL: Final = frozenset({"AUTHORIZED", "CANCELLED", "EXPIRED", "ERROR"})
_SLOW_DOWN_SECONDS: Final = 5.0  # RFC 8628 section 3.5


class Polling(Stream[_T]):
    """Iterate over the states of a resource, each once, up to a final one.

    The first request is sent at once. Transient failures do not end it: no or a broken response, a server error, a
    rate limit. A rate limit makes the interval longer.

    Args:
        check: reads the present state.
        status_of: reads the status of a state; equal statuses are one state.
        final: the statuses that end the iteration.
        clock: the source of time.
        interval: seconds between a response and the next request.
        wait: seconds in total, from the first call on, cancelled ones included.

    Raises:
        ConfigurationError: a time is not above 0.
        WaitTimeoutError: no final state came in time.
    """

    def __init__(
        self,
        check: Callable[[], Awaitable[_T]],
        status_of: Callable[[_T], str],
        final: frozenset[str] = _FINAL,
        *,
        clock: Clock,
        interval: float = DEFAULT_INTERVAL,
        wait: float = DEFAULT_WAIT,
    ) -> None:
        super().__init__()
        if not is_number(interval) or not 0 < interval < math.inf:
            raise ConfigurationError("interval", f"is in seconds, above 0, not {shown(interval)}")
        if not is_number(wait) or not wait > 0:
            raise ConfigurationError("wait", f"is in seconds, above 0, not {shown(wait)}")
        self._check = check
        self._status_of = status_of
        self._final = final
        self._now = clock.monotonic
        self._interval = interval
        self._wait = wait
        self._status: str | None = None
        self._failure: GenAuthError | None = None
        self._due = -math.inf
        self._deadline: float | None = None

    async def _next(self) -> _T:
        if self._status in self._final:
            raise StopAsyncIteration
        if self._deadline is None:
            self._deadline = self._now() + self._wait
        left = self._deadline - self._now()
        while left > 0:
            with anyio.move_on_after(left) as scope:
                await anyio.sleep(max(0.0, self._due - self._now()))
                for state in await self._asked():
                    self._status, before = self._status_of(state), self._status
                    if self._status != before:
                        return state
            left = 0.0 if scope.cancelled_caught else self._deadline - self._now()
        seen = "no state was received" if self._status is None else f"the last one was {self._status}"
        raise WaitTimeoutError(f"No final state within {self._wait:g} s: {seen}") from self._failure

    async def _asked(self) -> list[_T]:
        """Read the present state; none if the server cannot be asked now."""
        pause = self._interval
        try:
            return [await self._check()]
        except RateLimitedError as error:
            self._failure = error
            self._interval += _SLOW_DOWN_SECONDS
            pause = max(error.retry_after or 0.0, self._interval)
        except (TransportError, ServerError, InvalidResponseError) as error:
            self._failure = error
        finally:
            # However it went, or was cancelled: a caller that tries again at once must not hurry the server.
            self._due = self._now() + pause
        return []
