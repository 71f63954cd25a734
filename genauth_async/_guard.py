"""No secret stays in the local variables of a traceback, where error reporters would find it."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

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
            setattr(cls, name, classmethod(_guarded(method.__func__)))
        elif inspect.iscoroutinefunction(method):
            setattr(cls, name, _guarded_coroutine(method))
        elif inspect.isfunction(method):
            setattr(cls, name, _guarded(method))


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


def _guarded(method: Callable[_P, _T]) -> Callable[_P, _T]:
    @wraps(method)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        handled = sys.exc_info()[1]
        call = [partial(method, *args, **kwargs)]
        del args, kwargs  # As above.
        try:
            return call.pop()()
        except BaseException as error:
            clear_frames(error, handled)
            raise

    return guarded


def clear_frames(error: BaseException, handled: BaseException | None) -> None:
    """Clears the local variables of an exception's frames, and of those that led to it.

    Args:
        error: what was raised.
        handled: what the caller was handling when it called; that and what led to it are none of our business.
    """
    link: BaseException | None = error
    while link is not None and link is not handled:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
