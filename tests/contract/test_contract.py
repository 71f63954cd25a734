"""Every operation, parameter, DTO and field of the API's documents is there, under its name and of its type."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import attrs
import pytest

from genauth_async import AuthenticationClient, models
from genauth_async.models._base import Dto, Envelope
from genauth_async.models._fields import attribute_names, required_attributes, wire_names
from tests.contract.annotations import alternatives, annotation, comparable
from tests.contract.document import DTOS, OPERATIONS, our_name
from tests.contract.required_in_answers import REQUIRED
from tests.every import check_every

# What differs from the documents, and why. Nothing else may.
OPTIONAL_IN_REQUESTS = {
    ("SignUpOptionsDto", "context"): "flagged as required, but no SDK of the vendor sends it",
}
REQUIRED_ANYWAY = {("LoginTokenResponseDataDto", "expire_in"): "read from either spelling, and optional"}
RENAMED = {("ArrResourceAuthAction", "values"): "values_", ("ArrayAuthorize", "values"): "values_"}
# Elsewhere an enum's parameter takes any text, since a later version of the API may know more values. These do not: the
# SDK itself has to know what belongs to the connection, and how to encrypt.
CLOSED = {
    ("sign_up", "connection"),
    ("sign_in_by_credentials", "connection"),
    ("update_password", "password_encrypt_type"),
    ("reset_password", "password_encrypt_type"),
    ("validate_password", "password_encrypt_type"),
}
ANYTHING = frozenset({object})
OTHER_ARGUMENTS: dict[tuple[str, str], frozenset[Any]] = {
    # Documented as texts, with true and false for values.
    ("generate_link_ext_idp_url", "need_url_redirect"): frozenset({bool, str}),
    ("generate_link_ext_idp_url", "only_redirect_token"): frozenset({bool, str}),
    ("generate_link_ext_idp_url", "need_form_post"): frozenset({bool, str}),
    # Documented as the JSON text that it becomes.
    ("put_event", "data"): ANYTHING,
}

REQUESTED = {operation["request_dto"] for operation in OPERATIONS} - {None}


def references(name: str) -> set[str]:
    return {found for field in DTOS[name] for found in re.findall(r"ref:(\w+)", field["type"])}


def reachable(names: set[str]) -> set[str]:
    found = set(names)
    while more := {inner for name in found for inner in references(name)} - found:
        found |= more
    return found


REQUESTS = reachable(REQUESTED)


def dto(name: str) -> type[Dto]:
    found: type[Dto] = getattr(models, name)
    return found


def test_every_dto_has_every_field() -> None:
    check_every(DTOS, check_fields)


def check_fields(name: str) -> None:
    cls = dto(name)
    wires = set(wire_names(cls).values())
    documented = {field["wire"] for field in DTOS[name]}
    assert wires == documented, f"missing {documented - wires}, invented {wires - documented}"
    assert inspect.getdoc(cls)
    for field in DTOS[name]:
        attribute = attribute_names(cls)[field["wire"]]
        assert attribute == attribute.lower()
        hint = hints(cls)[attribute]
        documented_type = type_of(field)
        assert fits(hint, documented_type), f"{name}.{attribute}: {hint} is not {documented_type}"


def test_what_is_sent_is_as_required_as_documented() -> None:
    check_every(sorted(REQUESTS), check_required_in_requests)


def check_required_in_requests(name: str) -> None:
    cls = dto(name)
    for field in DTOS[name]:
        attribute = getattr(attrs.fields(cls), attribute_names(cls)[field["wire"]])
        required = attribute.default is attrs.NOTHING
        if (name, field["wire"]) in OPTIONAL_IN_REQUESTS:
            assert not required
        else:
            assert required == field["required"], f"{name}.{attribute.name}"


def test_what_is_received_is_never_more_required_than_documented() -> None:
    check_every(sorted(DTOS.keys() - REQUESTS), check_required_in_answers)


def check_required_in_answers(name: str) -> None:
    """Answers' fields may be optional although documented as required, except for the data itself."""
    cls = dto(name)
    for field in DTOS[name]:
        attribute = getattr(attrs.fields(cls), attribute_names(cls)[field["wire"]])
        required = attribute.default is attrs.NOTHING
        assert field["required"] or not required, f"{name}.{attribute.name}"
        if field["wire"] in {"data", "statusCode"}:
            assert required == field["required"], f"{name}.{attribute.name}"


def test_answers_require_only_what_the_sdk_depends_on() -> None:
    """One attribute more, and sign-ins fail where an older or a private deployment leaves it out."""
    found = set()
    for name in set(dir(models)) - REQUESTS:
        cls = getattr(models, name)
        if isinstance(cls, type) and issubclass(cls, Dto):
            # A frame's own are as documented, says the test above.
            own = {"status_code", "data"} if issubclass(cls, Envelope) else set()
            found |= {f"{name}.{attribute}" for attribute in required_attributes(cls) if attribute not in own}
    decided = {f"{name}.{attribute}" for name, attributes in REQUIRED.items() for attribute in attributes}
    assert sorted(found - decided) == []
    assert sorted(decided - found) == [], "these have become optional: take them off the list"


def test_every_operation_has_every_parameter() -> None:
    check_every(OPERATIONS, check_parameters, our_name)


def check_parameters(operation: dict[str, Any]) -> None:
    method = getattr(AuthenticationClient, our_name(operation))
    parameters = inspect.signature(method).parameters
    for parameter in documented_parameters(operation):
        assert parameter["name"] in parameters
        ours = parameters[parameter["name"]]
        required = ours.default is inspect.Parameter.empty
        assert required == parameter["required"], ours
        hint = annotation(our_name(operation), parameter["name"])
        expected = argument_of(our_name(operation), parameter)
        assert comparable(hint) == expected, ours
        if expected != ANYTHING:
            assert (type(None) in alternatives(hint)) != required, ours
    returned = inspect.signature(method).return_annotation
    if operation["http"] != "WEBSOCKET":
        assert returned == f"models.{operation['response_dto'] or 'UntypedRespDto'}"


def documented_parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Both SDKs' parameters, by our names."""
    if operation["name"] == "sub_event":
        return []
    given = [dict(parameter) for parameter in operation.get("python_params") or []]
    known = {parameter["wire"] for parameter in given}
    further = [*operation.get("path_params", []), *(operation.get("query_params") or [])]
    if operation["request_dto"] is not None:
        further += DTOS[operation["request_dto"]]
    for parameter in further:
        if parameter["wire"] not in known:
            known.add(parameter["wire"])
            given.append({**parameter, "name": parameter.get("name") or snake(parameter["wire"])})
    return given


def argument_of(method: str, parameter: dict[str, Any]) -> frozenset[Any]:
    """Return the type of a documented parameter in the form of `comparable`."""
    if other := OTHER_ARGUMENTS.get((method, parameter["name"])):
        return other
    kind: str = parameter["type"]
    if kind.startswith("ref:"):
        return frozenset({dto(kind[4:]), Mapping[str, object]})
    if kind == "array<string>":
        return frozenset({Sequence[str]})
    if kind == "enum":
        known = frozenset(parameter["enum"])
        return frozenset({known} if (method, parameter["name"]) in CLOSED else {known, str})
    return frozenset({{"string": str, "boolean": bool, "number": int, "any": object}[kind]})


def snake(wire: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", wire)
    return words.replace("-", "_").lower()


def hints(cls: type[Dto]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, Dto):
            module = vars(sys.modules[base.__module__])
            # One by one: `typing.get_type_hints` would take an attribute called list for the type.
            found |= {name: eval(hint, module) for name, hint in vars(base).get("__annotations__", {}).items()}
    return found


def type_of(field: dict[str, Any]) -> Any:
    """The documented type, in a form to compare with."""
    kind: str = field["type"]
    if inner := re.fullmatch(r"array<(.*)>", kind):
        return [type_of({**field, "type": inner[1]})]
    if kind.startswith("ref:"):
        return dto(kind[4:])
    if kind == "enum":
        return frozenset(field["enum"])
    return {"string": {str}, "boolean": {bool}, "number": {int, float}, "any": {object}}[kind]


def fits(hint: Any, documented: Any) -> bool:
    members = [member for member in get_args(hint) or [hint] if member is not type(None)]
    if get_origin(hint) is list:
        members = [hint]
    if get_origin(hint) is Literal:
        members = [hint]
    if isinstance(documented, list):
        return len(members) == 1 and get_origin(members[0]) is list and fits(get_args(members[0])[0], documented[0])
    if isinstance(documented, frozenset):
        literals = [member for member in members if get_origin(member) is Literal]
        return len(literals) == 1 and frozenset(get_args(literals[0])) == documented
    if isinstance(documented, set):
        return len(members) == 1 and members[0] in documented
    return members == [documented]


def test_envelopes_are_envelopes() -> None:
    for name, fields in DTOS.items():
        is_envelope = any(field["wire"] == "statusCode" for field in fields)
        assert issubclass(dto(name), Envelope) == is_envelope, name


def test_every_model_can_be_imported_from_the_package() -> None:
    assert set(DTOS) <= set(dir(models))
    for name in dir(models):
        assert getattr(models, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'NoSuchDto'"):
        models.NoSuchDto  # type: ignore[attr-defined]  # noqa: B018
