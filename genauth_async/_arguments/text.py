"""Checks of text arguments."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TypeVar

from ..errors import ConfigurationError

_EnumT = TypeVar("_EnumT", bound=str)
_TextT = TypeVar("_TextT", str, str | None)


def described(value: object) -> str:
    """Return the type of a wrong argument for a message, and the remedy if it is known. Close a coroutine."""
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()  # or it warns that it was never awaited, which the error says better
        return f"{type(value).__name__}: an `await` is missing"
    if isinstance(value, type):
        return f"the class {value.__name__}: create an instance of it"
    return type(value).__name__


def one_of(argument: str, value: str, allowed: tuple[_EnumT, ...]) -> _EnumT:
    """Return the allowed value that equals this one.

    Raises:
        ConfigurationError: no allowed value equals it.
    """
    for known in allowed:
        if known == value:
            return known
    raise ConfigurationError(argument, f"must be one of {', '.join(allowed)}, not {value!r}")


def require_str(argument: str, value: str | None) -> str:
    """Require a str that is not empty.

    Raises:
        ConfigurationError: it is empty, or not a str.
    """
    if isinstance(value, str) and value:
        return value
    problem = "must not be empty" if value is None or value == "" else f"must be a str, not {described(value)}"
    raise ConfigurationError(argument, problem)


def stripped(value: _TextT) -> _TextT:
    """Remove blanks and line breaks around a str; other values are returned unchanged, for later checks."""
    return value.strip() if isinstance(value, str) else value


def path_segment(argument: str, value: str) -> str:
    """Require a str that can be a path segment.

    Raises:
        ConfigurationError: it is empty, or dots, which HTTP libraries would resolve to another path.
    """
    if value in {".", ".."}:
        raise ConfigurationError(argument, "must not be '.' or '..'")
    return require_str(argument, value)


def require_str_list(argument: str, value: Sequence[str]) -> list[str]:
    """Require a list of str.

    Raises:
        ConfigurationError: it is a single str, which would be read as a list of letters, or not a list of str.
    """
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return list(value)
    raise ConfigurationError(argument, f"must be a list of str, not {described(value)}")


def require_token(token: str, argument: str = "access_token") -> str:
    """Require a token that can stand in a header.

    Raises:
        ConfigurationError: it cannot; the message does not quote it.
    """
    if isinstance(token, str) and token and token.isascii() and token.isprintable() and " " not in token:
        return token
    problem = f", not {described(token)}" if not isinstance(token, str) else ""
    raise ConfigurationError(
        argument, f"must be a token: not empty, of ASCII characters without spaces and line breaks{problem}"
    )
