from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.emulator.hosted_pages import PASSWORD, Page, answer_of, authorize, log_in

pytestmark = pytest.mark.usefixtures("user")
SERVICE = "http://localhost:5000/cas"
NAMESPACE = {"cas": "http://www.yale.edu/tp/cas"}


def _log_in(emulator: Emulator, http: httpx.Client, service: str = SERVICE) -> str:
    response = http.get(f"/cas-idp/{emulator.app_id}", params={"service": service})
    if response.status_code == 200:
        response = log_in(http, response)
    return answer_of(response, service)["ticket"]


def _validate(
    emulator: Emulator, http: httpx.Client, ticket: str, service: str = SERVICE, **query: str
) -> httpx.Response:
    path = f"/cas-idp/{emulator.app_id}/{'serviceValidate' if query else 'validate'}"
    return http.get(path, params={"ticket": ticket, "service": service, **query})


def test_version_1_tells_the_username_once(emulator: Emulator, http: httpx.Client) -> None:
    ticket = _log_in(emulator, http)
    assert ticket.startswith("ST-")
    response = _validate(emulator, http, ticket)
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text == "yes\nada\n"
    assert _validate(emulator, http, ticket).text == "no\n"


def test_users_without_a_username_are_known_by_their_id(emulator: Emulator, http: httpx.Client) -> None:
    bob = emulator.add_user(email="bob@example.com", password=PASSWORD)
    page = http.get(f"/cas-idp/{emulator.app_id}", params={"service": SERVICE})
    ticket = answer_of(log_in(http, page, account="bob@example.com"), SERVICE)["ticket"]
    assert _validate(emulator, http, ticket).text == f"yes\n{bob.id}\n"


def test_version_2_tells_more_as_json(emulator: Emulator, user: User, http: httpx.Client) -> None:
    ticket = _log_in(emulator, http)
    answer = _validate(emulator, http, ticket, format="JSON").json()
    success = answer["serviceResponse"]["authenticationSuccess"]
    assert success["user"] == "ada"
    assert success["attributes"]["sub"] == user.id
    assert success["attributes"]["email_verified"] is True
    answer = _validate(emulator, http, ticket, format="JSON").json()
    assert answer["authenticationFailure"]["code"] == "INVALID_TICKET"
    assert ticket not in answer["authenticationFailure"]["description"]


def test_version_2_tells_more_as_xml(emulator: Emulator, user: User, http: httpx.Client) -> None:
    user.nickname = "<&>"
    ticket = _log_in(emulator, http)
    response = _validate(emulator, http, ticket, format="XML")
    assert response.headers["content-type"].startswith("application/xml")
    root = ET.fromstring(response.text)
    success = root.find("cas:authenticationSuccess", NAMESPACE)
    assert success is not None
    assert success.findtext("cas:user", namespaces=NAMESPACE) == "ada"
    attributes = success.find("cas:attributes", NAMESPACE)
    assert attributes is not None
    assert attributes.findtext("cas:nickname", namespaces=NAMESPACE) == "<&>"
    assert attributes.findtext("cas:email_verified", namespaces=NAMESPACE) == "true"
    failure = ET.fromstring(_validate(emulator, http, ticket, format="XML").text)
    [refusal] = failure.findall("cas:authenticationFailure", NAMESPACE)
    assert refusal.get("code") == "INVALID_TICKET"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("service", "INVALID_SERVICE"),
        ("application", "INVALID_TICKET"),
        ("time", "INVALID_TICKET"),
        ("sign-out", "INVALID_TICKET"),
        ("removal", "INVALID_TICKET"),
        ("lock", "INVALID_TICKET"),
        ("no ticket", "INVALID_REQUEST"),
        ("no service", "INVALID_REQUEST"),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_a_ticket_is_good_for_what_it_was_issued_for(
    emulator: Emulator, user: User, http: httpx.Client, change: str, code: str, version: int
) -> None:
    ticket = _log_in(emulator, http)
    app_id = emulator.add_app().app_id if change == "application" else emulator.app_id
    query = {"ticket": ticket, "service": SERVICE, "format": "JSON"}
    if change == "service":
        query["service"] = f"{SERVICE}/"
    elif change == "time":
        emulator.clock.advance(60)
    elif change == "sign-out":
        http.get("/cas-idp/logout")
    elif change == "removal":
        emulator.remove_user(user)
    elif change == "lock":
        emulator.lock_user(user)
    elif change.startswith("no "):
        del query[change.removeprefix("no ")]
    if version == 1:
        assert http.get(f"/cas-idp/{app_id}/validate", params=query).text == "no\n"
    else:
        answer = http.get(f"/cas-idp/{app_id}/serviceValidate", params=query).json()
        assert answer["authenticationFailure"]["code"] == code
    if change in {"service", "application"}:
        # Who tried it the wrong way has used it up.
        assert _validate(emulator, http, ticket).text == "no\n"


def test_a_session_serves_cas_as_well(emulator: Emulator, user: User, http: httpx.Client) -> None:
    path = f"/cas-idp/{emulator.app_id}"
    assert answer_of(http.get(path, params={"service": SERVICE, "gateway": "true"}), SERVICE) == {}
    authorize(emulator, http)
    response = http.get(path, params={"service": f"{SERVICE}?a=b", "gateway": "true"})
    assert set(answer_of(response, SERVICE)) == {"a", "ticket"}
    assert http.get(path, params={"service": SERVICE, "renew": "true"}).status_code == 200
    assert Page(http.get(path).text).title == "Signed in"
    emulator.lock_user(user)
    assert Page(http.get(path).text).title == f"Sign in to {emulator.app_id}"


def test_a_service_may_insist_on_the_password(emulator: Emulator, http: httpx.Client) -> None:
    path = f"/cas-idp/{emulator.app_id}"

    def verdicts(ticket: Callable[[], str]) -> list[object]:
        first = http.get(f"{path}/validate", params={"ticket": ticket(), "service": SERVICE, "renew": "true"}).text
        second = _validate(emulator, http, ticket(), format="JSON", renew="true").json()
        third = _validate(emulator, http, ticket(), format="JSON", renew="false").json()
        failure = second.get("authenticationFailure", {}).get("code")
        return [first, failure, "serviceResponse" in third]

    def with_password() -> str:
        page = http.get(path, params={"service": SERVICE, "renew": "true", "gateway": "true"})
        return answer_of(log_in(http, page), SERVICE)["ticket"]

    assert verdicts(with_password) == ["yes\nada\n", None, True]
    assert verdicts(lambda: _log_in(emulator, http)) == ["no\n", "INVALID_TICKET", True]
    http.get("/cas-idp/logout")
    ticket = _log_in(emulator, http)  # a first sign-in, without a request for renewal
    assert _validate(emulator, http, ticket, format="JSON", renew="true").json()["serviceResponse"]


def test_a_refused_ticket_is_used_up(emulator: Emulator, http: httpx.Client) -> None:
    _log_in(emulator, http)
    ticket = _log_in(emulator, http)
    query = {"ticket": ticket, "service": SERVICE}
    assert http.get(f"/cas-idp/{emulator.app_id}/validate", params=query | {"renew": "true"}).text == "no\n"
    assert http.get(f"/cas-idp/{emulator.app_id}/validate", params=query).text == "no\n"


def test_services_have_to_be_registered(emulator: Emulator, http: httpx.Client) -> None:
    path = f"/cas-idp/{emulator.app_id}"
    assert http.get(path, params={"service": "https://evil.example/"}).status_code == 400
    assert http.get(path, params=[("service", SERVICE), ("service", SERVICE)]).status_code == 400
    assert http.get("/cas-idp/unknown", params={"service": SERVICE}).status_code == 404
    emulator.hosted_login.allow_redirect("https://app.example/cas")
    assert http.get(path, params={"service": SERVICE}).status_code == 400
    assert _log_in(emulator, http, "https://app.example/cas")


def test_what_cas_has_besides_is_not_modelled(emulator: Emulator, http: httpx.Client) -> None:
    assert http.get(f"/cas-idp/{emulator.app_id}/proxyValidate").status_code == 501
    assert http.get(f"/api/v2/saml-idp/{emulator.app_id}").status_code == 501
