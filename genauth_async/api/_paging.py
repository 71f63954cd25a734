"""Paged lists."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ..errors import ConfigurationError
from ..stream import Stream

_T = TypeVar("_T")


class Pages(Stream[_T]):
    """Iterate over the items of all pages. A page is fetched when its first item is asked for.

    Args:
        fetch: gets a page by its number, from 1 on: its items, and how many there are on all pages, if that is told.
        limit: how many items a full page has.

    Raises:
        ConfigurationError: the limit is below 1.
    """

    def __init__(self, fetch: Callable[[int], Awaitable[tuple[Sequence[_T], int | None]]], *, limit: int) -> None:
        super().__init__()
        if not isinstance(limit, int) or limit < 1:
            raise ConfigurationError("limit", f"is the number of items on a page, at least 1, not {limit!r}")
        self._fetch = fetch
        self._limit = limit
        self._page = 1
        self._fetched = 0
        self._has_more = True
        self._items: deque[_T] = deque()
        self._before: list[_T] = []

    async def _next(self) -> _T:
        if not self._items and self._has_more:
            items, total = await self._fetch(self._page)
            if list(items) == self._before:
                items = ()  # this server knows no pages, and gives the same again
            self._before = list(items)
            self._page += 1
            self._fetched += len(items)
            # A short page need not be the last: the server may have a lower limit of its own. So without a total the
            # end is an empty page, or one with more items than asked for: those are all. A total of 0 beside items
            # tells nothing.
            self._has_more = bool(items) and (self._fetched < total if total else len(items) <= self._limit)
            self._items.extend(items)
        if not self._items:
            raise StopAsyncIteration
        return self._items.popleft()
