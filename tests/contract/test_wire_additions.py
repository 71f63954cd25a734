"""Calls that the vendor's SDK for Python lacks: ours sends them as documented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genauth_async import ConfigurationError
from tests.contract.answers import least_answer
from tests.contract.arguments import EVERY_HEALTH_CHECK, NEVER_EMPTY, NOT_EMPTY, Fill, of_type
from tests.contract.differences import without_nulls
from tests.contract.document import OPERATIONS, our_name
from tests.contract.parity import APP_ID, APP_SECRET, STANDING_HEADERS, TOKEN, Case, Faces, Sent, sent
from tests.contract.test_contract import documented_parameters
from tests.contract.user_tokens import TAKEN
from tests.recording import Answer, RecordingServer

FILLS: list[Fill] = ["required", "nulls", "full", "mixed"]
FURTHER_PARAMETERS = {"generate_link_ext_idp_url", "sign_in_by_mobile", "update_password"}
ADDED = [o for o in OPERATIONS if "python" not in o["in"] or o["name"] in FURTHER_PARAMETERS]
WITH_CREDENTIALS = {"sign_in_by_mobile"}
# The documents do not say what these have in their bodies.
UNKNOWN_BODY = st.dictionaries(NOT_EMPTY, NOT_EMPTY, min_size=1, max_size=2)


@pytest.mark.parametrize("operation", ADDED, ids=our_name)
def test_what_the_vendors_python_sdk_lacks_is_sent_as_documented(
    operation: dict[str, Any], recorder: RecordingServer, make_faces: Callable[[str, Case], Faces]
) -> None:
    name = our_name(operation)
    recorder.default = Answer(least_answer(operation["name"]))
    for fill in FILLS:
        faces = make_faces(name, Case(fill, "client_secret_post", "client"))
        _compare(operation, fill, getattr(faces.ours, name), faces)


def _compare(operation: dict[str, Any], fill: Fill, method: Callable[..., Any], faces: Faces) -> None:
    @settings(
        max_examples=3,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=EVERY_HEALTH_CHECK,
    )
    @given(_arguments(operation, fill))
    def compare(arguments: dict[str, Any]) -> None:
        async def call() -> None:
            await method(**arguments)

        faces.recorder.requests.clear()
        faces.portal.call(call)
        (recorded,) = faces.recorder.requests
        assert sent(recorded) == _documented(operation, arguments)

    compare()


@st.composite
def _arguments(draw: st.DrawFn, operation: dict[str, Any], fill: Fill) -> dict[str, Any]:
    found: dict[str, Any] = {}
    not_in_json = {
        parameter["wire"] for kind in ("path_params", "query_params") for parameter in operation.get(kind) or []
    }
    for parameter in documented_parameters(operation):
        strategy = of_type(parameter["type"], fill, tuple(parameter.get("enum") or ()))
        if parameter["wire"] in NEVER_EMPTY:
            strategy = NOT_EMPTY
        if parameter["required"]:
            if parameter["wire"] in not_in_json:
                strategy = NOT_EMPTY.filter(lambda text: text not in {".", ".."})
            found[parameter["name"]] = draw(strategy)
        elif fill == "full" or (fill == "mixed" and draw(st.booleans())):
            found[parameter["name"]] = draw(strategy)
        elif fill == "nulls":
            found[parameter["name"]] = None
    if operation["name"] == "sign_in_by_mobile" and not any(
        value is not None for name, value in found.items() if name.endswith("payload")
    ):
        found["douyin_mini_program_code_payload"] = {"code": draw(NOT_EMPTY)}
    if operation["http"] == "POST" and operation["params_in"] == "none":
        found["body"] = draw(UNKNOWN_BODY)
    return found


def _documented(operation: dict[str, Any], arguments: Mapping[str, Any]) -> Sent:
    """The request that the documents describe."""
    in_path = {parameter["wire"] for parameter in operation.get("path_params", [])}
    in_query = {parameter["wire"] for parameter in operation.get("query_params") or []}
    path: str = operation["path"]
    segments = path.split("/")
    query: list[tuple[str, str]] = []
    body: dict[str, Any] = dict(arguments.get("body", {}))
    for parameter in documented_parameters(operation):
        wire, value = parameter["wire"], arguments.get(parameter["name"])
        if value is None:
            continue
        if wire in in_path:
            segments = [value if segment == f"{{{wire}}}" else segment for segment in segments]
        elif wire in in_query:
            query.append((wire, str(value).lower() if isinstance(value, bool) else str(value)))
        else:
            body[wire] = without_nulls(value, parameter["type"])
    headers = dict(STANDING_HEADERS["client"])
    if our_name(operation) in TAKEN:
        headers["authorization"] = f"Bearer {TOKEN}"
    if operation["name"] in WITH_CREDENTIALS:
        body = body if "client_id" in body else {"client_id": APP_ID, "client_secret": APP_SECRET, **body}
    has_body = operation["http"] in {"POST", "PUT"}
    if has_body:
        headers["content-type"] = "application/json"
    return Sent(operation["http"], segments, sorted(query), headers, body if has_body else None)


@pytest.mark.parametrize("text", ["", ".", ".."])
@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.get("path_params")], ids=our_name)
def test_no_text_in_a_path_leads_to_another_place(
    operation: dict[str, Any], text: str, recorder: RecordingServer, make_faces: Callable[[str, Case], Faces]
) -> None:
    """HTTP libraries take one dot or two for "here" and "one up", and quoting cannot prevent it."""
    name = our_name(operation)
    faces = make_faces(name, Case("required", "client_secret_post", "client"))
    arguments = {parameter["name"]: "text" for parameter in documented_parameters(operation) if parameter["required"]}

    async def call(**arguments: str) -> None:
        await getattr(faces.ours, name)(**arguments)

    for parameter in documented_parameters(operation):
        if parameter["wire"] in {placed["wire"] for placed in operation["path_params"]}:
            with pytest.raises(ConfigurationError, match=parameter["name"]):
                faces.portal.call(partial(call, **(arguments | {parameter["name"]: text})))
    assert recorder.requests == []
