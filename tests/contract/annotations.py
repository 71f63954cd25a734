"""Signatures, read as types."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from genauth_async import AuthenticationClient, MFARequiredError, PasswordResetRequiredError, models

NAMES = {
    "models": models,
    "Mapping": Mapping,
    "Sequence": Sequence,
    "MFARequiredError": MFARequiredError,
    "PasswordResetRequiredError": PasswordResetRequiredError,
}


def annotation(method: str, parameter: str) -> Any:
    """The type of a parameter of ours."""
    return eval(inspect.signature(getattr(AuthenticationClient, method)).parameters[parameter].annotation, dict(NAMES))


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union, None among them; what is no union is its own only one."""
    return get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)


def comparable(hint: Any) -> frozenset[Any]:
    """The members of a union without None, in a form to compare with: a Literal is the set of its values."""
    return frozenset(
        frozenset(get_args(member)) if get_origin(member) is Literal else member
        for member in alternatives(hint)
        if member is not type(None)
    )
