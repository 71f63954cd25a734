"""Removal of secrets from tracebacks, where error reporters would find them, and of frames that help no caller.

Local variables hold passwords, tokens and request bodies, so the frames of exceptions are cleared here. Some exceptions
hold secrets themselves, such as UnicodeEncodeError, or lead to frames of callers that do. Code that replaces one raises
its own after the `except` block: inside it, Python would attach the first as `__context__`, even with `from None`.

The traceback of an error that is meant for the caller, a GenAuthError, ends at the public method. Other exceptions are
faults of ours, and keep their frames. With `python -X dev` all do.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial, wraps
from itertools import islice
from types import FrameType, TracebackType
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
            _shorten(error, handled)
            raise  # without this frame, which is not in the traceback any more

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
            _shorten(error, handled)
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


def _shorten(error: BaseException, handled: BaseException | None) -> None:
    """Remove our frames and the libraries' from an error's traceback, except for the public method's."""
    whole = error.__traceback__
    if not getattr(error, "_hides_frames", False) or sys.flags.dev_mode or whole is None or whole.tb_next is None:
        return
    method = whole.tb_next
    theirs = _without_libraries(method.tb_next)
    # Notebooks show a statement as a whole. A long one is left out: the caller's own line names the method, too.
    is_short = _statement_lines(method) <= _MOST_LINES
    shown = TracebackType(theirs, method.tb_frame, method.tb_lasti, method.tb_lineno) if is_short else theirs
    error.__traceback__ = shown
    link = error.__cause__ or error.__context__
    while link is not None and link is not handled:
        link.__traceback__ = _without_libraries(link.__traceback__)
        link = link.__cause__ or link.__context__


_MOST_LINES: Final = 4


def _statement_lines(entry: TracebackType) -> int:
    code = entry.tb_frame.f_code
    first, last, *_ = next(islice(code.co_positions(), entry.tb_lasti // 2, None), (None, None))
    return 1 if first is None or last is None else last - first + 1


def _without_libraries(traceback: TracebackType | None) -> TracebackType | None:
    entries = []
    while traceback is not None:
        if not _may_be_cleared(traceback.tb_frame):
            entries.append(traceback)
        traceback = traceback.tb_next
    kept: TracebackType | None = None
    for entry in reversed(entries):
        kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept


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
