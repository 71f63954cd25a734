"""Removal of secrets from tracebacks, where error reporters would find them.

Local variables hold passwords, tokens and request bodies, so the frames of exceptions are cleared here. Some exceptions
hold secrets themselves, such as UnicodeEncodeError, or lead to frames of callers that do. Code that replaces one raises
its own after the `except` block: inside it, Python would attach the first as `__context__`, even with `from None`.
"""

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


class ClearsTracebackFrames:
    """Base class: clears the frames of exceptions that its subclasses' methods raise.

    The traceback keeps its lines. The locals of our frames, and of libraries' frames below them, go. One base class is
    safer than a reminder in every method.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        clear_frames_of_methods(cls)


# Special methods that callers use and that do more than call public methods.
_SPECIAL = {"__init__", "__anext__", "__next__"}


def clear_frames_of_methods(cls: type) -> None:
    """Clear the frames of exceptions that a class's constructor, public methods and iteration raise."""
    for name, method in list(vars(cls).items()):
        if name.startswith("_") and name not in _SPECIAL:
            continue
        if isinstance(method, classmethod):
            setattr(cls, name, classmethod(clears_frames(method.__func__)))
        elif inspect.iscoroutinefunction(method):
            setattr(cls, name, _clears_frames_of_coroutine(method))
        elif inspect.isfunction(method):
            setattr(cls, name, clears_frames(method))


def _clears_frames_of_coroutine(method: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    @wraps(method)
    async def clears_frames(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        handled = sys.exc_info()[1]
        running = method(*args, **kwargs)
        del args, kwargs  # This frame is in the traceback too, and cannot be cleared while it runs.
        try:
            return await running
        except BaseException as error:  # A cancellation too: asyncio.timeout makes it the cause of its TimeoutError.
            clear_frames(error, handled)
            raise

    return clears_frames


def clears_frames(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """Clear the frames of exceptions that a function raises."""

    @wraps(method)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        handled = sys.exc_info()[1]
        call = [partial(method, *args, **kwargs)]
        del args, kwargs  # As above.
        try:
            return call.pop()()
        except BaseException as error:
            clear_frames(error, handled)
            raise

    return call


def clear_frames(error: BaseException, handled: BaseException | None) -> None:
    """Clear the local variables of our frames and of the libraries' in an exception's tracebacks.

    Callers' frames are left alone. Before Python 3.13, clearing the frame of a suspended coroutine ends the coroutine,
    and a caller's coroutine may have passed this exception on and resumed its work.

    Args:
        error: the exception raised.
        handled: the exception that the caller was handling when it called; it and its causes are left alone.
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
    "joserfc",
    "segno",
    "trio",
    "uvloop",
    "websockets",
} | sys.stdlib_module_names


def _may_be_cleared(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _LIBRARIES
