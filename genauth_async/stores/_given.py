"""Arguments of stores."""

from __future__ import annotations

import inspect


def kind_of(given: object) -> str:
    """Describe an argument of a wrong type, with the remedy if it is a common slip."""
    if isinstance(given, type):
        return f"the class {given.__name__}; create an object of it"
    if inspect.isroutine(given):
        return f"the function {given.__name__}; call it"
    if inspect.isawaitable(given):
        return f"{type(given).__name__}: an `await` is missing before it"
    return type(given).__name__
