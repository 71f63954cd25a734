"""Signal handlers and finalizers that run in the middle of the bridge's own code, and starts that fail."""

from __future__ import annotations

import _thread
import contextlib
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Any

import anyio
import pytest

from genauth_async.errors import SyncBridgeError
from genauth_sync import _loop_thread
from genauth_sync._bridge import Bridge

SECONDS = 30  # for what hangs

Step = Callable[[Bridge], None]


async def answer() -> int:
    await anyio.lowlevel.checkpoint()
    return 42


def call(bridge: Bridge) -> None:
    assert bridge.run(answer) == 42


def call_or_be_refused(bridge: Bridge) -> None:
    with contextlib.suppress(SyncBridgeError):
        call(bridge)


def create_client(bridge: Bridge) -> None:
    class Client:
        async def aclose(self) -> None: ...

    client = Client()
    bridge.close_in_time(client)
    bridge.close_after(client, client.aclose)


def interrupt(_: Bridge) -> None:
    raise KeyboardInterrupt


def find_out_about_a_fork(bridge: Bridge) -> None:
    bridge._newest.pid = -1
    call(bridge)


def runs_at_step(number: int, action: Callable[[], None], handler: Callable[[], None]) -> bool:
    """Run the action; before the bytecode of that number run the handler, as Python may do with a signal's.

    Returns:
        Whether the action has that many bytecodes.
    """
    left = number

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left == 0:
                handler()
        return trace

    def run() -> None:
        sys.settrace(trace)
        try:
            action()
        except KeyboardInterrupt:
            assert left <= 0
        finally:
            sys.settrace(None)

    # In a thread of its own: an interrupt between the bytecodes of an except clause leaves the thread's state damaged.
    # Signals do not come there.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result(SECONDS)
    return left <= 0


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    while left := set(threading.enumerate()) - before:
        for thread in left:
            thread.join(SECONDS)
            assert not thread.is_alive()


def end(bridge: Bridge) -> None:
    """Shut down, also the threads of the processes that were forked in between."""
    bridge.shutdown()
    thread = bridge._newest._parent
    while thread is not None:
        thread.stop()
        thread = thread._parent


# Python prints an interrupt that comes in the callback of a weak reference, and goes on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("handler", [interrupt, call, create_client])
@pytest.mark.parametrize("action", [call, create_client, find_out_about_a_fork])
def test_a_signal_at_any_step(action: Step, handler: Step) -> None:
    for number in itertools.count(1):
        bridge = Bridge()
        has_more = runs_at_step(number, partial(action, bridge), partial(handler, bridge))
        call(bridge)
        end(bridge)
        if not has_more:
            break


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("handler", [interrupt, call_or_be_refused, create_client, Bridge.shutdown])
def test_a_signal_at_any_step_of_the_end(handler: Step) -> None:
    for number in itertools.count(1):
        bridge = Bridge()
        call(bridge)
        has_more = runs_at_step(number, bridge.shutdown, partial(handler, bridge))
        bridge.shutdown()
        with pytest.raises(SyncBridgeError, match="while the interpreter exits"):
            call(bridge)
        if not has_more:
            break


def test_ctrl_c_before_the_thread_runs_and_then_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = Bridge()
    starts: list[tuple[Any, ...]] = []

    def start_later(*start: Any) -> None:
        starts.append(start)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", start_later)
        with pytest.raises(KeyboardInterrupt):
            call(bridge)
    bridge.shutdown()
    for function, arguments in starts:
        starting = threading.Thread(target=function, args=arguments)
        starting.start()
        starting.join()
    # Its thread ends: see the fixture.


def test_a_finalizer_that_calls_while_the_loop_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = Bridge()
    make = _loop_thread._new_loop
    nested: list[None] = []

    def call_first() -> Any:
        if not nested:
            nested.append(None)
            call(bridge)
        return make()

    monkeypatch.setattr(_loop_thread, "_new_loop", call_first)
    call(bridge)
    assert nested
    bridge.shutdown()


def fail(*_: object, **__: object) -> None:
    raise RuntimeError("no more threads")


def fail_for_want_of_files() -> None:
    raise OSError("too many open files")


@pytest.mark.parametrize(
    ("owner", "name", "failure", "message"),
    [
        (_thread, "start_new_thread", fail, "no more threads"),
        (threading.Thread, "start", fail, "no more threads"),
        (_loop_thread, "_new_loop", fail_for_want_of_files, "too many open files"),
    ],
)
def test_a_failed_start_is_tried_again(
    owner: object, name: str, failure: Callable[..., None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = Bridge()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failure)
        for _ in range(2):
            with pytest.raises(SyncBridgeError, match=f"cannot start its event loop: {message}"):
                call(bridge)
    call(bridge)
    bridge.shutdown()
