"""The limit of concurrent calls."""

from __future__ import annotations

import anyio
import pytest

from genauth_async._http.call_limiter import CallLimiter

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


async def test_only_a_call_that_waited_reports_so() -> None:
    calls = CallLimiter(1)
    waited: list[bool] = [await calls.acquire("first", 10)]

    async def second() -> None:
        waited.append(await calls.acquire("second", 10))

    async with anyio.create_task_group() as group:
        group.start_soon(second)
        await anyio.wait_all_tasks_blocked()
        assert waited == [False]
        calls.release()
    assert waited == [False, True]


async def test_without_a_limit_no_call_waits() -> None:
    calls = CallLimiter(None)
    assert [await calls.acquire("one of many", 10) for _ in range(3)] == [False] * 3
    calls.release()
