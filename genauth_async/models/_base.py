"""The bases of all DTOs."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import attrs

from .._core.redaction import MASK, MappingMethods, is_mapping, redact_values
from ._fields import attribute_names, dto, secret_attributes, wire_field, wire_names

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

_DtoT = TypeVar("_DtoT", bound="Dto")


@dto
class Dto(MappingMethods):
    """A data transfer object: attributes in snake_case, items by wire name.

    It can be read like the JSON that it came from (`dto["userId"]`, `dict(dto)`, `"email" in dto`), and like an object
    (`dto.user_id`). It is no `Mapping`, since error reporters walk those. A documented item that the server left out is
    not in it, and reads as None. What the server sent beyond the documented fields is kept in `extra`, and read by its
    wire name too. `str()` and `repr()` mask secrets.

    Attributes:
        extra: fields that this version does not know, by their wire names.
    """

    __attrs_attrs__: ClassVar[Any]
    wire_case: ClassVar[str] = "camel"
    is_of_claims: ClassVar[bool] = False

    extra: Mapping[str, object] = wire_field(default=attrs.Factory(dict))

    def to_dict(self) -> dict[str, object]:
        """The JSON form, by wire names, whole; attributes that are None are left out at every depth."""
        fields: dict[str, object] = {}
        for attribute, name in wire_names(type(self)).items():
            value = getattr(self, attribute)
            if value is not None:
                fields[name] = value if isinstance(value, str) else plain(value)
        fields.update(self.extra)
        return fields

    def evolve(self, **changes: object) -> Self:
        """A copy with some attributes changed."""
        # What the server sent in another form is in `extra`, and would hide the attribute that replaces it.
        replaced = {name for name, attribute in attribute_names(type(self)).items() if attribute in changes}
        extra = {name: value for name, value in self.extra.items() if name not in replaced}
        return type(self)(**{**_attributes(self), "extra": extra, **changes})

    def __getitem__(self, name: str) -> object:
        return self.extra[name] if name in self.extra else getattr(self, attribute_names(type(self))[name])

    def __iter__(self) -> Iterator[str]:
        for attribute, name in wire_names(type(self)).items():
            if name not in self.extra and getattr(self, attribute) is not None:
                yield name
        yield from self.extra

    def __contains__(self, name: object) -> bool:
        attribute = attribute_names(type(self)).get(name) if isinstance(name, str) else None
        return name in self.extra or (attribute is not None and getattr(self, attribute) is not None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        """Yield what `repr()` shows, for rich, which would walk the attributes."""
        secret = secret_attributes(type(self))
        for attribute in wire_names(type(self)):
            if (value := getattr(self, attribute)) is not None:
                yield attribute, MASK if attribute in secret else _shown(value)
        if self.extra:
            yield "extra", _Names(self.extra)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema for pydantic and FastAPI: fields, response models and adapters of this class."""
        from ._pydantic import core_schema

        return core_schema(cls, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The JSON schema for OpenAPI."""
        named = handler.resolve_ref_schema(found := handler(schema))
        named.update(title=cls.__name__, description=(cls.__doc__ or "").partition("\n\n")[0])
        return found

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(**copy.deepcopy(_attributes(self), memo))

    def __reduce__(self) -> tuple[object, ...]:
        secret = secret_attributes(type(self))
        held = [
            name
            for name, value in _attributes(self).items()
            if value is not None and (name in secret or (not isinstance(value, Dto) and redact_values(value) != value))
        ]
        if held:
            names = ", ".join(held)
            raise TypeError(
                f"{type(self).__name__} holds secrets ({names}), so it is not pickled; to_dict() is for storing it"
            )
        return _rebuild, (type(self), _attributes(self))


class _Names:
    """The names of a mapping, without its values."""

    def __init__(self, items: Mapping[str, object]) -> None:
        self._shown = f"<{', '.join(items)}>"

    def __repr__(self) -> str:
        return self._shown


def _shown(value: object) -> object:
    """The value, in which members of mappings that may be secret are masked; DTOs mask their own."""
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value if isinstance(value, (Dto, str)) else redact_values(value)


def _attributes(value: Dto) -> dict[str, Any]:
    return {attribute.name: getattr(value, attribute.name) for attribute in attrs.fields(type(value))}


def _rebuild(cls: type[_DtoT], attributes: Mapping[str, Any]) -> _DtoT:
    return cls(**attributes)


def plain(value: object) -> object:
    """The value as decoded JSON, without DTOs."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Dto):
        return value.to_dict()
    if is_mapping(value):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@dto
class Envelope(Dto):
    """The frame of every GenAuth answer.

    Attributes:
        status_code: 200; anything else is raised as an error. Calls of the older API name it `code`.
        message: the server's words.
        api_code: tells errors of one statusCode apart.
        request_id: names this call to the vendor's support.
    """

    status_code: int = wire_field(aliases=("code",))
    message: str | None = None
    api_code: int | None = None
    request_id: str | None = wire_field(default=None, aliases=("uniqueId", "request_id"))
