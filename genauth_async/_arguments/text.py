"""Text that callers pass, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..errors import ConfigurationError

_EnumT = TypeVar("_EnumT", bound=str)


def one_of(argument: str, value: str, allowed: tuple[_EnumT, ...]) -> _EnumT:
    """The value as one of those allowed.

    Raises:
        ConfigurationError: it is none of them.
    """
    for known in allowed:
        if known == value:
            return known
    raise ConfigurationError(argument, f"must be one of {', '.join(allowed)}, not {value!r}")


def needed(argument: str, value: str | None) -> str:
    """A text that is not empty.

    Raises:
        ConfigurationError: it is empty, or no text.
    """
    if isinstance(value, str) and value:
        return value
    problem = "is needed, and is empty" if value is None or value == "" else f"is text, not {type(value).__name__}"
    raise ConfigurationError(argument, problem)


def segment(argument: str, value: str) -> str:
    """A text that can stand in a path.

    Raises:
        ConfigurationError: it is empty, or dots, which HTTP libraries would resolve to another path.
    """
    if value in {".", ".."}:
        raise ConfigurationError(argument, "cannot be dots")
    return needed(argument, value)


def texts(argument: str, value: Sequence[str]) -> list[str]:
    """A list of texts.

    Raises:
        ConfigurationError: it is one text, which would be taken for a list of letters, or no list of texts.
    """
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return list(value)
    raise ConfigurationError(argument, f"is a list of texts, not {type(value).__name__}")


def checked_token(token: str, argument: str = "access_token") -> str:
    """A token that can stand in a header.

    Raises:
        ConfigurationError: it cannot; without quoting it.
    """
    if isinstance(token, str) and token and token.isascii() and token.isprintable() and " " not in token:
        return token
    raise ConfigurationError(
        argument, "is not a token: it is empty, or has spaces, line breaks or non-ASCII characters"
    )
