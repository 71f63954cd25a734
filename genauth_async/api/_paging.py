"""Lists that the server gives page by page."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ..errors import ConfigurationError
from ..stream import Stream

_T = TypeVar("_T")


class Pages(Stream[_T]):
    """The items of all pages. No page is fetched before an item of it is asked for.

    Args:
        fetch: gets a page by its number, from 1 on: its items, and how many there are on all pages, if that is told.
        limit: how many items a full page has.

    Raises:
        ConfigurationError: the limit is below 1.
    """

    def __init__(self, fetch: Callable[[int], Awaitable[tuple[Sequence[_T], int | None]]], *, limit: int) -> None:
        super().__init__()
        if not limit >= 1:
            raise ConfigurationError("limit", f"is the number of items on a page, at least 1, not {limit!r}")
        self._fetch = fetch
        self._limit = limit
        self._page = 1
        self._fetched = 0
        self._has_more = True
        self._items: deque[_T] = deque()

    async def _next(self) -> _T:
        if not self._items and self._has_more:
            items, total = await self._fetch(self._page)
            self._page += 1
            self._fetched += len(items)
            # Where the total is told, a short page is not the last: the server may have a lower limit of its own. A
            # total of 0 beside items tells nothing. More items than asked for are all: that server knows no pages.
            self._has_more = bool(items) and (self._fetched < total if total else len(items) == self._limit)
            self._items.extend(items)
        if not self._items:
            raise StopAsyncIteration
        return self._items.popleft()
