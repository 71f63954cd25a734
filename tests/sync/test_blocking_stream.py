"""The blocking face's streams: the core's own, one item a call, from any thread."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from genauth_async import Clock
from genauth_async.api._polling import Polling
from genauth_async.emulator import Emulator
from genauth_async.errors import NotSignedInError, SyncBridgeError
from genauth_async.stream import Stream as AsyncStream
from genauth_sync import AuthenticationClient
from genauth_sync._bridge import Stream, bridge
from tests.sync.test_bridge_programs import Program, needs_posix_signals

SECONDS = 30  # for what hangs


class Numbers(AsyncStream[int]):
    """Counts up to its end; at some numbers it fails first, or waits for `go_on`."""

    def __init__(self, end: int, *, fail_at: int = 0, wait_at: int = 0) -> None:
        super().__init__()
        self._number = 0
        self._end, self._fail_at, self._wait_at = end, fail_at, wait_at
        self._go_on: asyncio.Event | None = None
        self.waits = threading.Event()
        self.closed = threading.Event()

    async def _next(self) -> int:
        await anyio.lowlevel.checkpoint()
        if self._number == self._end:
            raise StopAsyncIteration
        if self._number + 1 == self._fail_at:
            self._fail_at = 0
            raise ConnectionError
        if self._number + 1 == self._wait_at:
            self._go_on = self._go_on or asyncio.Event()
            self.waits.set()
            await self._go_on.wait()
        self._number += 1
        return self._number

    async def _close(self) -> None:
        self.closed.set()

    def go_on(self) -> None:
        async def set_event() -> None:
            assert self._go_on is not None
            self._go_on.set()

        bridge.run(set_event)


def test_gives_the_items_in_order_then_the_end_again_and_again() -> None:
    stream = Stream(Numbers(3))
    assert list(stream) == [1, 2, 3]
    assert list(stream) == []
    assert next(stream, None) is None


def test_the_end_shows_nothing_of_the_async_one() -> None:
    with pytest.raises(StopIteration) as caught:
        next(Stream(Numbers(0)))
    assert caught.value.__context__ is None


def test_a_failure_does_not_end_it() -> None:
    stream = Stream(Numbers(3, fail_at=2))
    assert next(stream) == 1
    with pytest.raises(ConnectionError):
        next(stream)
    assert list(stream) == [2, 3]


def test_the_last_item_of_all() -> None:
    stream = Stream(Numbers(3))
    assert next(stream) == 1
    assert stream.last() == 3
    assert stream.last() == 3
    assert list(stream) == []
    with pytest.raises(LookupError):
        Stream(Numbers(0)).last()


def test_closing_drops_items_that_had_arrived() -> None:
    stream = Stream(Numbers(3))
    stream._arrived.append(1)
    stream.close()
    assert list(stream) == []


@pytest.mark.parametrize("close", [Stream.close, lambda stream: stream.__exit__(None, None, None)])
def test_after_closing_there_is_nothing_more(close: Callable[[Stream[int]], None]) -> None:
    core = Numbers(3)
    with Stream(core) as stream:
        assert next(stream) == 1
        close(stream)
        assert core.closed.is_set()
        assert list(stream) == []


def test_closing_ends_the_wait_of_another_thread() -> None:
    core = Numbers(3, wait_at=2)
    stream = Stream(core)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(list, stream)
        assert core.waits.wait(SECONDS)
        stream.close()
        assert waiting.result(SECONDS) == [1]
    assert core.closed.is_set()


def test_a_second_waiting_thread_fails_the_first_keeps_waiting() -> None:
    core = Numbers(2, wait_at=1)
    stream = Stream(core)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(next, stream)
        assert core.waits.wait(SECONDS)
        with pytest.raises(anyio.BusyResourceError, match="already waiting for the next item"):
            next(stream)
        core.go_on()
        assert waiting.result(SECONDS) == 1


def test_every_item_goes_to_one_of_many_threads() -> None:
    stream = Stream(Numbers(500))
    ready = threading.Barrier(8)

    def take(_: int) -> list[int]:
        taken: list[int] = []
        ready.wait(SECONDS)
        while True:
            try:
                taken.append(next(stream))
            except anyio.BusyResourceError:
                continue
            except StopIteration:
                return taken

    with ThreadPoolExecutor(8) as threads:
        taken = [number for numbers in threads.map(take, range(8)) for number in numbers]
    assert sorted(taken) == list(range(1, 501))


class InterruptedOnce(deque[int]):
    """A queue of items; Ctrl-C comes when the first one is there."""

    def popleft(self) -> int:
        if self and not hasattr(self, "_interrupted"):
            self._interrupted = True
            raise KeyboardInterrupt
        return super().popleft()


def test_an_item_that_arrived_when_ctrl_c_came_is_the_next_one() -> None:
    stream = Stream(Numbers(3))
    stream._arrived = InterruptedOnce()
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert list(stream) == [1, 2, 3]


@needs_posix_signals
def test_ctrl_c_cancels_the_wait_and_the_stream_goes_on() -> None:
    program = Program("interrupt_stream.py")
    program.read_until("waiting")
    program.interrupt()
    assert program.finish() == ["item: 1", "waiting", "interrupted", "then: [2, 3] []"]


def test_a_stream_without_references_is_closed() -> None:
    core = Numbers(3)
    for _ in Stream(core):
        break
    gc.collect()
    assert core.closed.wait(SECONDS)


def test_a_stream_that_is_open_at_exit_is_closed() -> None:
    assert Program("exit_stream.py").finish() == ["item: 1", "main ends", "closed"]


def test_on_the_private_loop_it_names_what_to_await() -> None:
    stream = Stream(Numbers(3))

    async def nested() -> None:
        next(stream)

    with pytest.raises(SyncBridgeError, match=r"await genauth_async's `Stream\.__anext__` there"):
        bridge.run(nested)


@pytest.mark.parametrize("call", [next, Stream.last, Stream.close])
def test_the_warning_of_a_running_loop_shows_the_callers_line(
    call: Callable[[Stream[int]], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "_warned", False)
    stream = Stream(Numbers(3))

    async def use() -> None:
        call(stream)

    with pytest.warns(RuntimeWarning, match="where an event loop runs") as caught:
        asyncio.run(use())
    assert [warning.filename for warning in caught] == [__file__]


def test_it_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="A Stream is not pickled"):
        pickle.dumps(Stream(Numbers(1)))


@pytest.mark.parametrize("call", [Stream.__next__, Stream.last])
def test_no_local_variable_stays_in_a_traceback(call: Callable[[Stream[Any]], object], emulator: Emulator) -> None:
    with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
        with pytest.raises(NotSignedInError) as caught:
            call(client.iter_devices(access_token="an-unknown-token"))
        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
        assert [frame.f_code.co_name for frame in frames] == [call.__name__]
        for frame in frames:
            assert "an-unknown-token" not in repr(frame.f_locals), frame


def test_polling_over_the_network(emulator: Emulator) -> None:
    emulator.faults.add("/api/v3/system", status=502, body="<html>Bad gateway</html>")
    with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
        check = client._async.get_system_info
        polling = Polling(check, lambda _: "DONE", frozenset({"DONE"}), clock=Clock(), interval=0.001)
        assert Stream(polling).last().rsa == client.get_system_info().rsa
    assert emulator.requests["/api/v3/system"] == 3
