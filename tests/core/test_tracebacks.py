"""Clearing of traceback frames."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from genauth_async import AuthenticationClient, GenAuthError, TokenSet
from genauth_async.emulator import Emulator, User

pytestmark = pytest.mark.anyio


async def test_a_callers_task_survives_an_error_that_it_forwarded(
    emulator: Emulator, client: AuthenticationClient, user: User
) -> None:
    jobs: asyncio.Queue[asyncio.Future[str]] = asyncio.Queue()
    outcomes: Iterator[ZeroDivisionError | str] = iter([ZeroDivisionError("the first"), "the second does not"])

    async def worker() -> None:
        while True:
            job = await jobs.get()
            try:
                outcome = next(outcomes)
                if isinstance(outcome, ZeroDivisionError):
                    raise outcome
                job.set_result(outcome)
            except ZeroDivisionError as error:
                job.set_exception(error)

    async def ask() -> str:
        job: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        jobs.put_nowait(job)
        return await job

    async def on_tokens(_: TokenSet) -> None:
        await ask()

    working = asyncio.create_task(worker())
    session = client.session(emulator.issue_tokens(user), on_tokens=on_tokens)
    with pytest.raises((ZeroDivisionError, GenAuthError)):
        await session.refresh()
    # The worker waits for its next job, though its frame was in the traceback.
    assert await asyncio.wait_for(ask(), 5) == "the second does not"
    working.cancel()
