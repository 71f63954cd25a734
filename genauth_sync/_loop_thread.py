"""The thread with the event loop on which one process's blocking calls run."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import os
import select
import selectors
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from types import BuiltinFunctionType
from typing import Any

from genauth_async.errors import SyncBridgeError
from genauth_sync._daemon_executor import DaemonExecutor

EXIT_SECONDS = 0.9  # at exit, for the cleanup of calls and the closing of clients


class LoopThread:
    """The event loop of one process, and the thread that runs it.

    A signal handler may interrupt the main thread between any two steps, and raise or call this package; so may a
    finalizer in any thread. No lock guards this state: each change is one atomic step, and a half-done start hinders no
    other. Each caller that finds no loop starts a thread; the first loop to run serves all, the others end.
    """

    def __init__(self, wind_up: Callable[[], Coroutine[Any, Any, None]], parent: LoopThread | None = None) -> None:
        self._wind_up = wind_up
        self._parent = parent  # kept: its loop's transports warn when they are collected unclosed
        self._running: list[tuple[asyncio.AbstractEventLoop, threading.Thread]] = []
        self._stopping = asyncio.Event()
        self.is_closed = False
        self.pid = os.getpid()
        self.in_children: dict[int, LoopThread] = {}

    def running_loop(self) -> asyncio.AbstractEventLoop | None:
        return self._running[0][0] if self._running else None

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the running loop; start it first if there is none.

        Raises:
            SyncBridgeError: the process exits, or no thread or event loop can be created.
        """
        if self.is_closed:
            raise SyncBridgeError("genauth_sync must not be called while the interpreter exits")
        if not self._running:
            self._start()
        return self._running[0][0]

    def stop(self) -> None:
        """Refuse further calls, wind up, and end the loop."""
        self.is_closed = True
        for loop, thread in self._running[:1]:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._stopping.set)
            thread.join(EXIT_SECONDS)

    def _start(self) -> None:
        _refuse_green_threads()
        failures: list[Exception] = []
        started = _thread.allocate_lock()
        started.acquire()

        def attempt(step: Callable[[], None]) -> None:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - raised in the caller's thread
                failures.append(error)
                started.release()

        run = partial(attempt, partial(self._run, started.release))
        thread = threading.Thread(target=run, name="genauth-sync", daemon=True)
        try:
            # Started by another thread: signals interrupt the main thread, where a half-done start leaves traces.
            _thread.start_new_thread(attempt, (thread.start,))
        except RuntimeError as error:
            failures.append(error)
        else:
            started.acquire()
        if failures:
            raise SyncBridgeError(f"genauth_sync cannot start its event loop: {failures[0]}") from failures[0]

    def _run(self, started: Callable[[], None]) -> None:
        loop = _new_loop()
        main = loop.create_task(self._serve(loop, started))
        while not main.done():
            # Raised by a task of a library; the code that awaits that task sees it, too.
            with contextlib.suppress(KeyboardInterrupt, SystemExit, RuntimeError):
                loop.run_until_complete(main)
        loop.close()

    async def _serve(self, loop: asyncio.AbstractEventLoop, started: Callable[[], None]) -> None:
        self._running.append((loop, threading.current_thread()))
        started()
        if self.running_loop() is loop:
            if not self.is_closed:
                await self._stopping.wait()
            await self._wind_up()


def _new_loop() -> asyncio.AbstractEventLoop:
    # An epoll set is shared with a forked child, which would take the parent's connections out of it.
    poll: type[selectors.BaseSelector] | None = getattr(selectors, "PollSelector", None)
    loop = asyncio.new_event_loop() if poll is None else asyncio.SelectorEventLoop(poll())
    loop.set_default_executor(DaemonExecutor())
    return loop


def _refuse_green_threads() -> None:
    if not all(isinstance(function, BuiltinFunctionType) for function in (_thread.allocate_lock, select.select)):
        raise SyncBridgeError(
            "genauth_sync requires real threads and selectors, but gevent or eventlet has replaced them; "
            "patch with thread=False, select=False"
        )
