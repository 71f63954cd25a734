"""Guarantees of every stream: one waiter, an end, and no lost item."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import pytest

from genauth_async import AuthenticationClient, NotSignedInError
from genauth_async.stream import Stream

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


class FedStream(Stream[int]):
    """A stream of the items that a test sends; records its cancellation and closing."""

    def __init__(self) -> None:
        super().__init__()
        self.send, self._receive = anyio.create_memory_object_stream[int](10)
        self.log: list[str] = []

    async def _next(self) -> int:
        try:
            return await self._receive.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
            self.log.append("left")

    async def _close(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.send.close()
        self._receive.close()
        self.log.append("closed")


async def test_items_arrive_in_order_and_the_end_repeats() -> None:
    async with FedStream() as stream:
        for number in (1, 2, 3):
            stream.send.send_nowait(number)
        stream.send.close()
        assert [number async for number in stream] == [1, 2, 3]
        assert [number async for number in stream] == []


async def test_a_second_waiter_fails_and_the_first_keeps_waiting() -> None:
    got: list[int] = []

    async def wait() -> None:
        got.append(await stream.__anext__())

    async with FedStream() as stream, anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(anyio.BusyResourceError, match="already waiting for the next item"):
            await stream.__anext__()
        stream.send.send_nowait(1)
    assert got == [1]


async def leave_by_scope(stream: FedStream) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(stream.__anext__)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()


async def leave_by_task_cancel(stream: FedStream) -> None:
    task = asyncio.ensure_future(stream.__anext__())
    await anyio.wait_all_tasks_blocked()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_wait_cancelled_by_its_scope_loses_nothing() -> None:
    await check_nothing_is_lost(leave_by_scope)


@pytest.mark.backends("asyncio", "uvloop")
async def test_a_wait_whose_task_is_cancelled_loses_nothing() -> None:
    await check_nothing_is_lost(leave_by_task_cancel)


async def check_nothing_is_lost(leave: Callable[[FedStream], Awaitable[None]]) -> None:
    async with FedStream() as stream:
        await leave(stream)
        stream.send.send_nowait(1)
        assert await stream.__anext__() == 1


async def test_closing_ends_the_wait_of_another_task_and_then_closes() -> None:
    got: list[int] = []

    async def wait() -> None:
        got.extend([number async for number in stream])
        stream.log.append("seen the end")

    stream = FedStream()
    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await stream.aclose()
    assert got == []
    assert stream.log.index("left") < stream.log.index("closed")
    assert "seen the end" in stream.log


async def test_after_closing_there_is_nothing_more() -> None:
    stream = FedStream()
    stream.send.send_nowait(1)
    await stream.aclose()
    assert [number async for number in stream] == []


async def test_many_closings_close_once() -> None:
    stream = FedStream()
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(stream.aclose)
    await stream.aclose()
    assert stream.log.count("closed") == 1


async def test_a_cancelled_closing_closes_all_the_same() -> None:
    stream = FedStream()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await stream.aclose()
    assert stream.log == ["closed"]


class Broken(Stream[int]):
    """A stream that fails once and ends at the fourth call; later calls would return items."""

    def __init__(self, fails_at: int | None = 2) -> None:
        super().__init__()
        self.calls = 0
        self._fails_at = fails_at

    async def _next(self) -> int:
        self.calls += 1
        if self.calls == self._fails_at:
            raise ConnectionError
        if self.calls == 4:
            raise StopAsyncIteration
        return self.calls


async def test_a_failure_does_not_end_it() -> None:
    stream = Broken()
    assert await stream.__anext__() == 1
    with pytest.raises(ConnectionError):
        await stream.__anext__()
    assert [number async for number in stream] == [3]


async def test_the_end_stays_the_end_though_there_would_be_more() -> None:
    stream = Broken(fails_at=None)
    assert [number async for number in stream] == [1, 2, 3]
    with pytest.raises(StopAsyncIteration):
        await stream.__anext__()
    assert stream.calls == 4
    assert await stream.last() == 3


@pytest.mark.parametrize("call", [Stream.__anext__, Stream.last])
async def test_no_local_variable_stays_in_a_traceback(
    call: Callable[[Stream[Any]], Awaitable[object]], client: AuthenticationClient
) -> None:
    stream = client.iter_devices(access_token="an-unknown-token")
    with pytest.raises(NotSignedInError) as caught:
        await call(stream)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
    assert [frame.f_code.co_name for frame in frames] == [call.__name__]
    for frame in frames:
        assert "an-unknown-token" not in repr(frame.f_locals), frame


async def test_the_last_item_is_the_same_at_every_call() -> None:
    async with FedStream() as stream:
        for number in (1, 2, 3):
            stream.send.send_nowait(number)
        assert await stream.__anext__() == 1
        async with anyio.create_task_group() as group:
            group.start_soon(stream.last)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        stream.send.close()
        assert await stream.last() == 3
        assert await stream.last() == 3


async def test_nothing_has_no_last_item() -> None:
    async with FedStream() as stream:
        stream.send.close()
        with pytest.raises(LookupError, match="without an item"):
            await stream.last()
