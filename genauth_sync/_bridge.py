"""The event loop on which genauth_sync runs genauth_async's coroutines.

One daemon thread with one asyncio loop serves all clients and all threads of the process. It starts with the first
call, restarts in a forked child, and is closed at exit. A loop in the caller's thread would not do: it cannot run where
a loop runs already (notebooks), and after Ctrl-C the next call would resume the interrupted coroutine.
"""

from __future__ import annotations

import _thread
import asyncio
import atexit
import builtins
import contextlib
import inspect
import math
import os
import select
import selectors
import sys
import threading
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from types import BuiltinFunctionType, TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, ParamSpec, TypeVar, overload

from anyio import CapacityLimiter, to_thread

from genauth_async._core.shielding import is_shielded
from genauth_async._core.tracebacks import clear_frames_of_methods
from genauth_async.errors import ConfigurationError, SyncBridgeError
from genauth_async.stream import Stream as AsyncStream
from genauth_sync._call import Call

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Bridge", "Facade", "Stream", "awaitable", "bridge"]

P = ParamSpec("P")
T = TypeVar("T")
FacadeT = TypeVar("FacadeT", bound="Facade[Any]")

CANCEL_SECONDS = 0.5  # for the cleanup of calls that run at exit, before the clients are closed
EXIT_SECONDS = 0.9  # for all of that at exit


class Bridge:
    """Runs coroutines of any thread on one private event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._epoll: int | None = None
        self._pid = os.getpid()
        self._closed = False
        self._warned = False
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()
        self._watched: weakref.WeakSet[Any] = weakref.WeakSet()
        self._closing: set[asyncio.Task[None]] = set()
        self._of_the_parent: list[object] = []

    def run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run the coroutine that `make` returns; return its result or raise its exception.

        An exception that interrupts the waiting, such as Ctrl-C, cancels the coroutine, which has 5 seconds to clean
        up, and is then raised. The coroutine sees the caller's context variables.

        Raises:
            SyncBridgeError: on the bridge's own loop, where waiting would last for ever, and after the bridge's end.
        """
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            self._check_nesting(here, make)
        loop = self._loop
        if loop is None or self._pid != os.getpid():
            loop = self._start()
        call = Call(make)
        try:
            # This copies the caller's context, which the task then inherits.
            loop.call_soon_threadsafe(call.start, loop)
            call.wait()
        except BaseException:
            call.interrupt(loop)
            raise
        try:
            return call.take()
        except asyncio.CancelledError:
            if self._closed:
                # The process exits, so this is a daemon thread. It blocks, as in any other blocking call: an exception
                # would print a traceback at every exit.
                threading.Event().wait()
            raise

    def close_in_time(self, core: object) -> None:
        """Await a client's `aclose` at exit, or when the client is garbage, if the user has not closed it."""
        if hasattr(core, "aclose"):
            with self._lock:
                self._open.add(core)
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
        loop = self._loop
        if loop is not None and self._pid == os.getpid():
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._start_closing, loop, aclose)

    def _start_closing(self, loop: asyncio.AbstractEventLoop, aclose: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = loop.create_task(aclose())
        self._closing.add(task)  # the loop itself has only a weak reference
        task.add_done_callback(self._closing.discard)

    def shutdown(self) -> None:
        """Cancel running calls, close open clients, and close the loop at exit: later calls fail."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join(EXIT_SECONDS)

    def start_anew(self) -> None:
        """Drop the parent's loop in a forked child.

        The child has only the thread that forked. So the loop stands still, no thread waits for the calls in flight,
        and a lock that another thread held at the fork is never released: even the lock has to be new. The old loop is
        kept, since its transports warn when they are collected unclosed.
        """
        self._of_the_parent.append((self._loop, self._thread))
        if sys.platform == "linux" and self._epoll is not None:
            # Both processes share an epoll set: a connection that the child drops would receive no more events in the
            # parent. So the old loop gets a set of its own, under the old file descriptor.
            with selectors.EpollSelector() as own:
                os.dup2(own.fileno(), self._epoll, inheritable=False)
        self._lock = threading.Lock()
        self._loop = self._thread = None
        self._pid = os.getpid()

    def _start(self) -> asyncio.AbstractEventLoop:
        if self._pid != os.getpid():  # forked without Python's hooks
            self.start_anew()
        with self._lock:
            if self._closed:
                raise SyncBridgeError("genauth_sync must not be called while the interpreter exits")
            if self._loop is None:
                _refuse_green_threads()
                loop = self._new_loop()
                self._thread = threading.Thread(target=self._serve, args=(loop,), name="genauth-sync", daemon=True)
                try:
                    self._thread.start()
                except BaseException:
                    loop.close()
                    raise
                self._loop = loop
            return self._loop

    def _new_loop(self) -> asyncio.AbstractEventLoop:
        from genauth_sync._daemon_executor import DaemonExecutor

        loop: asyncio.AbstractEventLoop
        if sys.platform == "linux":
            selector = selectors.EpollSelector()
            self._epoll = selector.fileno()
            loop = asyncio.SelectorEventLoop(selector)
        else:
            loop = asyncio.new_event_loop()
        loop.set_default_executor(DaemonExecutor())
        return loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._closed:
            # Raised by a task of a library; the code that awaits that task sees it, too.
            with contextlib.suppress(KeyboardInterrupt, SystemExit):
                loop.run_forever()
        loop.run_until_complete(self._wind_up(loop))
        loop.close()

    async def _wind_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Complete or cancel all work on the loop, and close the clients."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            if not is_shielded(task):
                task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
        with self._lock:
            cores = list(self._open)
        await asyncio.gather(*(core.aclose() for core in cores), return_exceptions=True)
        await loop.shutdown_asyncgens()
        # May wait in vain for tasks that ignore cancellation. The exit does not wait for this, and closing a loop with
        # pending tasks would print warnings.
        await asyncio.gather(*tasks, return_exceptions=True)

    def _check_nesting(self, here: asyncio.AbstractEventLoop, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        if here is self._loop:
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


def _refuse_green_threads() -> None:
    if not all(isinstance(function, BuiltinFunctionType) for function in (_thread.allocate_lock, select.select)):
        raise SyncBridgeError(
            "genauth_sync requires real threads and selectors, but gevent or eventlet has replaced them; "
            "patch with thread=False, select=False"
        )


bridge = Bridge()
atexit.register(bridge.shutdown)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=bridge.start_anew)


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
    it. A call that fails, or is interrupted by Ctrl-C, loses nothing: the next one continues from there. Any thread may
    ask for the next item, or close the stream; one at a time may wait.

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
