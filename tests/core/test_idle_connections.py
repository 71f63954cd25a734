"""The idle list of `Connections`, with connections that record how they are used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest
from anyio.lowlevel import checkpoint

from genauth_async._arguments.timeouts import deadline
from genauth_async._http import connections
from genauth_async._http.attempt import Attempt, Outgoing
from genauth_async._http.connections import Connections

pytestmark = [pytest.mark.anyio, pytest.mark.backends]


class Recorded:
    """A connection that records how it is used.

    Attributes:
        uses: its requests so far.
        closings: how often it was closed.
        is_dirty: whether something arrived since the last answer.
        is_waiting: whether something arrived that was not read yet.
    """

    def __init__(self, server: Server) -> None:
        self.uses = self.closings = 0
        self.is_dirty = self.is_waiting = False
        self._server = server

    def is_clean(self) -> bool:
        return not self.is_dirty and not self.closings

    def is_readable(self) -> bool:
        return self.is_waiting

    async def exchange(self, outgoing: Outgoing, attempt: Attempt) -> None:  # noqa: ARG002 - the protocol's names
        assert not self.closings
        self.uses += 1
        await self._server.work()

    async def aclose(self) -> None:
        await checkpoint()  # where a cancelled caller would stop
        self.closings += 1


class Server:
    """Recorded connections and the carrier that keeps them."""

    def __init__(self) -> None:
        self.made: list[Recorded] = []
        self.work: Callable[[], Awaitable[object]] = checkpoint
        self.carrier = Connections(self.connect)

    async def connect(self) -> Recorded:
        self.made.append(Recorded(self))
        return self.made[-1]

    async def ask(self, *, single_use: bool = False) -> None:
        outgoing = Outgoing(
            call="GET /",
            method="GET",
            origin="http://a.example",
            target="/",
            headers={},
            content=b"",
            single_use=single_use,
        )
        attempt = Attempt(outgoing.call, deadline(10), anyio.current_time() + 10, 1000)
        with attempt.scope:
            await self.carrier.exchange(outgoing, attempt)

    async def ask_at_once(self, times: int) -> None:
        """Make requests that are all under way at the same time."""
        waiting = 0
        all_there = anyio.Event()

        async def work() -> None:
            nonlocal waiting
            waiting += 1
            if waiting == times:
                all_there.set()
            await all_there.wait()

        self.work = work
        async with anyio.create_task_group() as group:
            for _ in range(times):
                group.start_soon(self.ask)
        self.work = checkpoint

    @property
    def open(self) -> list[Recorded]:
        return [each for each in self.made if not each.closings]

    async def wait_until_all_are_closed(self) -> None:
        with anyio.fail_after(10):
            while self.open:  # noqa: ASYNC110 - they close by themselves
                await anyio.sleep(0.01)


@pytest.fixture
def server() -> Server:
    return Server()


async def test_requests_one_after_another_share_a_connection(server: Server) -> None:
    for _ in range(5):
        await server.ask()
    assert [each.uses for each in server.made] == [5]
    await server.carrier.aclose()


async def test_connections_of_concurrent_requests_are_reused(server: Server) -> None:
    await server.ask_at_once(3)
    await server.ask_at_once(3)
    assert [each.uses for each in server.made] == [2, 2, 2]
    await server.carrier.aclose()


async def test_the_last_used_connection_is_used_next(server: Server) -> None:
    await server.ask_at_once(3)
    for _ in range(4):
        await server.ask()
    assert sorted(each.uses for each in server.made) == [1, 1, 5]
    await server.carrier.aclose()


async def test_surplus_connections_expire_by_a_timer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_IDLE_SECONDS", 0.3)
    monkeypatch.setattr(connections, "_STEP_SECONDS", 0.01)
    await server.ask_at_once(4)
    used = server.carrier._idle[-1][1]
    with anyio.fail_after(10):
        while len(server.open) > 1:
            await server.ask()
            await anyio.sleep(0.02)
    assert server.open == [used]
    await server.wait_until_all_are_closed()
    assert len(server.made) == 4
    assert [each.closings for each in server.made] == [1, 1, 1, 1]
    await server.ask()
    assert len(server.open) == 1
    await server.wait_until_all_are_closed()  # the timer started again


async def test_an_expired_connection_is_not_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_IDLE_SECONDS", -1.0)  # the timer takes longer
    await server.ask_at_once(3)
    await server.ask()
    assert [each.closings for each in server.made] == [1, 1, 1, 0]
    await server.carrier.aclose()


async def test_a_connection_that_is_not_clean_is_closed(server: Server) -> None:
    await server.ask_at_once(2)
    server.made[0].is_dirty = server.made[1].is_waiting = True  # while they were idle

    async def leave_something() -> None:
        server.made[2].is_dirty = True  # with the answer

    server.work = leave_something
    await server.ask()
    server.work = checkpoint
    await server.ask()
    assert [(each.uses, each.closings) for each in server.made] == [(1, 1), (1, 1), (1, 1), (1, 0)]
    await server.carrier.aclose()


async def test_a_credential_goes_out_on_a_new_connection(server: Server) -> None:
    await server.ask()
    await server.ask(single_use=True)
    await server.ask()
    assert [each.uses for each in server.made] == [1, 2]
    await server.carrier.aclose()


async def test_connections_of_credentials_replace_idle_ones(server: Server) -> None:
    await server.ask_at_once(2)
    oldest = server.carrier._idle[0][1]
    await server.ask(single_use=True)
    assert oldest not in server.open
    for _ in range(10):
        await server.ask(single_use=True)
    assert (len(server.made), len(server.open)) == (13, 2)
    await server.carrier.aclose()


async def test_after_a_failure_nothing_is_kept(server: Server) -> None:
    async def fail() -> None:
        raise ConnectionResetError

    await server.ask()
    server.work = fail
    with pytest.raises(ConnectionResetError):
        await server.ask()
    server.work = checkpoint
    await server.ask()
    assert [(each.uses, each.closings) for each in server.made] == [(2, 1), (1, 0)]
    await server.carrier.aclose()


async def test_a_cancelled_request_closes_only_its_connection(server: Server) -> None:
    await server.ask_at_once(2)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await server.ask()
    assert sorted(each.closings for each in server.made) == [0, 1]
    await server.ask()
    assert len(server.made) == 2
    await server.carrier.aclose()


@pytest.mark.backends("asyncio", "uvloop")
async def test_a_cancelled_task_closes_only_its_connection(server: Server) -> None:
    await server.ask_at_once(2)
    server.work = anyio.sleep_forever
    task = asyncio.create_task(server.ask())
    await anyio.wait_all_tasks_blocked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(each.closings for each in server.made) == [0, 1]
    await server.carrier.aclose()


async def test_closing_closes_idle_connections_once(server: Server) -> None:
    await server.ask_at_once(3)
    await server.carrier.aclose()
    await server.carrier.aclose()
    assert [each.closings for each in server.made] == [1, 1, 1]


async def test_a_connection_in_use_on_close_is_not_kept(server: Server) -> None:
    async def close() -> None:
        await server.carrier.aclose()
        assert server.open == server.made

    server.work = close
    await server.ask()
    assert [each.closings for each in server.made] == [1]


async def test_a_cancelled_close_closes_all_connections(server: Server) -> None:
    await server.ask_at_once(3)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await server.carrier.aclose()
    assert server.open == []


async def test_a_dirty_connection_is_closed_at_once(server: Server) -> None:
    async def soil() -> None:
        server.made[-1].is_dirty = True

    server.work = soil
    await server.ask()
    assert [each.closings for each in server.made] == [1]
