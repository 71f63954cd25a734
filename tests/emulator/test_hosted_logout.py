from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Literal

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.emulator.hosted_pages import PASSWORD, Page, answer_of, authorize, exchange, log_in, request_of, send

pytestmark = pytest.mark.usefixtures("user")
END = "/oidc/session/end"
AFTER = "http://localhost:5000/bye"


def _id_token(emulator: Emulator, http: httpx.Client, **changes: str) -> str:
    token: str = exchange(emulator, http, authorize(emulator, http, **changes)["code"]).json()["id_token"]
    return token


def _is_signed_in(emulator: Emulator, http: httpx.Client) -> bool:
    return "code" in answer_of(http.get("/oidc/auth", params=request_of(emulator, prompt="none")))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_id_token_ends_the_session_at_once(emulator: Emulator, user: User, http: httpx.Client, method: str) -> None:
    id_token = _id_token(emulator, http)
    emulator.clock.advance(15 * 24 * 3600 - 100)  # the token has expired, which does not matter
    authorize(emulator, http, prompt="login")
    fields = {"id_token_hint": id_token, "post_logout_redirect_uri": AFTER, "state": "a&b"}
    response = http.get(END, params=fields) if method == "GET" else http.post(END, data=fields)
    assert response.status_code == 303
    assert response.headers["location"] == f"{AFTER}?state=a%26b"
    assert 'genauth_session=""' in response.headers["set-cookie"]
    assert emulator.hosted_login.signed_in(user) == 0
    assert not _is_signed_in(emulator, http)


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_a_hint_has_to_be_an_id_token_of_this_server(algorithm: Literal["HS256", "RS256"]) -> None:
    with Emulator(id_token_alg=algorithm) as emulator, Emulator(id_token_alg=algorithm) as stranger:
        user = emulator.add_user(username="ada", password=PASSWORD)
        tokens = emulator.issue_tokens(user)
        other = emulator.add_app(token_endpoint_auth_method="none")
        forged = stranger.issue_tokens(stranger.add_user(username="ada"))["id_token"]
        header, payload, signature = tokens["id_token"].split(".")
        hints = [
            "x",
            "\N{SNOWMAN}",
            forged,
            tokens["access_token"],
            f"{header}.{payload}.{signature[:-4]}AAAA",
            f"eyJhbGciOiJub25lIn0.{payload}.",
            "eyJhbGciOiJIUzI1NiJ9.W10.AAAA",
            f"eyJhbGciOiJIUzI1NiJ9.{urlsafe_b64encode(b'[' * 20_000).decode().rstrip('=')}.AAAA",
        ]
        with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http:
            authorize(emulator, http)
            for hint in hints:
                response = http.get(END, params={"id_token_hint": hint, "post_logout_redirect_uri": AFTER})
                assert response.status_code == 400
                assert "not issued here" in Page(response.text).alert
            both = {"id_token_hint": tokens["id_token"], "client_id": other.app_id}
            assert http.get(END, params=both).status_code == 400
            assert _is_signed_in(emulator, http)
            assert http.get(END, params={"id_token_hint": tokens["id_token"]}).status_code == 200
            assert not _is_signed_in(emulator, http)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"post_logout_redirect_uri": AFTER}, "needs an id_token_hint"),
        ({"client_id": "own", "post_logout_redirect_uri": AFTER}, "needs an id_token_hint"),
        ({"client_id": "unknown"}, "no such application"),
        ({"id_token_hint": "own", "post_logout_redirect_uri": "https://evil.example/"}, "not registered"),
        ({"id_token_hint": "own", "post_logout_redirect_uri": "javascript:alert(1)"}, "not registered"),
    ],
)
def test_a_sign_out_leads_nowhere_unasked(
    emulator: Emulator, http: httpx.Client, fields: dict[str, str], message: str
) -> None:
    own = {"id_token_hint": _id_token(emulator, http), "client_id": emulator.app_id}
    fields = {name: own[name] if value == "own" else value for name, value in fields.items()}
    response = http.get(END, params=fields)
    assert response.status_code == 400
    assert message in Page(response.text).alert
    assert http.get(END, params=[("state", "a"), ("state", "b")]).status_code == 400
    assert _is_signed_in(emulator, http)


def test_a_registered_address_replaces_those_of_this_machine(emulator: Emulator, http: httpx.Client) -> None:
    emulator.hosted_login.allow_logout_redirect("https://app.example/bye?a=b")
    fields = {"id_token_hint": _id_token(emulator, http), "state": "s"}
    assert http.get(END, params=fields | {"post_logout_redirect_uri": AFTER}).status_code == 400
    response = http.get(END, params=fields | {"post_logout_redirect_uri": "https://app.example/bye?a=b"})
    assert response.headers["location"] == "https://app.example/bye?a=b&state=s"


@pytest.mark.parametrize("choice", ["accept", "deny"])
@pytest.mark.parametrize("hinted", [False, True])
def test_without_the_users_own_id_token_a_page_asks(
    emulator: Emulator, http: httpx.Client, choice: str, hinted: bool
) -> None:
    authorize(emulator, http)
    fields = {"client_id": emulator.app_id}
    if hinted:
        fields["id_token_hint"] = emulator.issue_tokens(emulator.add_user(username="bob"))["id_token"]
        fields["post_logout_redirect_uri"] = AFTER
    page = http.get(END, params=fields)
    assert page.status_code == 200
    assert _is_signed_in(emulator, http)
    response = send(http, page, logout=choice)
    if choice == "accept" and hinted:
        assert (response.status_code, response.headers["location"]) == (303, AFTER)
    elif choice == "accept":
        assert (response.status_code, Page(response.text).title) == (200, "Signed out")
    else:
        assert (response.status_code, Page(response.text).title) == (200, "Signed in")
    assert _is_signed_in(emulator, http) == (choice == "deny")


def test_forms_of_other_sites_do_not_sign_out(emulator: Emulator, http: httpx.Client) -> None:
    authorize(emulator, http)
    page = http.get(END)
    assert http.post(Page(page.text).form.action, data={"logout": "accept"}).status_code == 403
    assert _is_signed_in(emulator, http)


def test_what_the_session_gave_dies_with_it(emulator: Emulator, http: httpx.Client) -> None:
    other = emulator.add_app()
    id_token = _id_token(emulator, http, scope="openid offline_access")
    for scope in ("openid", "openid offline_access"):
        page = http.get("/oidc/auth", params=request_of(emulator, client_id=other.app_id, scope=scope))
        code = answer_of(page if page.status_code == 303 else send(http, page, consent="accept"))["code"]
        exchange(emulator, http, code, client_id=other.app_id, client_secret=other.app_secret)
    bystander = emulator.issue_tokens(emulator.find_user(username="ada"))
    http.get(END, params={"id_token_hint": id_token})
    alive = [(grant.app_id, grant.scope) for grant in emulator.grants if not grant.revoked]
    assert alive == [
        (other.app_id, "openid offline_access"),
        (emulator.app_id, bystander["scope"]),
    ]


def test_who_signs_in_again_keeps_what_the_session_gave(emulator: Emulator, http: httpx.Client) -> None:
    authorize(emulator, http)
    id_token = _id_token(emulator, http, prompt="login")
    assert emulator.grants.alive == 2
    http.get(END, params={"id_token_hint": id_token})
    assert emulator.grants.alive == 0


def test_a_logout_without_a_session_asks_no_question(emulator: Emulator, http: httpx.Client) -> None:
    assert Page(http.get(END).text).title == "Signed out"
    hint = emulator.issue_tokens(emulator.find_user(username="ada"))["id_token"]
    assert http.get(END, params={"id_token_hint": hint, "post_logout_redirect_uri": AFTER}).headers["location"] == AFTER


@pytest.mark.parametrize(
    ("path", "name"),
    [("/login/profile/logout", "redirect_uri"), ("/cas-idp/logout", "url"), ("/cas-idp/logout", "service")],
)
def test_the_other_addresses_sign_out_at_once(emulator: Emulator, http: httpx.Client, path: str, name: str) -> None:
    authorize(emulator, http)
    assert http.get(path, params={name: "https://evil.example/"}).status_code == 400
    assert http.get(path, params=[(name, AFTER), (name, AFTER)]).status_code == 400
    assert _is_signed_in(emulator, http)
    assert http.get(path, params={name: AFTER}).headers["location"] == AFTER
    assert not _is_signed_in(emulator, http)
    assert Page(http.get(path).text).title == "Signed out"
    emulator.hosted_login.allow_logout_redirect("https://app.example/", app_id=emulator.add_app().app_id)
    assert http.get(path, params={name: "https://app.example/"}).status_code == 303
    assert http.get(path, params={name: AFTER}).status_code == 400


def test_the_sign_in_of_another_user_ends_the_first_session(emulator: Emulator, user: User, http: httpx.Client) -> None:
    bob = emulator.add_user(username="bob", password=PASSWORD)
    authorize(emulator, http)
    page = http.get("/oidc/auth", params=request_of(emulator, prompt="login"))
    answer_of(log_in(http, page, account="bob"))
    assert (emulator.hosted_login.signed_in(user), emulator.hosted_login.signed_in(bob)) == (0, 1)
