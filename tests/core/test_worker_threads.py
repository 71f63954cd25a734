"""Worker threads of the SDK's own, when no thread can be started."""

from __future__ import annotations

import threading

import pytest

from genauth_async._core.worker_threads import Threads

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio")]


@pytest.mark.backends("asyncio")  # trio may have idle threads of an earlier test
async def test_without_a_thread_a_function_runs_in_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", fail)
    threads = Threads(1, or_here=True)
    for _ in range(3):  # each gives its place back
        assert await threads.run(threading.get_ident) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)


async def test_an_error_of_the_function_does_not_run_it_again() -> None:
    calls: list[str] = []

    def fail() -> None:
        calls.append("called")
        raise RuntimeError("its own")

    with pytest.raises(RuntimeError, match="its own"):
        await Threads(1, or_here=True).run(fail)
    assert calls == ["called"]
