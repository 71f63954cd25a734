"""Whose refusals of a token count: one who refuses everything must not have a token refreshed for each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .settings import Clock

_PAUSE_SECONDS: Final = 10.0


class Refusals:
    """Who refused a session's tokens of late."""

    def __init__(self, clock: Clock) -> None:
        self._now = clock.monotonic
        self._pauses: dict[str, float] = {}

    def counts(self, by: str | None) -> bool:
        """Whether this refusal counts; if so, the next ones of the same API do not for a while.

        Args:
            by: the API's name; None for one who asks for himself, and is always believed.
        """
        if by is None:
            return True
        now = self._now()
        self._pauses = {name: until for name, until in self._pauses.items() if now < until}
        if by in self._pauses:
            return False
        self._pauses[by] = now + _PAUSE_SECONDS
        return True
