"""The private event loop, as far as it is seen from within the process."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import pickle
import select
import threading
import traceback
import weakref
from collections.abc import Iterator
from typing import NoReturn

import anyio
import pytest

from genauth_async.errors import ConfigurationError, SyncBridgeError
from genauth_sync._bridge import Bridge, Facade, awaitable, core_of, facade_of
from genauth_sync._bridge import bridge as process_bridge
from genauth_sync._call import Call

SECONDS = 30  # for what hangs


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.shutdown()


def test_interrupted_before_the_loop_knew_of_the_call() -> None:
    call = Call(no_op)
    call.cancel()
    call.wait(SECONDS)
    assert call._finished


def test_interrupted_before_the_coroutine_began(bridge: Bridge) -> None:
    made: list[str] = []

    async def make() -> None:
        made.append("made")

    call = Call(make)

    async def start_and_cancel() -> None:
        call.start(asyncio.get_running_loop())
        call.cancel()

    bridge.run(start_and_cancel)
    call.wait(SECONDS)
    assert call._finished
    assert made == []


def test_a_fork_past_the_hooks_is_noticed(bridge: Bridge) -> None:
    loop_before = bridge.run(running_loop)
    of_parent = bridge.loop_thread()
    of_parent.pid = -1  # as in a child, whose process id is another
    assert bridge.run(running_loop) is not loop_before
    assert bridge.loop_thread() is bridge.loop_thread() is not of_parent

    of_parent.stop()  # unlike in a child it lives, and has to be ended
    assert loop_before.is_closed()


class SignIn:
    async def sign_in_by_account_password(self) -> None: ...


def test_a_call_on_its_own_loop_names_the_method_to_await(bridge: Bridge) -> None:
    async def nested() -> None:
        bridge.run(SignIn().sign_in_by_account_password)

    with pytest.raises(SyncBridgeError, match=r"await genauth_async's `SignIn\.sign_in_by_account_password` there"):
        bridge.run(nested)


def test_threads_share_one_loop(bridge: Bridge) -> None:
    threads = 32
    waiting = 0
    loops: set[object] = set()
    all_are_here = anyio.Event()

    async def meet() -> None:
        nonlocal waiting
        loops.add(await running_loop())
        waiting += 1
        if waiting == threads:
            all_are_here.set()
        await all_are_here.wait()

    callers = [threading.Thread(target=bridge.run, args=(meet,)) for _ in range(threads)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(SECONDS)
    assert waiting == threads
    assert len(loops) == 1


def test_the_first_calls_of_many_threads_start_one_loop() -> None:
    for _ in range(20):
        bridge = Bridge()
        loops: set[object] = set()
        ready = threading.Barrier(8)

        def call(bridge: Bridge = bridge, loops: set[object] = loops, ready: threading.Barrier = ready) -> None:
            ready.wait()
            loops.add(bridge.run(running_loop))

        callers = [threading.Thread(target=call) for _ in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(SECONDS)
        bridge.shutdown()
        assert len(loops) == 1


def test_calls_share_their_worker_threads(bridge: Bridge) -> None:
    workers = {bridge.run(lambda: anyio.to_thread.run_sync(threading.get_ident)) for _ in range(3)}
    assert len(workers) == 1


def test_the_coroutine_sees_the_callers_context(bridge: Bridge) -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    async def read_and_change() -> str:
        seen = variable.get()
        variable.set("the coroutine's")
        return seen

    variable.set("the caller's")
    assert bridge.run(read_and_change) == "the caller's"
    assert variable.get() == "the caller's"


class NotHereError(Exception):  # unlike the built-in ones it can be referred to weakly
    pass


async def fail() -> NoReturn:
    await anyio.lowlevel.checkpoint()
    raise NotHereError


def test_the_traceback_reaches_into_the_coroutine(bridge: Bridge) -> None:
    with pytest.raises(NotHereError) as caught:
        bridge.run(fail)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[0] == "test_the_traceback_reaches_into_the_coroutine"
    assert names[-1] == "fail"
    assert caught.value.__context__ is None


class Client:
    async def answer(self, password: object) -> int:
        return id(password)

    async def fail(self, password: object) -> NoReturn:
        raise LookupError(id(password))


class Secret:
    pass


def test_nothing_is_kept_after_a_call(bridge: Bridge) -> None:
    kept: list[weakref.ref[object]] = []

    def call() -> None:
        client, secret = Client(), Secret()
        kept.extend((weakref.ref(client), weakref.ref(secret)))
        bridge.run(lambda: client.answer(secret))
        with pytest.raises(LookupError):
            bridge.run(lambda: client.fail(secret))

    gc.disable()  # by reference counts alone
    try:
        call()
        bridge.run(no_op)  # the loop has done with the call before it
        assert [reference() for reference in kept] == [None, None]
    finally:
        gc.enable()


def test_the_error_of_a_call_is_in_no_cycle(bridge: Bridge) -> None:
    kept: list[weakref.ref[BaseException]] = []

    def call() -> None:
        try:
            bridge.run(fail)
        except NotHereError as error:
            kept.append(weakref.ref(error))

    gc.disable()
    try:
        call()
        bridge.run(no_op)
        assert [reference() for reference in kept] == [None]
    finally:
        gc.enable()


def test_after_shutdown_calls_are_refused(bridge: Bridge) -> None:
    bridge.run(no_op)
    bridge.shutdown()
    bridge.shutdown()
    with pytest.raises(SyncBridgeError, match="while the interpreter exits"):
        bridge.run(no_op)


def test_green_threads_are_refused(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select, "select", lambda *_: ([], [], []))
    with pytest.raises(SyncBridgeError, match="gevent or eventlet"):
        bridge.run(no_op)


def test_a_callback_runs_in_a_thread_and_may_call_the_facade(bridge: Bridge) -> None:
    calls: list[tuple[int, object]] = []

    def blocking(value: str) -> None:
        calls.append((threading.get_ident(), value))
        calls.append((bridge.run(running_thread), value))

    made = awaitable(blocking)
    loop_thread = bridge.run(running_thread)
    bridge.run(lambda: made("tokens"))
    (worker, value), (nested, _) = calls
    assert value == "tokens"
    assert worker not in (loop_thread, threading.get_ident())
    assert nested == loop_thread


def test_a_callback_that_calls_at_exit_is_refused_at_once(bridge: Bridge) -> None:
    refused: list[str] = []

    def blocking(value: str) -> None:
        bridge.loop_thread().is_closed = True
        try:
            bridge.run(no_op)
        except SyncBridgeError:
            refused.append(value)
        finally:
            bridge.loop_thread().is_closed = False

    made = awaitable(blocking)
    bridge.run(lambda: made("tokens"))
    assert refused == ["tokens"]


def test_an_error_in_a_callback_reaches_the_caller(bridge: Bridge) -> None:
    def blocking(value: str) -> None:
        raise LookupError(value)

    made = awaitable(blocking)
    with pytest.raises(LookupError, match="tokens"):
        bridge.run(lambda: made("tokens"))


def test_a_coroutine_function_is_no_callback_here() -> None:
    async def never_awaited(_: str) -> None: ...

    with pytest.raises(ConfigurationError, match="blocking function"):
        awaitable(never_awaited)  # type: ignore[arg-type]


def test_no_callback_stays_none() -> None:
    assert awaitable(None) is None


class Blocking(Facade[Client]):
    def __init__(self) -> None:
        super().__init__(Client())

    def fail(self, password: object) -> None:
        process_bridge.run(lambda: self._async.fail(password))


def test_a_facade_wraps_what_the_core_made() -> None:
    core = Client()
    wrapped = facade_of(Blocking, core)
    assert isinstance(wrapped, Blocking)
    assert core_of(wrapped) is core


def test_a_facade_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="A Blocking is not pickled"):
        pickle.dumps(Blocking())


def test_no_argument_stays_in_a_traceback_of_ours() -> None:
    secret = Secret()
    with pytest.raises(LookupError) as caught:
        Blocking().fail(secret)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert [frame.f_code.co_name for frame in frames][1:4] == ["call", "fail", "run"]
    ours = [frame for frame in frames if frame.f_globals["__name__"].startswith("genauth")]
    assert len(ours) > 3
    for frame in ours:
        assert secret not in frame.f_locals.values()
        assert repr(secret) not in repr(frame.f_locals)
    # What others wrote, were it a subclass of ours, is theirs.
    for frame in frames[0], frames[2]:
        assert secret in frame.f_locals.values()


async def no_op() -> None: ...


async def running_thread() -> int:
    return threading.get_ident()


async def running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()
