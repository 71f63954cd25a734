"""Executor of the bridge's event loop: name lookups, and functions that a task hands to asyncio.to_thread.

The interpreter joins the threads of a ThreadPoolExecutor at exit. There a name lookup that hangs would hold up the exit
until the resolver gives up, long after its caller was cancelled. So these are daemon threads, which nothing joins.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 16  # for each name; another name's lookups never wait for these


class DaemonExecutor(ThreadPoolExecutor):  # the only kind that an event loop accepts
    """Runs each function in a daemon thread; cancelled callers abandon it."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._running: defaultdict[Hashable, int] = defaultdict(int)
        self._jobs: defaultdict[Hashable, deque[tuple[Future[Any], Callable[[], Any]]]] = defaultdict(deque)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the function in a thread, or once a thread is free."""
        # The first argument of a lookup is the name.
        name = args[0] if args and isinstance(args[0], (str, bytes)) else None
        future: Future[T] = Future()
        with self._lock:
            if self._running[name] < THREADS:
                # May fail, at the system's limit of threads. A thread that starts waits for the lock.
                threading.Thread(target=self._work, args=(name,), name="genauth-sync worker", daemon=True).start()
                self._running[name] += 1
            self._jobs[name].append((future, partial(fn, *args, **kwargs)))
        return future

    def _work(self, name: Hashable) -> None:
        while (job := self._next(name)) is not None:
            _run(*job)
            del job  # it refers to the result

    def _next(self, name: Hashable) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._lock:
            if self._jobs[name]:
                return self._jobs[name].popleft()
            self._running[name] -= 1
            if not self._running[name]:
                del self._running[name], self._jobs[name]
            return None


def _run(future: Future[Any], action: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = action()
    except BaseException as error:  # noqa: BLE001 - raised where the result is awaited
        future.set_exception(error)
    else:
        future.set_result(result)
    finally:
        del future  # an exception's traceback has this frame: a cycle
