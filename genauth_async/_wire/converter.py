"""Conversion of decoded JSON to DTOs: answers are read by `leniency`'s table, arguments of callers exactly."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import cache, partial
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

import attrs

from .._core.redaction import MappingMethods, is_mapping, plain_name
from ..errors import ConfigurationError
from ..models._base import Dto
from ..models._fields import (
    attribute_names,
    cached_by_class,
    is_exact_type,
    required_attributes,
    secret_attributes,
    wire_names,
)
from .leniency import LENIENT, OddError, mismatch, read_float, read_scope

if TYPE_CHECKING:
    from cattrs import Converter

_T = TypeVar("_T")
_DtoT = TypeVar("_DtoT", bound=Dto)
_Read: TypeAlias = Callable[[Any], object]
_SLIP: Final = 0.8
_UNIONS: Final = (Union, UnionType)
_MOST_PROBLEMS: Final = 10
_PAGE: Final = frozenset({"list", "totalCount"})
_MISSING: Final = "required field missing"


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
    """Build a DTO from decoded JSON, leniently. Unknown and unreadable members are kept in `extra`.

    Raises:
        ShapeError: a required member is missing or unreadable. It quotes paths, never values.
    """
    return _structured(lambda: _converter(exact=False).structure(value, cls))


def structure_claims(given: object, cls: type[_DtoT], strict: Collection[str]) -> _DtoT:
    """Build a DTO from claims.

    Args:
        given: the claims.
        cls: their DTO class.
        strict: the names of claims that must be readable where they are present, besides the required ones.

    Raises:
        ShapeError: a claim is missing or unreadable. It quotes paths, never values.
    """
    return _structured(lambda: _read_answer(given, cls, strict))


def _structured(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except OddError as error:
        problems = [f"{problem} @ ${path}" for path, problem in error.problems]
    raise ShapeError(problems)


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
    if not is_mapping(value):
        raise ConfigurationError(name, f"must be a {cls.__name__} or a mapping, not {type(value).__name__}")
    try:
        return _structured(lambda: _converter(exact=True).structure(value, cls))
    except ShapeError as error:
        raise ConfigurationError(name, f"does not match {cls.__name__}: {error}") from None


def _read_answer(value: object, cls: type[_DtoT], strict: Collection[str] = ()) -> _DtoT:
    if isinstance(value, cls):
        return value
    if isinstance(value, list) and "list" in _defaults(cls):
        value = {"list": value}
    members = _members(cls)
    fields: dict[str, Any] = {}
    extra: dict[str, object] = {}
    problems: list[tuple[str, str]] = []
    for name, item in _object(value).items():
        member = members.get(name)
        if member is None:
            extra[name] = item
        elif member.is_given(item, fields):
            try:
                fields[member.attribute] = item if type(item) is member.plain else member.read(item)
            except OddError as error:
                if member.is_required or name in strict:
                    problems += _below(f".{member.attribute}", error)
                else:
                    extra[name] = item
    if not problems:
        problems = [(f".{name}", _MISSING) for name in required_attributes(cls) if not _is_filled(name, fields, cls)]
    return _built(cls, fields, extra, problems)


def _object(value: object) -> Mapping[str, object] | MappingMethods:
    if type(value) is dict or is_mapping(value):  # most are, and asking an abstract class takes its time
        return value
    raise mismatch("an object", value)


def _built(
    cls: type[_DtoT], fields: dict[str, Any], extra: dict[str, object], problems: list[tuple[str, str]]
) -> _DtoT:
    if problems:
        raise OddError(problems)
    return cls(**fields, extra=extra) if extra else cls(**fields)


def _is_filled(name: str, fields: dict[str, Any], cls: type[Dto]) -> bool:
    """Return True if a required attribute is there, or is empty where it may be."""
    if name not in fields:
        make = _defaults(cls).get(name)
        if make is None:
            return False
        fields[name] = make()
    return True


@attrs.frozen
class _Member:
    """A member of an object, under one of its names.

    Attributes:
        attribute: its attribute.
        read: reads its value.
        plain: the type of the values that are taken as they are.
        is_alias: True if this is not the member's own name.
        is_required: True if the attribute has no default.
        absent: the values that count as absent, besides None.
    """

    attribute: str
    read: _Read
    plain: type | None
    is_alias: bool
    is_required: bool
    absent: tuple[object, ...]

    def is_given(self, item: object, fields: Mapping[str, object]) -> bool:
        """Return True unless it counts as absent, or the member's own name has come before."""
        if item is None or item in self.absent:
            return False
        return not (self.is_alias and self.attribute in fields)


@cached_by_class
def _members(cls: type[Dto]) -> Mapping[str, _Member]:
    """Return the members of an answer, by each of their names."""
    wires, types, required = wire_names(cls), _types(cls), required_attributes(cls)
    is_of_claims = cls.is_of_claims
    found = {}
    for name, attribute in attribute_names(cls).items():
        kind = _without_none(types[attribute])
        is_text = kind is str or _is_open_enum(kind)
        found[name] = _Member(
            attribute,
            read_scope if _is_scope(attribute) else _reader(kind, exact=kind is bool and is_of_claims),
            str if is_text else bool if kind is bool else None,
            is_alias=name != wires[attribute],
            is_required=attribute in required,
            absent=() if is_of_claims else _absent(attribute, kind, is_secret=attribute in secret_attributes(cls)),
        )
    return found


def _absent(attribute: str, kind: Any, *, is_secret: bool) -> tuple[object, ...]:
    """Return the empty values that stand for None."""
    if kind is object or ((kind is str or _is_open_enum(kind)) and not (is_secret or _is_scope(attribute))):
        return ()
    is_object = _is_dto(kind)
    return ("", []) if is_object or _is_scope(attribute) else ("",)


def _is_scope(attribute: str) -> bool:
    return attribute.endswith("scope")


@cached_by_class
def _defaults(cls: type[Dto]) -> Mapping[str, Callable[[], object]]:
    """Return the makers of required attributes that may be empty: lists, and pages, which require nothing else."""
    types = _types(cls)
    found: dict[str, Callable[[], object]] = {}
    for name in required_attributes(cls):
        kind: Any = types[name]
        if get_origin(kind) is list:
            found[name] = list
        elif (
            isinstance(kind, type)
            and issubclass(kind, Dto)
            and () != required_attributes(kind) == tuple(_defaults(kind))
        ):
            found[name] = partial(_read_answer, {}, kind)
    return found


def _read_argument(value: object, cls: type[_DtoT]) -> _DtoT:
    """Read members by wire or attribute names. Unknown names may be the server's, so they pass; misspelt do not."""
    if isinstance(value, cls):
        return value
    readers = _exact_readers(cls)
    fields: dict[str, Any] = {}
    extra: dict[str, object] = {}
    problems: list[tuple[str, str]] = []
    given = {name: item for name, item in _object(value).items() if item is not None}
    for name, item in given.items():
        attribute = _attribute(name, cls)
        if attribute is None:
            extra[name] = item
        elif attribute in fields:
            raise OddError([("", f"has a member twice, by wire name and by attribute name: {', '.join(given)}")])
        else:
            fields[attribute] = None
            try:
                fields[attribute] = readers[attribute](item)
            except OddError as error:
                problems += _below(f".{attribute}", error)
    problems += [(f".{name}", _MISSING) for name in required_attributes(cls) if name not in fields]
    return _built(cls, fields, extra, problems)


def _attribute(name: object, cls: type[Dto]) -> str | None:
    """Return the attribute of a name, or None if it may be the server's.

    Raises:
        OddError: it is misspelt.
    """
    if not isinstance(name, str):
        raise OddError([("", f"a key must be a str, not {type(name).__name__}")])
    attribute = name if name in wire_names(cls) else attribute_names(cls).get(name)
    if attribute is None and (meant := _meant(name, cls)):
        raise OddError([("", f"has {name!r}; did you mean {meant!r}?")])
    return attribute


def _meant(key: str, cls: type[Dto]) -> str | None:
    """Return the member that an unknown key probably misspells."""
    wire_of = {plain_name(name): name for name in attribute_names(cls)}
    wire_of |= {plain_name(attribute): wire for attribute, wire in wire_names(cls).items()}
    if "passwordencrypttype" in wire_of and "encrypt" in plain_name(key):
        return wire_of["passwordencrypttype"]  # a misspelling must not send a password in the clear
    close = get_close_matches(plain_name(key), wire_of, 1, _SLIP)
    return wire_of[close[0]] if close else None


@cached_by_class
def _exact_readers(cls: type[Dto]) -> Mapping[str, _Read]:
    """Return the readers of an argument's attributes."""
    types = _types(cls)
    return {attribute: _reader(_without_none(types[attribute]), exact=True) for attribute in wire_names(cls)}


def _reader(kind: Any, *, exact: bool) -> _Read:
    """Return the reader of a type."""
    hook = _converter(exact=exact).get_structure_hook(kind)
    return lambda value: hook(value, kind)


@cache
def _converter(*, exact: bool) -> Converter:
    """Return the converter of callers' arguments, which are read exactly, or of answers."""
    # Imported here, so that `import genauth_async` does not wait for it.
    from cattrs import Converter

    converter = Converter()

    readers = _EXACT if exact else LENIENT
    register = converter.register_structure_hook_func
    # By predicate: a hook for the class `object` would serve every class.
    register(lambda kind: kind is object, lambda value, _: value)
    register(_is_dto, _read_argument if exact else _read_answer)
    for plain in readers:
        converter.register_structure_hook(plain, lambda value, kind: readers[kind](value))
    register(_is_open_enum, lambda value, _: readers[str](value))
    register(lambda kind: _has_origin(kind, Literal), lambda value, kind: _read_literal(value, get_args(kind)))
    register(lambda kind: _has_origin(kind, dict), lambda value, _: _object(value))
    converter.register_structure_hook_factory(
        lambda kind: _has_origin(kind, list),
        lambda kind: partial(_read_list, read=_reader(get_args(kind)[0], exact=exact), exact=exact),
    )
    return converter


def _has_origin(kind: Any, origin: object) -> bool:
    found: object = get_origin(kind)
    return found is origin


def _is_dto(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Dto)


def data_type(cls: type[Dto]) -> object:
    """Return the type of a frame's `data`, or None."""
    return _without_none(_types(cls).get("data"))


@cached_by_class
def _types(cls: type[Dto]) -> Mapping[str, Any]:
    """Return the types of the attributes."""
    return get_type_hints(cls)


def _without_none(kind: Any) -> Any:
    """Return the type that an optional attribute has if it is given."""
    if get_origin(kind) not in _UNIONS:
        return kind
    given = tuple(member for member in get_args(kind) if member is not type(None))
    return given[0] if len(given) == 1 else Union[given]  # noqa: UP007 - of members known only now


def _is_open_enum(kind: Any) -> bool:
    """Match `Literal[...] | str`: documented values, and any that the API adds."""
    return get_origin(kind) in _UNIONS and all(
        member is str or get_origin(member) is Literal for member in get_args(kind)
    )


def _as_it_is(value: object) -> object:
    return value


def _read_list(value: object, _: Any, read: _Read, *, exact: bool) -> list[object]:
    if not exact and isinstance(value, dict) and value.keys() <= _PAGE:
        value = value.get("list") or []
    if not isinstance(value, (list, tuple)):
        raise mismatch("an array", value)
    items: list[object] = []
    problems: list[tuple[str, str]] = []
    for index, item in enumerate(value):
        if item is None and not exact:
            continue
        try:
            items.append(read(item))
        except OddError as error:
            problems += _below(f"[{index}]", error)
            if len(problems) >= _MOST_PROBLEMS:
                break
    if problems:
        raise OddError(problems)
    return items


def _below(path: str, error: OddError) -> list[tuple[str, str]]:
    """Return the problems of a part, with their paths from the whole."""
    return [(path + rest, problem) for rest, problem in error.problems]


def _read_literal(value: object, known: tuple[object, ...]) -> object:
    if value in known:
        return value
    raise OddError([("", f"expected one of {', '.join(map(str, known))}")])


def _read_exactly(value: object, kind: type[_T], wanted: str) -> _T:
    if not is_exact_type(value, kind):
        raise mismatch(wanted, value)
    return value


def _read_number(value: object) -> float:
    if isinstance(value, str):
        raise mismatch("a number", value)
    return read_float(value)


_EXACT: Final[Mapping[type, _Read]] = {
    str: partial(_read_exactly, kind=str, wanted="a string"),
    int: partial(_read_exactly, kind=int, wanted="an integer"),
    float: _read_number,
    bool: partial(_read_exactly, kind=bool, wanted="a boolean"),
}
