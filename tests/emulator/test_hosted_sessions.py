"""Codes, tickets and questions of one browser session: they serve no other, and expire with it."""

from __future__ import annotations

from typing import Literal

import httpx
import pytest
from joserfc import jwt

from genauth_async.emulator import Emulator, User
from tests.emulator.hosted_pages import (
    PASSWORD,
    Page,
    answer_of,
    ask,
    authorize,
    exchange,
    log_in,
    send,
)

END = "/oidc/session/end"
SERVICE = "http://localhost:5000/cas"


@pytest.fixture
def bob(emulator: Emulator) -> User:
    return emulator.add_user(username="bob", password=PASSWORD)


def _session_of(emulator: Emulator, account: str) -> str:
    """The cookie of a new session in another browser."""
    with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as other:
        log_in(other, ask(emulator, other), account=account)
        return other.cookies["genauth_session"]


def _signed_in(emulator: Emulator) -> list[int]:
    return [emulator.hosted_login.signed_in(emulator.find_user(username=name)) for name in ("ada", "bob")]


@pytest.mark.usefixtures("user", "bob")
@pytest.mark.parametrize("now_is", ["signed out", "ada", "bob"])
@pytest.mark.parametrize("question", ["consent", "logout"])
def test_a_question_is_answered_by_the_session_that_was_asked(
    emulator: Emulator, http: httpx.Client, question: str, now_is: str
) -> None:
    authorize(emulator, http)
    page = ask(emulator, http, prompt="consent") if question == "consent" else http.get(END)
    cookie = http.cookies["genauth_session"]
    http.cookies.delete("genauth_session")
    if now_is != "signed out":
        http.cookies.set("genauth_session", _session_of(emulator, now_is), domain="127.0.0.1", path="/")
    before = _signed_in(emulator), len(list(emulator.grants))
    refused = send(http, page, **{question: "accept"})
    assert refused.status_code == 400
    assert Page(refused.text).alert == "You are not signed in any more."
    assert (_signed_in(emulator), len(list(emulator.grants))) == before
    # The page itself is still good for whom it asked.
    http.cookies.set("genauth_session", cookie, domain="127.0.0.1", path="/")
    assert send(http, page, **{question: "accept"}).status_code == (303 if question == "consent" else 200)


@pytest.mark.usefixtures("user", "bob")
@pytest.mark.parametrize("scope", ["openid", "openid offline_access"])
def test_a_code_dies_when_another_user_signs_in_in_the_browser(
    emulator: Emulator, http: httpx.Client, scope: str
) -> None:
    code = authorize(emulator, http, scope=scope)["code"]
    bobs = answer_of(log_in(http, ask(emulator, http, prompt="login"), account="bob"))["code"]
    refused = exchange(emulator, http, code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert exchange(emulator, http, bobs).status_code == 200


@pytest.mark.usefixtures("user", "bob")
@pytest.mark.parametrize("account", ["ada", "bob"])
def test_a_cas_ticket_dies_at_the_next_sign_in_in_the_browser(
    emulator: Emulator, http: httpx.Client, account: str
) -> None:
    path = f"/cas-idp/{emulator.app_id}"

    def ticket_of(name: str) -> str:
        page = http.get(path, params={"service": SERVICE, "renew": "true"})
        return answer_of(log_in(http, page, account=name), SERVICE)["ticket"]

    tickets = [ticket_of("ada"), ticket_of(account)]
    answers = [http.get(f"{path}/validate", params={"ticket": each, "service": SERVICE}).text for each in tickets]
    assert answers == ["no\n", f"yes\n{account}\n"]


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_a_hint_that_names_another_issuer_does_not_sign_out(algorithm: Literal["HS256", "RS256"]) -> None:
    with Emulator(id_token_alg=algorithm) as emulator:
        user = emulator.add_user(username="ada", password=PASSWORD)
        genuine = emulator.issue_tokens(user)["id_token"]
        state = emulator._state
        key = state.default_app.signing_key if algorithm == "HS256" else state.signing_keys.current
        decoded = jwt.decode(genuine, key, algorithms=[algorithm])
        # What another issuer of the same keys would sign, and, to show that nothing else is wrong, what this one does.
        wrong, right = (
            jwt.encode(decoded.header, decoded.claims | {"iss": issuer}, key, algorithms=[algorithm])
            for issuer in ("https://evil.example/oidc", emulator.issuer)
        )
        with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http:
            authorize(emulator, http)
            refused = http.get(END, params={"id_token_hint": wrong})
            assert refused.status_code == 400
            assert "not issued here" in Page(refused.text).alert
            assert emulator.hosted_login.signed_in(user) == 1
            assert http.get(END, params={"id_token_hint": right}).status_code == 200
            assert emulator.hosted_login.signed_in(user) == 0
