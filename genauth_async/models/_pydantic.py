"""Schemas of DTOs for pydantic, and so for FastAPI's response models and OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from ._fields import attribute_names, required_attributes, wire_names

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

_under_way: Final[ContextVar[frozenset[type]]] = ContextVar("_under_way", default=frozenset())


def core_schema(cls: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
    """Return pydantic's schema of a DTO: objects by wire names; unknown members are kept in `extra`."""
    from pydantic_core import core_schema as make

    ref = f"{cls.__module__}.{cls.__qualname__}:{id(cls)}"
    if cls in _under_way.get():  # it has members of its own class
        return make.definition_reference_schema(ref)
    wires, types, required = wire_names(cls), get_type_hints(cls), required_attributes(cls)
    names: dict[str, list[list[str | int]]] = {attribute: [] for attribute in wires}
    for name, attribute in attribute_names(cls).items():
        names[attribute].append([name])
    with _schema_under_way(cls):
        members = {
            wires[attribute]: make.typed_dict_field(
                handler.generate_schema(types[attribute]),
                required=attribute in required,
                validation_alias=names[attribute],
            )
            for attribute in wires
        }
    return make.no_info_wrap_validator_function(
        lambda value, read: value if isinstance(value, cls) else _built(cls, read(value)),
        make.typed_dict_schema(members, cls_name=cls.__name__, extra_behavior="allow"),
        serialization=make.plain_serializer_function_ser_schema(lambda value: value.to_dict()),
        ref=ref,
    )


@contextmanager
def _schema_under_way(cls: type[Any]) -> Iterator[None]:
    before = _under_way.set(_under_way.get() | {cls})
    try:
        yield
    finally:
        _under_way.reset(before)


def _built(cls: type[Any], members: Mapping[str, Any]) -> object:
    wires = wire_names(cls)
    fields = {attribute: members[wire] for attribute, wire in wires.items() if wire in members}
    extra = {name: value for name, value in members.items() if name not in wires.values()}
    return cls(**fields, extra=extra)
