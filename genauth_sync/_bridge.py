"""The event loop on which genauth_sync runs genauth_async's coroutines.

One daemon thread with one asyncio loop serves all clients and all threads of the process. It starts with the first
call, restarts in a forked child, and is closed at exit. A loop in the caller's thread would not do: it cannot run where
a loop runs already (notebooks), and after Ctrl-C the next call would resume the interrupted coroutine.
"""

from __future__ import annotations

import asyncio
import atexit
import builtins
import contextlib
import inspect
import math
import os
import threading
import time
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, ParamSpec, TypeVar, overload

from anyio import CapacityLimiter, to_thread

from genauth_async._core.shielding import is_shielded
from genauth_async._core.tracebacks import clear_frames_of_methods
from genauth_async.errors import ConfigurationError, SyncBridgeError
from genauth_async.stream import Stream as AsyncStream
from genauth_sync._call import Call
from genauth_sync._loop_thread import LoopThread

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Bridge", "Facade", "Stream", "awaitable", "bridge"]

P = ParamSpec("P")
T = TypeVar("T")
FacadeT = TypeVar("FacadeT", bound="Facade[Any]")

CANCEL_SECONDS = 0.5  # for the cleanup of calls that run at exit, before the clients are closed
HALT_SECONDS = 5.0  # for the process to end, before a daemon thread that calls at exit is ended

_in_callback: ContextVar[bool] = ContextVar("genauth_sync callback", default=False)


class Bridge:
    """Runs coroutines of any thread on one private event loop."""

    def __init__(self) -> None:
        self._newest = LoopThread(self._wind_up)
        self._warned = False
        self._open: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._watched: weakref.WeakSet[Any] = weakref.WeakSet()
        self._closing: set[asyncio.Task[None]] = set()

    def run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run the coroutine that `make` returns; return its result or raise its exception.

        An exception that interrupts the waiting, such as Ctrl-C, cancels the coroutine and is raised once that has
        cleaned up, after 5 seconds at most. Cleanup that takes longer, such as a refresh whose answer comes late, goes
        on while the process does. The coroutine sees the caller's context variables.

        Raises:
            SyncBridgeError: on the bridge's own loop, where waiting would last for ever, and after the bridge's end; or
                the loop cannot be started.
            SystemExit: in a daemon thread, a while after the bridge's end.
        """
        thread = self.loop_thread()
        self._check_nesting(thread, make)
        try:
            return Call(make).run_on(thread.loop())
        except BaseException:
            if thread.is_closed and threading.current_thread().daemon and not _in_callback.get():
                # An exception would print a traceback at every exit. So the thread waits for the process to end. If the
                # exit waits for this thread, it ends in silence.
                time.sleep(HALT_SECONDS)
                raise SystemExit from None
            raise

    def close_in_time(self, core: object) -> None:
        """Await a client's `aclose` at exit, or when the client is garbage, if the user has not closed it."""
        if hasattr(core, "aclose"):
            self._open[id(core)] = core
        # A client's copies and sessions share it; it is collected with the last of them.
        shared = getattr(core, "_shared", None)
        if shared is not None and shared not in self._watched:
            self._watched.add(shared)
            self.close_after(shared, shared.transport.aclose)

    def close_after(self, owner: object, aclose: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Await `aclose` when the owner is garbage; not at exit."""
        weakref.finalize(owner, self._close, aclose).atexit = False

    def _close(self, aclose: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start `aclose` from the garbage collector, in any thread."""
        loop = self.loop_thread().running_loop()
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._start_closing, loop, aclose)

    def _start_closing(self, loop: asyncio.AbstractEventLoop, aclose: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = loop.create_task(aclose())
        self._closing.add(task)  # the loop itself has only a weak reference
        task.add_done_callback(self._closing.discard)

    def shutdown(self) -> None:
        """Cancel running calls, close open clients, and close the loop at exit: later calls fail."""
        self.loop_thread().stop()

    def loop_thread(self) -> LoopThread:
        """Return this process's thread; in a forked child, one of its own, even if it was forked without hooks."""
        thread = self._newest
        if thread.pid != os.getpid():
            thread = self._newest = thread.in_children.setdefault(os.getpid(), LoopThread(self._wind_up, thread))
        return thread

    async def _wind_up(self) -> None:
        """Complete or cancel all work on the loop, and close the clients."""
        cancelled: set[asyncio.Task[Any]] = set()
        if tasks := _cancel_tasks(cancelled):
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
        cores = [core for reference in self._open.valuerefs() if (core := reference()) is not None]
        await asyncio.gather(*(core.aclose() for core in cores), return_exceptions=True)
        await asyncio.get_running_loop().shutdown_asyncgens()
        # May wait in vain for tasks that ignore cancellation. The exit does not wait for this, and closing a loop with
        # pending tasks would print warnings.
        while tasks := _cancel_tasks(cancelled):
            await asyncio.gather(*tasks, return_exceptions=True)

    def _check_nesting(self, thread: LoopThread, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            return
        if here is thread.running_loop():
            coroutine = make()
            coroutine.close()
            name = getattr(coroutine, "__qualname__", "method")
            raise SyncBridgeError(
                f"genauth_sync must not be called on the bridge's own event loop; await genauth_async's `{name}` there"
            )
        if not self._warned and not hasattr(builtins, "__IPYTHON__"):  # a notebook's cells block its loop anyway
            self._warned = True
            warnings.warn(
                "genauth_sync was called where an event loop runs, and blocks that loop during the call; "
                "await genauth_async's methods there instead",
                RuntimeWarning,
                stacklevel=5,  # this method, run, the generated method, its traceback guard, its caller
            )


def _cancel_tasks(cancelled: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Cancel the loop's other tasks, once each, except those to be finished, and return all of them."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks - cancelled:
        if not is_shielded(task):
            # After its first step: a coroutine that is cancelled before it starts may leave others never awaited.
            asyncio.get_running_loop().call_soon(task.cancel)
    cancelled |= tasks
    return tasks


bridge = Bridge()
atexit.register(bridge.shutdown)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=bridge.loop_thread)


@overload
def awaitable(function: None) -> None: ...
@overload
def awaitable(function: Callable[[T], None]) -> Callable[[T], Coroutine[Any, Any, None]]: ...
def awaitable(function: Callable[[T], None] | None) -> Callable[[T], Coroutine[Any, Any, None]] | None:
    """Convert a user's blocking callback to an async function; it runs in a worker thread, never on the loop."""
    if function is None:
        return None
    if inspect.iscoroutinefunction(function):
        raise ConfigurationError("the callback", "must be a blocking function; genauth_async takes coroutine functions")

    async def call(value: T) -> None:
        _in_callback.set(True)  # the work that awaits it has to go on at exit
        # A thread for each, since it may block on calls of this package that need threads themselves. On cancellation
        # the thread is abandoned.
        await to_thread.run_sync(function, value, abandon_on_cancel=True, limiter=CapacityLimiter(math.inf))

    return call


class Facade(Generic[T]):
    """The base of the generated classes: holds the object of genauth_async that does the work."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        clear_frames_of_methods(cls)  # as the core's classes do: no password or token stays in a traceback's frames

    def __init__(self, core: T) -> None:
        self._async = core
        bridge.close_in_time(core)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"A {type(self).__name__} is not pickled; create one in each process")


def core_of(facade: Facade[T]) -> T:
    """Return the object of genauth_async behind a facade."""
    return facade._async  # noqa: SLF001 - the one door to it


def facade_of(cls: type[FacadeT], core: object) -> FacadeT:
    """Create a facade for an object that the core has created; the generated `__init__` creates its own."""
    facade = cls.__new__(cls)
    Facade.__init__(facade, core)
    return facade


class Stream(Facade[AsyncStream[T]]):
    """Items that arrive one after another, for `for`.

    The caller may leave it at any time; `with` or `close` closes one that holds a connection open, and so does dropping
    it. A call that fails, or is interrupted by Ctrl-C, loses nothing: the next one continues from there. Ctrl-C is
    raised once the call is cleaned up, after 5 seconds at most. Any thread may ask for the next item, or close the
    stream; one at a time may wait.

    Raises:
        anyio.BusyResourceError: another thread is waiting for the next item.
    """

    def __init__(self, core: AsyncStream[T]) -> None:
        super().__init__(core)
        # Items that arrived in the moment in which the call was interrupted.
        self._arrived: deque[T] = deque()
        bridge.close_after(self, core.aclose)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        while True:  # another thread may have taken it
            with contextlib.suppress(IndexError):
                return self._arrived.popleft()
            try:
                bridge.run(self._await_next)
            except StopAsyncIteration:
                break
        raise StopIteration

    def last(self) -> T:
        """Read to the end and return the last item, even if it has been returned before.

        Raises:
            LookupError: there was no item.
        """
        item = bridge.run(self._async.last)
        self._arrived.clear()
        return item

    def close(self) -> None:
        """End the stream and close its connection. A thread that waits for an item sees the end."""
        bridge.run(self._async.aclose)
        self._arrived.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def _await_next(self) -> None:
        self._arrived.append(await self._async.__anext__())

    _await_next.__qualname__ = "Stream.__anext__"  # the name that SyncBridgeError says to await
