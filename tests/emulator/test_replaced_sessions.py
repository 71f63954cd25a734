from __future__ import annotations

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.emulator.hosted_pages import PASSWORD, answer_of, ask, authorize, exchange, log_in, send

SERVICE = "http://localhost:5000/cas"


@pytest.fixture(autouse=True)
def bob(emulator: Emulator, user: User) -> User:
    for each in (user, bob := emulator.add_user(username="bob", password=PASSWORD)):
        emulator.hosted_login.consent(each, "openid offline_access")
    return bob


def _sign_in_again_as(account: str, emulator: Emulator, http: httpx.Client) -> None:
    answer_of(log_in(http, ask(emulator, http, prompt="login"), account=account))


def _is_good(emulator: Emulator, http: httpx.Client, code: str) -> bool:
    answer = exchange(emulator, http, code)
    assert answer.status_code == 200 or answer.json()["error"] == "invalid_grant"
    return answer.status_code == 200


@pytest.mark.parametrize(("account", "good"), [("ada", True), ("bob", False)])
@pytest.mark.parametrize("scope", ["openid", "openid offline_access"])
def test_codes_in_flight_die_when_another_user_signs_in(
    emulator: Emulator, http: httpx.Client, account: str, scope: str, good: bool
) -> None:
    code = authorize(emulator, http, scope=scope)["code"]
    _sign_in_again_as(account, emulator, http)
    assert _is_good(emulator, http, code) is good


def test_codes_in_flight_die_with_a_sign_out(emulator: Emulator, http: httpx.Client) -> None:
    code = authorize(emulator, http, scope="openid offline_access")["code"]
    http.get("/login/profile/logout")
    assert not _is_good(emulator, http, code)


@pytest.mark.parametrize(
    ("account", "left"), [("ada", ["openid", "openid offline_access"]), ("bob", ["openid offline_access"])]
)
def test_what_the_first_user_gave_ends_as_by_a_sign_out(
    emulator: Emulator, http: httpx.Client, account: str, left: list[str]
) -> None:
    for scope in ("openid", "openid offline_access"):
        assert _is_good(emulator, http, authorize(emulator, http, scope=scope)["code"])
    before = list(emulator.grants)
    _sign_in_again_as(account, emulator, http)
    assert [grant.scope for grant in before if not grant.revoked] == left


def test_a_consent_page_of_the_first_user_is_void(emulator: Emulator, http: httpx.Client) -> None:
    page = log_in(http, ask(emulator, http, prompt="consent"))
    _sign_in_again_as("bob", emulator, http)
    assert send(http, page, consent="accept").status_code == 400


@pytest.mark.parametrize("account", ["ada", "bob"])
def test_a_cas_ticket_of_a_replaced_session_is_void(emulator: Emulator, http: httpx.Client, account: str) -> None:
    authorize(emulator, http)
    path = f"/cas-idp/{emulator.app_id}"
    ticket = answer_of(http.get(path, params={"service": SERVICE}), SERVICE)["ticket"]
    _sign_in_again_as(account, emulator, http)
    assert http.get(f"{path}/validate", params={"ticket": ticket, "service": SERVICE}).text == "no\n"
