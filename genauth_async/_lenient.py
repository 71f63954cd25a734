"""DTOs of claims, of which most are no reason to refuse the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from ._wire import ShapeError, structure
from .models._base import Dto

_DtoT = TypeVar("_DtoT", bound=Dto)


def structure_claims(given: object, cls: type[_DtoT], strict: Collection[str]) -> _DtoT:
    """Builds a DTO from claims; one that is of another type than the documented one is kept in `extra`, as it came.

    Args:
        given: the claims.
        cls: their form.
        strict: the claims that have to be of their documented type, among them all that are required.

    Raises:
        ShapeError: one of these is missing, or of another type. It quotes paths, never values.
    """
    try:
        return structure(given, cls)
    except ShapeError:
        if not isinstance(given, Mapping):
            raise
    certain = {name: value for name, value in given.items() if name in strict}
    odd = {
        name: value for name, value in given.items() if name not in strict and not _fits({**certain, name: value}, cls)
    }
    made = structure({name: value for name, value in given.items() if name not in odd}, cls)
    return made.evolve(extra={**made.extra, **odd})


def _fits(given: Mapping[str, object], cls: type[Dto]) -> bool:
    try:
        structure(given, cls)
    except ShapeError:
        return False
    return True
