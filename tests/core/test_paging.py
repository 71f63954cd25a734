"""Pages: each is fetched on demand, and each item is returned once."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from genauth_async import ConfigurationError
from genauth_async.api._paging import Pages

pytestmark = pytest.mark.anyio


class Server:
    """A server that returns `count` items in pages."""

    def __init__(self, count: int, *, limit: int = 3, total: int | None = None) -> None:
        self._numbers = list(range(count))
        self._limit = limit
        self._total = total
        self.fetched: list[int] = []
        self.failures: list[Exception] = []
        self.hold: anyio.Event | None = None

    async def fetch(self, page: int) -> tuple[Sequence[int], int | None]:
        self.fetched.append(page)
        await anyio.lowlevel.checkpoint()
        if self.failures:
            raise self.failures.pop(0)
        if self.hold is not None:
            await self.hold.wait()
        return self._numbers[(page - 1) * self._limit : page * self._limit], self._total


@pytest.mark.parametrize(
    ("count", "total", "fetched"),
    [
        pytest.param(0, None, 1, id="none"),
        pytest.param(0, 0, 1, id="none, as announced"),
        pytest.param(2, None, 2, id="a short page"),
        pytest.param(7, None, 4, id="a short page at the end"),
        pytest.param(6, None, 3, id="a full page at the end"),
        pytest.param(6, 6, 2, id="a full page at the end, as announced"),
        pytest.param(6, 0, 3, id="a total that is not counted"),
        pytest.param(6, 8, 3, id="fewer than announced"),
        pytest.param(7, 5, 2, id="more than announced"),
    ],
)
async def test_all_items_are_given_once(count: int, total: int | None, fetched: int) -> None:
    server = Server(count, total=total)
    pages = Pages(server.fetch, limit=3)
    got = [number async for number in pages]
    assert got == list(range(count))[: fetched * 3]
    assert server.fetched == list(range(1, fetched + 1))
    assert [number async for number in pages] == []
    assert len(server.fetched) == fetched


@pytest.mark.parametrize("total", [None, 8])
async def test_a_lower_limit_of_the_server_loses_nothing(total: int | None) -> None:
    assert [number async for number in Pages(Server(8, limit=3, total=total).fetch, limit=100)] == list(range(8))


@pytest.mark.parametrize(("limit", "requests"), [(3, 1), (8, 2), (100, 2)])
async def test_a_server_that_knows_no_pages_gives_each_item_once(limit: int, requests: int) -> None:
    pages = []

    async def fetch(page: int) -> tuple[Sequence[int], None]:
        pages.append(page)
        return list(range(8)), None

    assert [number async for number in Pages(fetch, limit=limit)] == list(range(8))
    assert len(pages) == requests


async def test_no_page_is_fetched_before_it_is_needed() -> None:
    server = Server(7)
    pages = Pages(server.fetch, limit=3)
    assert server.fetched == []
    assert [await pages.__anext__() for _ in range(3)] == [0, 1, 2]
    assert server.fetched == [1]
    assert await pages.__anext__() == 3
    assert server.fetched == [1, 2]


async def test_a_failed_page_is_fetched_again_by_the_next_call() -> None:
    server = Server(4)
    pages = Pages(server.fetch, limit=3)
    assert [await pages.__anext__() for _ in range(3)] == [0, 1, 2]
    server.failures = [ConnectionError(), ConnectionError()]
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await pages.__anext__()
    assert [number async for number in pages] == [3]
    assert server.fetched == [1, 2, 2, 2, 3]


async def test_a_cancelled_page_is_fetched_again_by_the_next_call() -> None:
    server = Server(4)
    server.hold = anyio.Event()
    pages = Pages(server.fetch, limit=3)
    async with anyio.create_task_group() as group:
        group.start_soon(pages.__anext__)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    server.hold.set()
    assert [number async for number in pages] == [0, 1, 2, 3]
    assert server.fetched == [1, 1, 2, 3]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_without_items_is_refused(limit: int) -> None:
    with pytest.raises(ConfigurationError, match="limit"):
        Pages(Server(1).fetch, limit=limit)
