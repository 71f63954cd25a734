"""Decoded JSON to DTOs, by one cattrs converter; drift from the documents is reported with its path."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, overload

from cattrs import BaseValidationError, Converter, transform_error
from cattrs.gen import make_dict_structure_fn, override

from .errors import ConfigurationError
from .models._base import Dto, attribute_names, wire_names

_DtoT = TypeVar("_DtoT", bound=Dto)
_UNIONS = (Union, UnionType)
_SLIP = 0.8


class ShapeError(Exception):
    """The JSON does not fit the DTO.

    Attributes:
        problems: one line each, with the path.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def structure(value: object, cls: type[_DtoT]) -> _DtoT:
    """Builds a DTO from decoded JSON. Unknown fields are kept in `extra`; null is the same as absent.

    Raises:
        ShapeError: a required field is missing or of another type. It quotes paths, never values.
    """
    try:
        return _converter().structure(value, cls)
    except BaseValidationError as error:
        problems = transform_error(error, path="$", format_exception=_describe)
    except (TypeError, ValueError):
        problems = [f"expected an object, got {type(value).__name__} @ $"]
    # Raised out here, so that no exception with the values in it is attached.
    raise ShapeError(problems)


@overload
def argument(value: _DtoT | Mapping[str, object], cls: type[_DtoT], name: str) -> _DtoT: ...
@overload
def argument(value: _DtoT | Mapping[str, object] | None, cls: type[_DtoT], name: str) -> _DtoT | None: ...
def argument(value: _DtoT | Mapping[str, object] | None, cls: type[_DtoT], name: str) -> _DtoT | None:
    """Turns what a caller passed for a DTO into one: the DTO itself, or a mapping by wire or attribute names.

    Raises:
        ConfigurationError: it does not fit; names the argument.
    """
    if value is None or isinstance(value, cls):
        return value
    if not isinstance(value, Mapping):
        raise ConfigurationError(name, f"takes a {cls.__name__} or a mapping, not {type(value).__name__}")
    wire = wire_names(cls)
    by_wire_name = {wire.get(key, key): item for key, item in value.items()}
    for key in by_wire_name.keys() - attribute_names(cls).keys():
        # Unknown ones are passed on, for what the server may know; but not slips, such as of passwordEncryptType.
        if close := get_close_matches(key, attribute_names(cls), 1, _SLIP):
            raise ConfigurationError(name, f"has {key!r}; did you mean {close[0]!r}?")
    try:
        return structure(by_wire_name, cls)
    except ShapeError as error:
        raise ConfigurationError(name, f"does not fit {cls.__name__}: {error}") from None


def _describe(error: BaseException, _type: type | None) -> str:
    # cattrs' own wording quotes values in some cases.
    return "required field missing" if isinstance(error, KeyError) else str(error)


@cache
def _converter() -> Converter:
    converter = Converter(detailed_validation=True)

    def dto_hook(cls: type[Dto]) -> Any:
        renames: dict[str, Any] = {attribute: override(rename=wire) for attribute, wire in wire_names(cls).items()}
        build = make_dict_structure_fn(cls, converter, extra=override(omit=True), **renames)
        known = attribute_names(cls)
        wires = wire_names(cls)

        def read(value: object, _: type[Dto]) -> Dto:
            if not isinstance(value, Mapping):
                raise _MismatchError("an object", value)
            fields: dict[str, object] = {}
            extra: dict[str, object] = {}
            for name, item in value.items():
                attribute = known.get(name)
                if attribute is None:
                    extra[name] = item
                elif item is not None:
                    fields.setdefault(wires[attribute], item)
            built = build(fields, cls)
            if extra:
                object.__setattr__(built, "extra", extra)
            return built

        return read

    converter.register_structure_hook_factory(lambda cls: isinstance(cls, type) and issubclass(cls, Dto), dto_hook)
    converter.register_structure_hook(str, _read_str)
    converter.register_structure_hook(int, _read_int)
    converter.register_structure_hook(float, _read_float)
    converter.register_structure_hook(bool, _read_bool)
    # By predicate: a hook for the class `object` would serve every class.
    converter.register_structure_hook_func(lambda cls: cls is object, lambda value, _: value)
    converter.register_structure_hook_func(_is_open_enum, _read_str)
    converter.register_structure_hook_func(_is_literal, _read_literal)
    return converter


class _MismatchError(TypeError):
    def __init__(self, wanted: str, got: object) -> None:
        super().__init__(f"expected {wanted}, got {type(got).__name__}")


def _is_open_enum(cls: Any) -> bool:
    """`Literal[...] | str`: documented values, and whatever the API adds."""
    origin: object = get_origin(cls)
    if origin not in _UNIONS:
        return False
    members = [member for member in get_args(cls) if member is not type(None)]
    return len(members) > 1 and all(member is str or _is_literal(member) for member in members)


def _is_literal(cls: Any) -> bool:
    origin: object = get_origin(cls)
    return origin is Literal


def _read_str(value: object, _: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise _MismatchError("a string", value)


def _read_literal(value: object, cls: Any) -> object:
    if value in get_args(cls):
        return value
    raise TypeError(f"expected one of {', '.join(map(str, get_args(cls)))}")


def _read_int(value: object, _: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    raise _MismatchError("an integer", value)


def _read_float(value: object, _: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise _MismatchError("a number", value)


def _read_bool(value: object, _: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _MismatchError("a boolean", value)
