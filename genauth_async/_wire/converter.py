"""Conversion of decoded JSON to DTOs by one cattrs converter, which reports mismatches with their paths."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import cache, partial
from sys import float_info
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeGuard, TypeVar, Union, get_args, get_origin, overload

from .._core.redaction import plain_name
from ..errors import ConfigurationError
from ..models._base import Dto
from ..models._fields import attribute_names, is_exact_type, wire_names

if TYPE_CHECKING:
    from cattrs import Converter

_T = TypeVar("_T")
_DtoT = TypeVar("_DtoT", bound=Dto)
_UNIONS = (Union, UnionType)
_SLIP = 0.8
_MOST_PROBLEMS = 10
_LARGEST_INT = 2**63
_INT_DIGITS = 19
_LARGEST_FLOAT = float_info.max


class ShapeError(Exception):
    """The JSON does not match the DTO.

    Attributes:
        problems: one line per mismatch, with its path.
    """

    def __init__(self, problems: list[str]) -> None:
        more = len(problems) - _MOST_PROBLEMS
        super().__init__("; ".join([*problems[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]))
        self.problems = problems


def structure(value: object, cls: type[_DtoT]) -> _DtoT:
    """Build a DTO from decoded JSON. Unknown fields are kept in `extra`; null is the same as absent.

    Raises:
        ShapeError: a required field is missing, or a field has another type. It quotes paths, never values.
    """
    return _structured(value, cls, _answer_converter())


def _structured(value: object, cls: type[_DtoT], converter: Converter) -> _DtoT:
    try:
        return converter.structure(value, cls)
    except _ProblemError as error:
        problems = [f"{error} @ $"]
    except Exception as error:
        from cattrs import BaseValidationError, transform_error

        if not isinstance(error, BaseValidationError):
            raise
        problems = transform_error(error, path="$", format_exception=_describe)
    raise ShapeError(problems)


def structure_claims(given: object, cls: type[_DtoT], strict: Collection[str]) -> _DtoT:
    """Build a DTO from claims; a claim that lacks its documented type is kept in `extra`, unchanged.

    Args:
        given: the claims.
        cls: their DTO class.
        strict: the claims that must have their documented type, among them all that are required.

    Raises:
        ShapeError: a strict claim is missing, or has another type. It quotes paths, never values.
    """
    try:
        return structure(given, cls)
    except ShapeError:
        if not isinstance(given, Mapping):
            raise
    certain = {name: value for name, value in given.items() if name in strict}
    odd = {
        name: given[name]
        for name in attribute_names(cls)
        if name in given and name not in strict and not _fits({**certain, name: given[name]}, cls)
    }
    made = structure({name: value for name, value in given.items() if name not in odd}, cls)
    return made.evolve(extra={**made.extra, **odd})


def _fits(given: Mapping[str, object], cls: type[Dto]) -> bool:
    try:
        structure(given, cls)
    except ShapeError:
        return False
    return True


@overload
def argument(value: _DtoT | Mapping[str, object], cls: type[_DtoT], name: str) -> _DtoT: ...
@overload
def argument(value: _DtoT | Mapping[str, object] | None, cls: type[_DtoT], name: str) -> _DtoT | None: ...
def argument(value: _DtoT | Mapping[str, object] | None, cls: type[_DtoT], name: str) -> _DtoT | None:
    """Convert a caller's argument to a DTO, from the DTO itself or a mapping by wire or attribute names.

    Raises:
        ConfigurationError: it does not match; the message names the argument.
    """
    if value is None or isinstance(value, cls):
        return value
    if not isinstance(value, Mapping):
        raise ConfigurationError(name, f"must be a {cls.__name__} or a mapping, not {type(value).__name__}")
    try:
        return _structured(value, cls, _argument_converter())
    except ShapeError as error:
        raise ConfigurationError(name, f"does not match {cls.__name__}: {error}") from None


def _describe(error: BaseException, _type: type | None) -> str:
    # cattrs' own messages quote some values.
    return "required field missing" if isinstance(error, KeyError) else str(error)


@cache
def _answer_converter() -> Converter:
    return _converter(_of_answer, exact=False)


@cache
def _argument_converter() -> Converter:
    return _converter(_of_argument, exact=True)


def _of_answer(value: Mapping[str, object], cls: type[Dto]) -> tuple[dict[str, object], dict[str, object]]:
    """Split members into the known ones, by wire name, and the unknown ones."""
    known = attribute_names(cls)
    wires = wire_names(cls)
    fields: dict[str, object] = {}
    extra: dict[str, object] = {}
    for name, item in value.items():
        attribute = known.get(name)
        if attribute is None:
            extra[name] = item
        elif item is not None:
            fields.setdefault(wires[attribute], item)
    return fields, extra


def _of_argument(value: Mapping[str, object], cls: type[Dto]) -> tuple[dict[str, object], dict[str, object]]:
    """Do the same, by attribute names too. Unknown names may be the server's, so they pass; misspelt ones do not."""
    wires = wire_names(cls)
    for key in value:
        if not isinstance(key, str):
            raise _ProblemError(f"a key must be a str, not {type(key).__name__}")
    given = [(wires.get(key, key), item) for key, item in value.items() if item is not None]
    fields, extra = _of_answer(dict(given), cls)
    if len(dict(given)) < len(given):
        raise _ProblemError(f"has a member twice, by wire name and by attribute name: {', '.join(value)}")
    for key in extra:
        if meant := _meant(key, cls):
            raise _ProblemError(f"has {key!r}; did you mean {meant!r}?")
    return fields, extra


def _meant(key: str, cls: type[Dto]) -> str | None:
    """Return the member that an unknown key probably misspells."""
    wire_of = {plain_name(name): name for name in attribute_names(cls)}
    wire_of |= {plain_name(attribute): wire for attribute, wire in wire_names(cls).items()}
    if "passwordencrypttype" in wire_of and "encrypt" in plain_name(key):
        return wire_of["passwordencrypttype"]  # a misspelling must not send a password in the clear
    close = get_close_matches(plain_name(key), wire_of, 1, _SLIP)
    return wire_of[close[0]] if close else None


_Reader: TypeAlias = Callable[[Mapping[str, object], type[Dto]], tuple[dict[str, object], dict[str, object]]]


def _converter(read_members: _Reader, *, exact: bool) -> Converter:
    # Imported here, so that `import genauth_async` does not wait for it.
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, override

    converter = Converter(detailed_validation=True)

    def dto_hook(cls: type[Dto]) -> Any:
        renames: dict[str, Any] = {attribute: override(rename=wire) for attribute, wire in wire_names(cls).items()}
        build = make_dict_structure_fn(cls, converter, extra=override(omit=True), **renames)

        def read(value: object, _: type[Dto]) -> Dto:
            if type(value) is not dict:  # most are, and asking an abstract class takes its time
                if isinstance(value, cls):
                    return value
                if not isinstance(value, Mapping):
                    raise _MismatchError("an object", value)
            fields, extra = read_members(value, cls)
            built = build(fields, cls)
            if extra:
                object.__setattr__(built, "extra", extra)
            return built

        return read

    converter.register_structure_hook_factory(lambda cls: isinstance(cls, type) and issubclass(cls, Dto), dto_hook)
    read_text = _exact(str, "a string") if exact else _read_str
    converter.register_structure_hook(str, read_text)
    converter.register_structure_hook(int, _exact(int, "an integer") if exact else lambda value, _: read_int(value))
    converter.register_structure_hook(float, _read_float)
    if not exact:
        converter.register_structure_hook_factory(_is_list, partial(_list_hook, converter))
    converter.register_structure_hook(bool, _read_bool)
    # By predicate: a hook for the class `object` would serve every class.
    converter.register_structure_hook_func(lambda cls: cls is object, lambda value, _: value)
    converter.register_structure_hook_func(_is_open_enum, read_text)
    converter.register_structure_hook_func(_is_literal, _read_literal)
    return converter


def _is_list(cls: Any) -> bool:
    origin: object = get_origin(cls)
    return origin is list


def _list_hook(converter: Converter, cls: Any) -> Callable[[object, Any], list[Any]]:
    """Read a list as cattrs does, but stop after some mismatches: each is an exception with its frames."""
    from cattrs import IterableValidationError, IterableValidationNote

    (kind,) = get_args(cls)

    def read(value: object, _: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise _MismatchError("an array", value)
        read_item = converter.get_structure_hook(kind)  # a class may have a list of itself
        items: list[Any] = []
        problems: list[Exception] = []
        for index, item in enumerate(value):
            try:
                items.append(read_item(item, kind))
            except Exception as error:  # noqa: BLE001 - as cattrs does
                note = f"Structuring {cls} @ index {index}"
                error.add_note(IterableValidationNote(note, index, kind))
                problems.append(error)
                if len(problems) == _MOST_PROBLEMS:
                    break
        if problems:
            raise IterableValidationError(f"While structuring {cls}", problems, cls)  # pyright: ignore[reportCallIssue]
        return items

    return read


class _ProblemError(TypeError):
    """A mismatch, described without quoting values."""


class _MismatchError(_ProblemError):
    def __init__(self, wanted: str, got: object) -> None:
        super().__init__(f"expected {wanted}, got {type(got).__name__}")


def _is_open_enum(cls: Any) -> bool:
    """Match `Literal[...] | str`: documented values, and any that the API adds."""
    origin: object = get_origin(cls)
    if origin not in _UNIONS:
        return False
    members = [member for member in get_args(cls) if member is not type(None)]
    return len(members) > 1 and all(member is str or _is_literal(member) for member in members)


def _is_literal(cls: Any) -> bool:
    origin: object = get_origin(cls)
    return origin is Literal


def _exact(kind: type[_T], wanted: str) -> Callable[[object, Any], _T]:
    """Return a reader of one exact type, since callers' values are not converted."""

    def read(value: object, _: Any) -> _T:
        if is_exact_type(value, kind):
            return value
        raise _MismatchError(wanted, value)

    return read


def _read_str(value: object, _: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise _MismatchError("a string", value)


def _read_literal(value: object, cls: Any) -> object:
    if value in get_args(cls):
        return value
    raise _ProblemError(f"expected one of {', '.join(map(str, get_args(cls)))}")


def read_int(value: object) -> int:
    """Read an integer of 64 bits as servers write it: also as 200.0, or as a string.

    Raises:
        TypeError: it is not an integer, or larger; the message does not quote it.
    """
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif (isinstance(value, float) and value.is_integer()) or _is_decimal(value):
        number = int(value)
    if number is None or not is_int64(number):
        raise _MismatchError("an integer", value)
    return number


def is_int64(number: Any) -> bool:
    """Return True if an integer has 64 bits at most."""
    return bool(-_LARGEST_INT <= number < _LARGEST_INT)


def _is_decimal(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= _INT_DIGITS and value.isascii() and value.isdecimal()


def _read_float(value: object, _: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -_LARGEST_FLOAT <= value <= _LARGEST_FLOAT:
        return float(value)
    raise _MismatchError("a number", value)


def _read_bool(value: object, _: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _MismatchError("a boolean", value)
