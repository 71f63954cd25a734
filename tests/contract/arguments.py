"""Arguments for the vendor's methods and ours, drawn from the documented types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from attrs import frozen
from hypothesis import HealthCheck
from hypothesis import strategies as st

from tests.contract.document import CONVENIENCE, DTOS, OPERATIONS

EVERY_HEALTH_CHECK: list[HealthCheck] = list(HealthCheck)  # pyright: ignore[reportAssignmentType]
Fill = Literal["required", "nulls", "full", "mixed"]
"""What is given for optional parameters and members: nothing; None, or an object of Nones; a value; any of these."""

# Letters of several scripts and widths, and whatever means something in a URL, a form, a header or JSON.
TEXTS = st.text(st.sampled_from("aZ09 éß界😀&=+%/?#@:;,.~\"'\\<>{}[]\n\t\u2028"), max_size=8)
NOT_EMPTY = TEXTS.filter(bool)
TOKENS = st.text(st.sampled_from("aZ09-._~+/="), min_size=1, max_size=12)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
# Here passwords are compared, and encrypted ones have another test.
ENCRYPTED = {"rsa", "sm2"}
# Texts in a body of which an empty one is refused by ours, since it is a mistake.
NEVER_EMPTY = {"eventType", "newPassword", "oldPassword"}


@frozen
class Parameter:
    """One parameter of a method; the wire name is a path, such as passwordPayload.email."""

    name: str
    wire: str
    kind: str
    is_required: bool
    enum: tuple[str, ...] = ()
    in_json: bool = True


@frozen
class Call:
    """A method's arguments, given by position and by name.

    Attributes:
        args: those by position.
        kwargs: those by name.
        given: all of them, by name.
        own: further ones that only our method takes.
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    given: Mapping[str, Any]
    own: Mapping[str, Any]


def parameters(method: str) -> list[Parameter]:
    """The documented parameters of a method that both SDKs for Python have, in order."""
    return [_parameter(method, found) for found in _DOCUMENTED[method]]


def calls(
    method: str, fill: Fill, own: Mapping[str, st.SearchStrategy[Any]], needed: Mapping[str, Mapping[str, str]]
) -> st.SearchStrategy[Call]:
    """Calls of a method.

    Args:
        method: its name.
        fill: what is given where nothing need be.
        own: what only ours takes.
        needed: for values of the parameter `connection`, the optional parameter that has to be given with each.
    """

    @st.composite
    def drawn(draw: st.DrawFn) -> Call:
        found = parameters(method)
        given = {}
        for parameter in found:
            value = draw(_filled(parameter, fill))
            if value is not _ABSENT:
                given[parameter.name] = value
        companion = needed.get(method, {}).get(given.get("connection", ""))
        if companion is not None and given.get(companion) is None:
            given[companion] = draw(_values(next(p for p in found if p.name == companion), fill))
        leading = draw(st.integers(0, len(found)))
        args = tuple(given.get(parameter.name) for parameter in found[:leading])
        kwargs = {parameter.name: given[parameter.name] for parameter in found[leading:] if parameter.name in given}
        return Call(args, kwargs, given, {name: draw(strategy) for name, strategy in own.items()})

    return drawn()


def members(dto: str, fill: Fill) -> st.SearchStrategy[dict[str, Any]]:
    """Plain dicts with a DTO's wire names."""
    required, optional = {}, {}
    for field in DTOS[dto]:
        strategy = of_type(field["type"], fill, tuple(field.get("enum") or ()))
        if field["required"] or fill == "full":
            required[field["wire"]] = strategy
        elif fill == "nulls":
            required[field["wire"]] = st.none()
        elif fill == "mixed":
            optional[field["wire"]] = st.none() | strategy
    if fill == "mixed":
        # What a later version of the API may know.
        optional["$unheardOf"] = NOT_EMPTY
    return st.fixed_dictionaries(required, optional=optional)


def of_type(kind: str, fill: Fill, enum: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """Values of a documented type."""
    if inner := re.fullmatch(r"array<(.*)>", kind):
        return st.lists(of_type(inner[1], fill, enum), max_size=3)
    if kind.startswith("ref:"):
        return members(kind.removeprefix("ref:"), fill)
    if kind == "enum":
        return st.sampled_from([value for value in enum if value not in ENCRYPTED])
    simple: dict[str, st.SearchStrategy[Any]] = {
        "string": TEXTS,
        "boolean": st.booleans(),
        "number": st.integers(0, 2**31),
        "any": ANYTHING,
        "data": ANYTHING,
    }
    return simple[kind]


_ABSENT = object()


def _filled(parameter: Parameter, fill: Fill) -> st.SearchStrategy[Any]:
    if parameter.is_required or fill == "full":
        return _values(parameter, fill)
    if fill == "required":
        return st.just(_ABSENT)
    if fill == "nulls":
        return _values(parameter, fill) if parameter.kind.startswith("ref:") else st.none()
    return st.just(_ABSENT) | st.none() | _values(parameter, fill)


def _values(parameter: Parameter, fill: Fill) -> st.SearchStrategy[Any]:
    if parameter.kind == "token":
        return TOKENS
    names_something = parameter.kind == "string" and parameter.is_required and not parameter.in_json
    if names_something or parameter.wire in NEVER_EMPTY:
        return NOT_EMPTY
    kind = "string" if parameter.kind == "data" and fill == "required" else parameter.kind
    drawn = of_type(kind, fill, parameter.enum)
    return drawn.filter(lambda value: value is not None) if parameter.is_required else drawn


_HEADER = "header:authorization"
_DOCUMENTED: dict[str, list[dict[str, Any]]] = {
    **{operation["name"]: operation["python_params"] for operation in OPERATIONS if "python" in operation["in"]},
    **{convenience["name"]: convenience["params"] for convenience in CONVENIENCE},
    # RFC 6749 sections 4.1.3, 4.4.2, 6; RFC 7009 section 2.1; RFC 7662 section 2.1; OpenID Connect Core section 5.3.1.
    "get_new_access_token_by_refresh_token": [{"name": "refresh_token", "wire": "refresh_token", "required": True}],
    "get_access_token_by_code": [
        {"name": "code", "wire": "code", "required": True},
        {"name": "code_verifier", "wire": "code_verifier", "required": False, "type": "enum", "enum": ["v" * 43]},
    ],
    "get_access_token_by_client_credentials": [
        {"name": "scope", "wire": "scope", "required": True},
        {"name": "access_key", "wire": "client_id", "required": True},
        {"name": "access_secret", "wire": "client_secret", "required": True},
    ],
    "revoke_token": [{"name": "token", "wire": "token", "required": True}],
    "introspect_token": [{"name": "token", "wire": "token", "required": True}],
    "get_user_info_by_access_token": [{"name": "access_token", "wire": _HEADER, "required": True}],
}
_BODIES: dict[str, str | None] = {operation["name"]: operation["request_dto"] for operation in OPERATIONS}
_BODIES |= {convenience["name"]: _BODIES[convenience["calls"]] for convenience in CONVENIENCE}
_IN_JSON = {operation["name"] for operation in OPERATIONS if operation["params_in"] == "json"} | {
    convenience["name"] for convenience in CONVENIENCE
}


def _parameter(method: str, found: Mapping[str, Any]) -> Parameter:
    name, wire, in_json = found["name"], found["wire"], method in _IN_JSON
    if wire == _HEADER:
        return Parameter(name, wire, "token", found["required"], in_json=in_json)
    if found.get("encoding") == "json-string":
        # Documented as the text that it becomes.
        return Parameter(name, wire, "data", found["required"])
    body = _BODIES.get(method)
    typed = found if "type" in found or body is None else _member(body, wire)
    enum = tuple(typed.get("enum") or ())
    return Parameter(name, wire, typed.get("type", "string"), found["required"], enum, in_json)


def _member(dto: str, path: str) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    field = next(field for field in DTOS[dto] if field["wire"] == head)
    return _member(field["type"].removeprefix("ref:"), rest) if rest else field
