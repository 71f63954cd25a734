"""No secret stays in the local variables of a traceback, where error reporters would find it."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial, wraps
from types import FrameType
from typing import Any, Final, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class FramesCleared:
    """Whatever subclasses' methods raise has its frames cleared.

    The lines of the traceback stay; the locals of our frames, and of the libraries' below them, go: they hold
    passwords, tokens and request bodies. Doing it here, once, is safer than remembering it in every method.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        guard_methods(cls)


# Special methods that users' code calls, and that do more than to call public ones.
_SPECIAL = {"__init__", "__anext__", "__next__"}


def guard_methods(cls: type) -> None:
    """Has the frames of what a class's constructor, public methods and iteration raise cleared."""
    for name, method in list(vars(cls).items()):
        if name.startswith("_") and name not in _SPECIAL:
            continue
        if isinstance(method, classmethod):
            setattr(cls, name, classmethod(guarded(method.__func__)))
        elif inspect.iscoroutinefunction(method):
            setattr(cls, name, _guarded_coroutine(method))
        elif inspect.isfunction(method):
            setattr(cls, name, guarded(method))


def _guarded_coroutine(method: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    @wraps(method)
    async def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        handled = sys.exc_info()[1]
        running = method(*args, **kwargs)
        del args, kwargs  # This frame is on the traceback as well, and cannot be cleared while it runs.
        try:
            return await running
        except BaseException as error:  # A cancellation too: asyncio.timeout makes it the cause of its TimeoutError.
            clear_frames(error, handled)
            raise

    return guarded


def guarded(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """Has the frames of what a function raises cleared."""

    @wraps(method)
    def call_guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        handled = sys.exc_info()[1]
        call = [partial(method, *args, **kwargs)]
        del args, kwargs  # As above.
        try:
            return call.pop()()
        except BaseException as error:
            clear_frames(error, handled)
            raise

    return call_guarded


def clear_frames(error: BaseException, handled: BaseException | None) -> None:
    """Clears the local variables of our frames and of the libraries' on an exception's tracebacks.

    Nobody else's: before Python 3.13, clearing the frame of a coroutine that is suspended ends the coroutine, and one
    of the caller's may have passed this exception on and gone back to its work.

    Args:
        error: what was raised.
        handled: what the caller was handling when it called; that and what led to it are none of our business.
    """
    link: BaseException | None = error
    while link is not None and link is not handled:
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if _may_be_cleared(frame):
                with suppress(RuntimeError):  # it is running
                    frame.clear()
        link = link.__cause__ or link.__context__


_LIBRARIES: Final = {
    "aiohttp",
    "aiohappyeyeballs",
    "anyio",
    "attr",
    "attrs",
    "cattrs",
    "cryptography",
    "genauth_async",
    "genauth_sync",
    "gmssl",
    "h11",
    "h2",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "httpx_aiohttp",
    "joserfc",
    "segno",
    "trio",
    "uvloop",
    "websockets",
} | sys.stdlib_module_names


def _may_be_cleared(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _LIBRARIES
