"""Each public method of the vendor's SDK for Python, and ours of that name, send the same request."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import genauth
import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import given, settings
from hypothesis import strategies as st

from genauth_async import AuthenticationClient
from genauth_async.errors import GenAuthError
from tests.contract.answers import least_answer
from tests.contract.arguments import EVERY_HEALTH_CHECK, NOT_EMPTY, Call, calls, parameters
from tests.contract.differences import DIFFERENCES
from tests.contract.document import CONVENIENCE, OPERATIONS, PROTOCOL
from tests.contract.parity import (
    APP_ID,
    APP_SECRET,
    TOKEN,
    Case,
    Context,
    Difference,
    Faces,
    sent,
)
from tests.every import check_every
from tests.recording import Answer, RecordingServer

VENDOR_METHODS = [
    name for name, _ in inspect.getmembers(genauth.AuthenticationClient, inspect.isfunction) if name[0] != "_"
]
SENDS_NOTHING = ["set_access_token"]
# URLs and random text are made without a request (tests/core/test_authorize.py). Theirs fetches the keys every time
# (tests/core/test_verify.py), and reads plain text about a ticket as JSON (tests/core/test_codes_and_tickets.py).
OTHERWISE = [
    "build_authorize_url",
    "build_logout_url",
    "generate_code_challenge",
    "generate_code_challenge_digest",
    "introspect_token_offline",
    "validate_ticket_v1",
]
NO_REQUEST_OF_THEIRS = ["sub_event"]
ELSEWHERE = [*OTHERWISE, *SENDS_NOTHING, *NO_REQUEST_OF_THEIRS]
COMPARED = [name for name in VENDOR_METHODS if name not in ELSEWHERE]

CASES = [
    Case("required", "client_secret_post", "call"),
    Case("nulls", "client_secret_basic", "client"),
    Case("full", "none", "client"),
    Case("mixed", "client_secret_post", "client"),
    Case("mixed", "none", "call"),
]
EXAMPLES = 3  # of each case

NOTHING = Call((), {}, {}, {})
# What belongs to a connection is needed with it; the documents can only say that it is optional.
NEEDED = {
    "sign_in_by_credentials": {
        "PASSWORD": "password_payload",
        "PASSCODE": "pass_code_payload",
        "LDAP": "ldap_payload",
        "AD": "ad_payload",
    },
    "sign_up": {"PASSWORD": "password_payload", "PASSCODE": "pass_code_payload"},
    "sign_in_by_mobile": dict.fromkeys(parameters("sign_in_by_mobile")[1].enum, "wechat_payload"),
}
# What the vendor's methods have no parameter for, though nothing can be done without it.
BODY = st.dictionaries(st.sampled_from(["page", "credentialIds", "authenticatorCode"]), NOT_EMPTY, min_size=1)
OWN: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "list_credentials_by_page": {"body": BODY},
    "check_valid_credentials_by_cred_ids": {"body": BODY},
    "remove_all_credentials": {"body": BODY},
    # One dot or two would be a step in the path.
    "remove_credential": {"body": BODY, "credential_id": NOT_EMPTY.filter(lambda text: text not in {".", ".."})},
}

MakeFaces = Callable[[str, Case], Faces]


def test_every_method_of_the_vendors_is_accounted_for() -> None:
    documented = {entry["name"] for entry in (*OPERATIONS, *PROTOCOL) if "python" in entry["in"]}
    documented |= {entry["name"] for entry in CONVENIENCE}
    assert set(VENDOR_METHODS) == documented
    assert len(VENDOR_METHODS) == 112
    assert len({*COMPARED, *ELSEWHERE}) == 112
    for difference in DIFFERENCES:
        assert difference.methods
        assert difference.methods <= set(COMPARED), difference.reason


def test_the_parameters_have_the_vendors_names_and_order() -> None:
    check_every([*COMPARED, *OTHERWISE], check_order)


def check_order(method: str) -> None:
    theirs = list(inspect.signature(getattr(genauth.AuthenticationClient, method)).parameters)[1:]
    ours = list(inspect.signature(getattr(AuthenticationClient, method)).parameters)[1:]
    assert method in OTHERWISE or theirs == [parameter.name for parameter in parameters(method)]
    assert ours[: len(theirs)] == theirs


@pytest.mark.parametrize("method", COMPARED)
def test_both_send_the_same(method: str, recorder: RecordingServer, make_faces: MakeFaces) -> None:
    recorder.default = Answer(least_answer(method))
    expected = [difference for difference in DIFFERENCES if method in difference.methods]
    seen: set[Difference] = set()
    for case in CASES:
        _compare(method, case, make_faces(method, case), expected, seen)
    gone = [difference.reason for difference in expected if difference not in seen]
    assert not gone, "the vendor's SDK has been corrected, or the difference was never there"


def _compare(method: str, case: Case, faces: Faces, expected: list[Difference], seen: set[Difference]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=EVERY_HEALTH_CHECK,
    )
    @given(calls(method, case.fill, OWN.get(method, {}), NEEDED))
    def compare(call: Call) -> None:
        theirs, ours, blocking = faces.requests(method, case, call)
        for difference in expected:
            corrected = difference.correct(theirs, Context(method, case, call))
            if corrected != theirs:
                seen.add(difference)
            theirs = corrected
        assert ours == theirs
        assert blocking == ours

    compare()


@pytest.mark.parametrize("method", SENDS_NOTHING)
def test_a_token_that_is_set_goes_with_later_calls(
    method: str, recorder: RecordingServer, make_faces: MakeFaces
) -> None:
    recorder.default = Answer(least_answer("get_identities"))
    case = Case("required", "client_secret_post", "client")
    faces = make_faces("get_identities", case)
    for client in (faces.theirs, faces.ours, faces.blocking):
        getattr(client, method)("another-token")
    assert recorder.requests == []
    theirs, ours, blocking = faces.requests("get_identities", case, NOTHING)
    assert theirs.headers["authorization"] == "another-token"
    assert ours.headers["authorization"] == blocking.headers["authorization"] == "Bearer another-token"


# The vendor's puts a code into the URI as it is (event-uri-unencoded), hands `websockets` an argument that it no longer
# knows (event-websockets-api), and says so on stdout only (event-errors-swallowed).
@pytest.mark.parametrize(("code", "complaint"), [("signed-in", "extra_headers"), ("in & out=ü#", "valid URI")])
@pytest.mark.parametrize("method", NO_REQUEST_OF_THEIRS)
def test_events_are_asked_for_as_documented(
    method: str,
    code: str,
    complaint: str,
    recorder: RecordingServer,
    portal: BlockingPortal,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = (APP_ID, recorder.url, APP_SECRET, TOKEN)
    host = recorder.url.replace("http", "ws")
    getattr(genauth.AuthenticationClient(*own, websocket_host=host), method)(code, print)
    assert recorder.requests == []
    assert complaint in capsys.readouterr().out

    ours = AuthenticationClient(*own, websocket_host=host)
    with pytest.raises(GenAuthError):  # the recorder speaks no WebSocket
        portal.call(getattr(ours, method), code, print)
    portal.call(ours.aclose)
    operation = next(operation for operation in OPERATIONS if operation["name"] == method)
    code_name, token_fingerprint = (parameter["wire"] for parameter in operation["query_params"])
    request = sent(recorder.last)
    assert (request.method, "/".join(request.path)) == ("GET", operation["path"])
    assert request.query == sorted([(code_name, code), (token_fingerprint, TOKEN)])
    assert recorder.last.headers["upgrade"] == "websocket"


def test_a_slash_after_the_host_is_not_doubled(recorder: RecordingServer, portal: BlockingPortal) -> None:
    """Theirs relies on its HTTP library to repair it (host-trailing-slash)."""
    recorder.default = Answer(least_answer("get_country_list"))
    ours = AuthenticationClient(APP_ID, f"{recorder.url}/", APP_SECRET)
    portal.call(ours.get_country_list)
    portal.call(ours.aclose)
    genauth.AuthenticationClient(APP_ID, f"{recorder.url}/", APP_SECRET).get_country_list()
    assert [recorded.target for recorded in recorder.requests] == ["/api/v3/get-country-list"] * 2
