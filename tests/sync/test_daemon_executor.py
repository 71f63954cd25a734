"""The executor of the bridge's event loop."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from genauth_sync._daemon_executor import THREADS, DaemonExecutor

SECONDS = 30  # at most


def test_threads_are_bounded_for_each_name() -> None:
    executor = DaemonExecutor()
    release = threading.Event()
    looked_up: list[str] = []

    def look_up(name: str) -> threading.Thread:
        assert release.wait(SECONDS)
        looked_up.append(name)
        return threading.current_thread()

    before = threading.active_count()
    hanging = [executor.submit(look_up, "hangs") for _ in range(10 * THREADS)]
    assert threading.active_count() == before + THREADS
    assert executor.submit(str.upper, "another").result(SECONDS) == "ANOTHER"
    assert executor.submit(str.upper, b"another".decode()).result(SECONDS) == "ANOTHER"
    assert executor.submit(len, ("192.0.2.1", 443)).result(SECONDS) == 2
    for future in hanging[THREADS:-1]:
        assert future.cancel()
    assert not hanging[0].cancel()  # it runs
    release.set()
    threads = {hanging[index].result(SECONDS) for index in (*range(THREADS), -1)}
    for thread in threads:
        assert thread.daemon
        thread.join(SECONDS)
    assert looked_up == ["hangs"] * (THREADS + 1)  # cancelled ones are skipped
    assert threading.active_count() <= before


def test_errors_reach_the_caller_without_a_cycle() -> None:
    class Argument:
        pass

    def fail(_: Argument) -> None:
        threads.append(threading.current_thread())
        raise OSError("no such name")

    threads: list[threading.Thread] = []
    argument = Argument()
    gone = weakref.ref(argument)
    gc.disable()
    try:
        future = DaemonExecutor().submit(fail, argument)
        with pytest.raises(OSError, match="no such name"):
            future.result(SECONDS)
        threads[0].join(SECONDS)
        del argument, future
        assert gone() is None
    finally:
        gc.enable()


def test_a_thread_that_cannot_start_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = DaemonExecutor()
    calls: list[str] = []

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        for _ in range(THREADS):
            with pytest.raises(RuntimeError, match="can't start new thread"):
                executor.submit(calls.append, "name")
    executor.submit(calls.append, "name").result(SECONDS)
    assert calls == ["name"]
