"""Executor of the bridge's event loop: name lookups, and functions that a task hands to asyncio.to_thread.

The interpreter joins the threads of a ThreadPoolExecutor at exit. There a name lookup that hangs would hold up the exit
until the resolver gives up, long after its caller was cancelled. So these are daemon threads, which nothing joins.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar
from weakref import WeakValueDictionary

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 16  # for each name; another name's lookups never wait for these


class DaemonExecutor(ThreadPoolExecutor):  # the only kind that an event loop accepts
    """Runs each function in a daemon thread; cancelled callers abandon it.

    It has no lock: a worker that holds one may run a finalizer, which may wait for the event loop, which waits for the
    lock.
    """

    def __init__(self) -> None:
        super().__init__()
        self._queues: WeakValueDictionary[str | bytes | None, _Queue] = WeakValueDictionary()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the function in a thread, or once a thread is free."""
        # The first argument of a lookup is the name.
        name = args[0] if args and isinstance(args[0], (str, bytes)) else None
        queue = self._queues.setdefault(name, _Queue())
        future: Future[T] = Future()
        queue.add((future, partial(fn, *args, **kwargs)))
        return future


class _Queue:
    """The functions for one name; its threads keep it alive."""

    def __init__(self) -> None:
        self._jobs: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._free: deque[None] = deque([None] * THREADS)  # one for each thread that may start

    def add(self, job: tuple[Future[Any], Callable[[], Any]]) -> None:
        self._jobs.append(job)
        if not self._take_place():
            return
        try:
            threading.Thread(target=self._work, name="genauth-sync worker", daemon=True).start()
        except BaseException:  # at the system's limit of threads, or at exit
            self._free.append(None)
            if len(self._free) == THREADS:  # no thread is left to do it
                self._jobs.remove(job)
                raise

    def _take_place(self) -> bool:
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.popleft()
            except IndexError:
                self._free.append(None)
                # A job may have arrived just before, when no place was free.
                if not (self._jobs and self._take_place()):
                    return
            else:
                _run(*job)
                del job  # it refers to the result


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
