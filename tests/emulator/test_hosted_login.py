from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import quote_plus

import httpx
import pytest
from anyio import to_thread

from genauth_async import AuthenticationClient, IssuerMismatchError
from genauth_async.emulator import Emulator, User, sign_in_at_page
from tests.emulator.hosted_pages import (
    CALLBACK,
    PASSWORD,
    Page,
    answer_of,
    ask,
    authorize,
    exchange,
    id_claims,
    log_in,
    request_of,
    send,
)

pytestmark = pytest.mark.usefixtures("user")
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
DIGEST = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
XSS = "\"'><script>alert(1)</script>"


def test_a_user_signs_in_and_the_application_gets_tokens(emulator: Emulator, user: User, http: httpx.Client) -> None:
    answer = authorize(emulator, http)
    assert set(answer) == {"code", "state"}
    assert answer["state"] == "af0ifjsldkj"
    response = exchange(emulator, http, answer["code"])
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert set(tokens) == {"access_token", "id_token", "token_type", "expires_in", "scope"}
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "openid profile")
    claims = id_claims(emulator, tokens["id_token"])
    half = sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == urlsafe_b64encode(half).rstrip(b"=").decode()
    assert (claims["sub"], claims["nonce"]) == (user.id, "n-0S6_WzA2Mj")
    me = http.get("/oidc/me", headers={"authorization": f"Bearer {tokens['access_token']}"})
    assert me.json()["sub"] == user.id


def test_the_login_page_is_accessible_and_readable_by_programs(emulator: Emulator, http: httpx.Client) -> None:
    response = ask(emulator, http, login_hint="ada@example.com")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(response.text)
    assert page.all("html") == [{"lang": "en"}]
    assert page.title == f"Sign in to {emulator.app_id}"
    inputs = {each["id"]: each for each in page.all("input") if "id" in each}
    assert {each["for"] for each in page.all("label")} == set(inputs) == {"account", "password"}
    assert inputs["account"]["autocomplete"] == "username"
    assert inputs["account"]["value"] == "ada@example.com"
    assert inputs["password"]["autocomplete"] == "current-password"
    assert inputs["password"]["type"] == "password"
    assert [each["type"] for each in page.all("button")] == ["submit"]
    assert page.all("script") == []


def test_pages_load_nothing_and_are_neither_framed_nor_cached(emulator: Emulator, http: httpx.Client) -> None:
    for response in (ask(emulator, http), ask(emulator, http, client_id="unknown")):
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-frame-options"] == "DENY"


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(emulator: Emulator, http: httpx.Client) -> None:
    first = ask(emulator, http)
    second = log_in(http, first)
    for response in (first, second):
        [cookie] = response.headers.get_list("set-cookie")
        attributes = {each.strip().lower() for each in cookie.split(";")[1:]}
        assert attributes == {"httponly", "path=/", "samesite=lax"}


def test_cookies_are_secure_if_the_emulator_has_an_https_url() -> None:
    with Emulator(url="https://login.test") as emulator:
        address = emulator._server.url
        with httpx.Client(base_url=address, verify=False, trust_env=False) as http:
            assert "Secure" in ask(emulator, http).headers["set-cookie"]


@pytest.mark.parametrize("name", ["login_hint", "state", "scope", "nonce"])
def test_pages_escape_what_the_request_says(emulator: Emulator, http: httpx.Client, name: str) -> None:
    changes = {name: f"openid {XSS}", "prompt": "consent", "response_mode": "form_post"}
    first = ask(emulator, http, **changes)
    second = log_in(http, first)
    third = send(http, second, consent="accept")
    for response in (first, second, third):
        assert response.status_code == 200
        assert "<script>alert" not in response.text
    assert Page(second.text).all("script") == []
    assert len(Page(third.text).all("script")) == 1


def test_pages_escape_the_application_name_and_user_input(emulator: Emulator, http: httpx.Client) -> None:
    app = emulator.add_app(name=XSS)
    first = ask(emulator, http, client_id=app.app_id, prompt="consent")
    second = log_in(http, first, account=XSS)
    third = send(http, second, account="ada", password=PASSWORD)
    for response in (first, second, third):
        assert Page(response.text).all("script") == []
        assert XSS in Page(response.text).title or Page(response.text).title.startswith("Let")
    assert PASSWORD not in second.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"client_id": None}, "client_id is required"),
        ({"client_id": "unknown"}, "no such application"),
        ({"redirect_uri": None}, "redirect_uri is required"),
        *(
            ({"redirect_uri": address}, "not registered")
            for address in (
                "https://evil.example/callback",
                "http://127.0.0.1.evil.example/",
                "http://localhost@evil.example/",
                "http://evil.example\\@localhost/",
                "http://localhost\\@evil.example/",
                "http://localhost/#fragment",
                "http://user@localhost/",
                "http://localhost:port/",
                "http://local\thost/",
                "//localhost/",
                "javascript:alert(1)",
                "/callback",
                "http://[::1",
            )
        ),
    ],
)
def test_browsers_are_not_sent_to_unregistered_addresses(
    emulator: Emulator, http: httpx.Client, changes: dict[str, str | None], message: str
) -> None:
    response = ask(emulator, http, **changes)
    assert response.status_code == 400
    assert message in Page(response.text).alert
    assert "What to change" in response.text
    assert "location" not in response.headers


@pytest.mark.parametrize("uri", ["http://localhost/", "https://[::1]:8443/a?b=c", "http://127.0.0.1:1/x"])
def test_without_a_registration_this_machine_is_good(emulator: Emulator, http: httpx.Client, uri: str) -> None:
    response = log_in(http, ask(emulator, http, redirect_uri=uri))
    assert answer_of(response, uri)["code"]


@pytest.mark.parametrize("uri", ["https://app.example/cb", "com.example.app:/cb"])
def test_a_registered_address_has_to_be_named_exactly(emulator: Emulator, http: httpx.Client, uri: str) -> None:
    emulator.hosted_login.allow_redirect(uri)
    for wrong in (f"{uri}/", f"{uri}?a=b", uri.upper(), CALLBACK):
        assert ask(emulator, http, redirect_uri=wrong).status_code == 400
    assert answer_of(log_in(http, ask(emulator, http, redirect_uri=uri)), uri)["code"]
    # It is this application's only.
    other = emulator.add_app()
    assert ask(emulator, http, client_id=other.app_id, redirect_uri=uri).status_code == 400


@pytest.mark.parametrize("uri", ["/cb", "javascript:alert(1)", "https://app.example/#x", "https://app.example/ x"])
def test_addresses_that_no_application_can_register(emulator: Emulator, uri: str) -> None:
    with pytest.raises(ValueError, match="absolute URI"):
        emulator.hosted_login.allow_redirect(uri)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "jwt"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid \N{SNOWMAN}"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://app.example"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": DIGEST, "code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
        ({"id_token_hint": "eyJ"}, "invalid_request"),
    ],
)
def test_the_application_is_told_what_it_cannot_have(
    emulator: Emulator, http: httpx.Client, changes: dict[str, str | None], error: str
) -> None:
    answer = answer_of(ask(emulator, http, **changes))
    assert answer.pop("error_description")
    assert answer == {"error": error, "state": "af0ifjsldkj"}


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "nonce", "prompt"])
def test_no_parameter_may_be_given_twice(emulator: Emulator, http: httpx.Client, name: str) -> None:
    parameters = request_of(emulator, prompt="login")
    response = http.get("/oidc/auth", params=[*parameters.items(), (name, parameters[name])])
    if name in {"client_id", "redirect_uri"}:
        assert response.status_code == 400
        assert "more than once" in Page(response.text).alert
    else:
        assert answer_of(response)["error"] == "invalid_request"


@pytest.mark.parametrize("mode", ["query", "form_post", "web_message"])
@pytest.mark.parametrize("changes", [{}, {"prompt": "none"}])
@pytest.mark.parametrize("named", [True, False])
def test_answers_name_their_issuer_on_request(mode: str, changes: dict[str, str], named: bool) -> None:
    with Emulator(callback_iss=named) as emulator, httpx.Client(base_url=emulator.url, trust_env=False) as http:
        emulator.add_user(username="ada", password=PASSWORD)
        response = ask(emulator, http, response_mode=mode, **changes)
        if not changes:
            response = log_in(http, response)
        sent = response.headers.get("location", "") + response.text
        assert (quote_plus(emulator.issuer) in sent or emulator.issuer in sent) == named
        document = http.get("/oidc/.well-known/openid-configuration").json()
        assert document["authorization_response_iss_parameter_supported"] is named


@pytest.mark.anyio
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("required", [True, False])
async def test_the_sdk_may_insist_on_the_issuer(named: bool, required: bool) -> None:
    with Emulator(callback_iss=named) as emulator:
        emulator.add_user(username="ada", password=PASSWORD)
        async with AuthenticationClient(
            emulator.app_id, emulator.url, emulator.app_secret, redirect_uri=CALLBACK, require_callback_iss=required
        ) as client:
            attempt = client.begin_login()
            callback = await to_thread.run_sync(sign_in_at_page, attempt.url, "ada", PASSWORD)
            if required and not named:
                with pytest.raises(IssuerMismatchError):
                    await client.finish_login(callback, attempt)
            else:
                assert (await client.finish_login(callback, attempt)).id_token


@pytest.mark.parametrize("outcome", ["code", "error"])
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_the_answer_travels_as_asked(emulator: Emulator, http: httpx.Client, mode: str, outcome: str) -> None:
    uri = "http://localhost/cb?tenant=1"
    changes = {"response_mode": mode, "redirect_uri": uri}
    if outcome == "error":
        response = ask(emulator, http, **changes, prompt="none")
    else:
        response = log_in(http, ask(emulator, http, **changes))
    if mode == "form_post":
        page = Page(response.text)
        assert (page.form.action, page.form.method) == (uri, "post")
        assert "script-src 'sha256-" in response.headers["content-security-policy"]
        assert set(page.form.fields) >= {outcome, "state"}
    else:
        sign = "#" if mode == "fragment" else "&"
        assert response.headers["location"].startswith(f"{uri}{sign}{outcome}=")
    assert response.headers["cache-control"] == "no-store"


def test_the_request_may_come_as_a_form(emulator: Emulator, http: httpx.Client) -> None:
    page = http.post("/oidc/auth", data=request_of(emulator))
    assert answer_of(log_in(http, page))["code"]
    assert http.post("/oidc/auth", json=request_of(emulator)).status_code == 400
    broken = http.post("/oidc/auth", content=b"\xff", headers={"content-type": "application/x-www-form-urlencoded"})
    assert broken.status_code == 400
