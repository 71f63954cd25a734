"""Fields of DTOs: their names on the wire, their types, and which hold secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeGuard, TypeVar, dataclass_transform, overload

import attrs

ListOf = list
"""For classes that have an attribute called list."""

_T = TypeVar("_T")

_ClassT = TypeVar("_ClassT", bound=type)

_WIRE = "wire"
_ALIASES = "aliases"
_SECRET = "secret"  # noqa: S105 - the name of a metadata entry


@overload
def wire_field(*, default: _T, wire: str | None = None, aliases: tuple[str, ...] = (), secret: bool = False) -> _T: ...
@overload
def wire_field(*, wire: str | None = None, aliases: tuple[str, ...] = (), secret: bool = False) -> Any: ...
def wire_field(
    *, default: Any = attrs.NOTHING, wire: str | None = None, aliases: tuple[str, ...] = (), secret: bool = False
) -> Any:
    """An attribute whose name on the wire is irregular, or whose value is never shown.

    Args:
        default: the attribute's default; without one it is required.
        wire: its name on the wire, where that is not the attribute's in camelCase.
        aliases: other names under which it is read.
        secret: redacted in reprs, and the DTO does not pickle.
    """
    return attrs.field(default=default, metadata={_WIRE: wire, _ALIASES: aliases, _SECRET: secret})


def _hides(_cls: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Mark what other packages' printers of attrs classes must not show: secrets, and JSON that may hold some."""
    return [
        field.evolve(repr=field.name != "extra" and not field.metadata.get(_SECRET) and "object" not in str(field.type))
        for field in fields
    ]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(wire_field,))
def dto(cls: type[_T]) -> type[_T]:
    """Makes a class a frozen, slotted, keyword-only attrs class with `Dto`'s repr."""
    return attrs.frozen(kw_only=True, repr=False, field_transformer=_hides)(cls)


def cached_by_class(compute: Callable[[_ClassT], _T]) -> Callable[[_ClassT], _T]:
    """Compute once for each class: `functools.cache`, whose types do not take classes of attrs."""
    return cache(compute)


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


@cached_by_class
def wire_names(cls: type[attrs.AttrsInstance]) -> Mapping[str, str]:
    """The wire name of each attribute."""
    convert = _camel if getattr(cls, "wire_case", "camel") == "camel" else str
    return {
        attribute.name: attribute.metadata.get(_WIRE) or convert(attribute.name)
        for attribute in attrs.fields(cls)
        if attribute.name != "extra"
    }


@cached_by_class
def attribute_names(cls: type[attrs.AttrsInstance]) -> Mapping[str, str]:
    """The attribute for each name under which it is read, its wire name first."""
    names = {wire: attribute for attribute, wire in wire_names(cls).items()}
    for attribute in attrs.fields(cls):
        names.update(dict.fromkeys(attribute.metadata.get(_ALIASES, ()), attribute.name))
    return names


@cached_by_class
def secret_attributes(cls: type[attrs.AttrsInstance]) -> frozenset[str]:
    """The attributes that are never shown."""
    return frozenset(attribute.name for attribute in attrs.fields(cls) if attribute.metadata.get(_SECRET))


@cached_by_class
def required_attributes(cls: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    """The attributes that have no default."""
    return tuple(attribute.name for attribute in attrs.fields(cls) if attribute.default is attrs.NOTHING)


@cached_by_class
def scalar_attributes(cls: type[attrs.AttrsInstance]) -> Mapping[str, type]:
    """The attributes that are plain texts, numbers or booleans."""
    scalars = {"str": str, "int": int, "bool": bool}
    types = {attribute.name: str(attribute.type).removesuffix(" | None") for attribute in attrs.fields(cls)}
    return {name: scalars[kind] for name, kind in types.items() if kind in scalars}


def is_exact_type(value: object, kind: type[_T]) -> TypeGuard[_T]:
    """Return True if the value is of exactly this type; True and False are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
