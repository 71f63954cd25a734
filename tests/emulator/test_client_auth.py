from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genauth_async.emulator import App, Emulator, User
from genauth_async.emulator.http.client_auth import BasicCredentials
from genauth_async.emulator.state.apps import AuthMethod, new_app
from tests.emulator.emulator_types import Json

METHODS = ("client_secret_post", "client_secret_basic", "none")
ID, SECRET = "my app:1", "p+q r%20/ü:"
ENDPOINTS = ("/api/v3/signin", "/oidc/token", "/oidc/token/revocation", "/oidc/token/introspection")


def _basic(client_id: str, secret: str, *, encoded: bool = True) -> str:
    if encoded:
        client_id, secret = quote_plus(client_id), quote_plus(secret)
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


def _call(
    http: httpx.Client, path: str, credentials: dict[str, str], header: str | None = None, app_id: str | None = None
) -> httpx.Response:
    headers = {}
    if header is not None:
        headers["authorization"] = header
    if app_id is not None:
        headers["x-genauth-app-id"] = app_id
    if path == "/api/v3/signin":
        body: Json = {"connection": "PASSWORD", "passwordPayload": {"account": "ada", "password": "passw0rd"}}
        return http.post(path, json=body | credentials, headers=headers)
    form = {"token": "unknown", "grant_type": "refresh_token", "refresh_token": "unknown"}
    return http.post(path, data=form | credentials, headers=headers)


def _accepted(response: httpx.Response) -> bool:
    """Return True if the client was authenticated; its refresh token is unknown in any case."""
    body = response.json() if response.content else {}
    if "requestId" in body:
        return bool(body["statusCode"] == 200)
    return response.status_code == 200 or body["error"] == "invalid_grant"


@pytest.mark.parametrize("name", ["x-authing-app-id", "x-genauth-app-id"])
@pytest.mark.parametrize("path", ENDPOINTS[1:])
def test_a_header_may_name_the_client(http: httpx.Client, emulator: Emulator, path: str, name: str) -> None:
    public = emulator.add_app(token_endpoint_auth_method="none")
    secret = {"client_secret": emulator.app_secret}
    form = {"token": "unknown", "grant_type": "refresh_token", "refresh_token": "unknown"}
    assert _accepted(http.post(path, data=form, headers={name: public.app_id}))
    assert _accepted(http.post(path, data=form | secret, headers={name: emulator.app_id}))
    assert not _accepted(http.post(path, data=form, headers={name: emulator.app_id}))
    assert not _accepted(http.post(path, data=form, headers={name: "unknown"}))
    assert not _accepted(http.post(path, data=form | {"client_id": emulator.app_id}, headers={name: public.app_id}))


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("method", METHODS)
def test_each_method_at_each_endpoint(http: httpx.Client, emulator: Emulator, method: Any, path: str) -> None:
    emulator.add_user(username="ada", password="passw0rd")
    app = emulator.add_app(app_id=ID, app_secret=SECRET, token_endpoint_auth_method=method)
    post = {"client_id": ID, "client_secret": SECRET}
    assert _accepted(_call(http, path, post)) == (method != "client_secret_basic")
    assert _accepted(_call(http, path, {}, _basic(ID, SECRET))) == (method != "client_secret_post")
    assert _accepted(_call(http, path, {"client_id": ID})) == (method == "none")
    assert _accepted(_call(http, path, {"client_id": ID, "client_secret": "wrong"})) == (method == "none")
    assert _accepted(_call(http, path, {}, _basic(ID, "wrong"))) == (method == "none")
    assert not _accepted(_call(http, path, {"client_id": "unknown", "client_secret": SECRET}))
    assert not _accepted(_call(http, path, {}, _basic("unknown", SECRET)))
    assert app.app_secret == SECRET


@pytest.mark.parametrize("path", ENDPOINTS)
def test_basic_without_the_form_encoding_is_tolerated(path: str) -> None:
    with Emulator(token_endpoint_auth_method="client_secret_basic", app_secret="a+b%20c") as emulator:
        emulator.add_user(username="ada", password="passw0rd")
        header = _basic(emulator.app_id, "a+b%20c", encoded=False)
        with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as client:
            assert _accepted(_call(client, path, {}, header))


def test_what_the_api_says_to_strangers(emulator: Emulator, http: httpx.Client) -> None:
    emulator.add_user(username="ada", password="passw0rd")
    known = {"client_id": emulator.app_id, "client_secret": emulator.app_secret}
    path = "/api/v3/signin"

    wrong_secret = _call(http, path, {**known, "client_secret": "wrong"}).json()
    assert wrong_secret["statusCode"] == 401
    assert "apiCode" not in wrong_secret
    assert "wrong" not in wrong_secret["message"]
    for response in (
        _call(http, path, {**known, "client_id": "unknown"}),
        _call(http, path, known, app_id="unknown"),
        http.post("/api/v3/send-email", json={}, headers={"x-authing-app-id": "unknown"}),
        http.post("/api/v3/send-sms", json={}, headers={"x-genauth-app-id": "unknown"}),
        http.get("/api/v3/get-profile", headers={"x-genauth-app-id": "unknown"}),
    ):
        assert (response.json()["statusCode"], response.json()["apiCode"]) == (499, "2011")
    assert _accepted(_call(http, path, known, app_id=emulator.app_id))


def test_a_public_application_needs_neither() -> None:
    with Emulator(token_endpoint_auth_method="none") as emulator:
        emulator.add_user(username="ada", password="passw0rd")
        other = emulator.add_app(token_endpoint_auth_method="none")
        with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http:
            assert _accepted(_call(http, "/api/v3/signin", {}))
            assert _accepted(_call(http, "/api/v3/signin", {}, app_id=other.app_id))
    assert [grant.app_id for grant in emulator.grants] == [emulator.app_id, other.app_id]


@pytest.mark.parametrize("path", ENDPOINTS[1:])
def test_what_the_oauth_endpoints_say_to_strangers(emulator: Emulator, http: httpx.Client, path: str) -> None:
    emulator.add_app(app_id="basic", app_secret="s3cret", token_endpoint_auth_method="client_secret_basic")
    unreadable = "Basic " + b64encode(b"\xff:\xff").decode()
    for header in (_basic("basic", "wrong"), _basic("unknown", "s3cret"), "Basic %", "Basic", unreadable, "Bearer x"):
        response = _call(http, path, {}, header)
        assert response.status_code == 401
        assert response.json()["error"] == "invalid_client"
        assert response.headers["www-authenticate"].startswith("Basic ")
        assert response.headers["cache-control"] == "no-store"
    twice = _call(http, path, {"client_id": "basic", "client_secret": "s3cret"}, _basic("basic", "s3cret"))
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")


def test_the_other_endpoints_have_settings_of_their_own() -> None:
    with (
        Emulator(
            introspection_endpoint_auth_method="client_secret_basic", revocation_endpoint_auth_method="none"
        ) as emulator,
        httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http,
    ):
        post = {"client_id": emulator.app_id, "client_secret": emulator.app_secret}
        assert _accepted(_call(http, "/oidc/token", post))
        assert not _accepted(_call(http, "/oidc/token/introspection", post))
        assert _accepted(_call(http, "/oidc/token/introspection", {}, _basic(emulator.app_id, emulator.app_secret)))
        assert _accepted(_call(http, "/oidc/token/revocation", {"client_id": emulator.app_id}))


def test_a_method_that_does_not_exist() -> None:
    unknown: Any = "none of these"
    with pytest.raises(ValueError, match="client_secret_post"):
        Emulator(token_endpoint_auth_method=unknown)
    with pytest.raises(ValueError, match="RS256"):
        Emulator(id_token_alg=unknown)


def test_ids_and_secrets_are_made_up_in_the_vendors_style() -> None:
    one, other = Emulator(), Emulator()
    assert (one.app_id, one.app_secret) != (other.app_id, other.app_secret)
    assert len(bytes.fromhex(one.app_id)) == 12
    assert len(bytes.fromhex(one.app_secret)) == 16
    with pytest.raises(ValueError, match="already"):
        one.add_app(app_id=one.app_id)


def _app(app_id: str, app_secret: str) -> App:
    return new_app(
        app_id=app_id,
        app_secret=app_secret,
        token_endpoint_auth_method="client_secret_basic",
        introspection_endpoint_auth_method=None,
        revocation_endpoint_auth_method=None,
    )


# Any text that can be encoded: lone surrogates cannot.
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(texts, texts)
def test_basic_credentials_survive_any_characters(client_id: str, secret: str) -> None:
    app = _app(client_id, secret)
    parsed = BasicCredentials.parse(_basic(client_id, secret))
    assert parsed is not None
    assert parsed.app_among({client_id: app}) is app
    assert parsed.match(app)
    assert not parsed.match(_app(client_id, secret + "x"))


@given(texts.filter(lambda text: ":" not in text), texts)
def test_and_without_the_form_encoding_too(client_id: str, secret: str) -> None:
    app = _app(client_id, secret)
    parsed = BasicCredentials.parse(_basic(client_id, secret, encoded=False))
    assert parsed is not None
    assert parsed.app_among({client_id: app}) is app
    assert parsed.match(app)


@given(st.one_of(st.text(), st.text().map("Basic {}".format)))
def test_any_header_is_read_or_refused(header: str) -> None:
    parsed = BasicCredentials.parse(header)
    assert parsed is None or header.lower().startswith("basic ")


def test_credentials_hide_the_secret() -> None:
    assert "s3cret" not in repr(BasicCredentials.parse(_basic("app", "s3cret")))


@pytest.mark.parametrize("path", ["/oidc/token", "/oidc/token/revocation", "/oauth/token/introspection"])
@pytest.mark.parametrize("grant_type", ["refresh_token", "client_credentials"])
def test_only_a_header_is_answered_with_a_challenge(http: httpx.Client, path: str, grant_type: str) -> None:
    form = {"grant_type": grant_type, "token": "x", "refresh_token": "x"}
    in_form = http.post(path, data=form | {"client_id": "unknown", "client_secret": "x"})
    in_header = http.post(path, data=form, auth=("unknown", "x"))
    for response in (in_form, in_header):
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    assert "www-authenticate" not in in_form.headers
    assert in_header.headers["www-authenticate"] == 'Basic realm="oidc", charset="UTF-8"'


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("basic", [False, True])
def test_two_applications_in_one_request_are_refused(emulator: Emulator, http: httpx.Client, basic: bool) -> None:
    method: AuthMethod = "client_secret_basic" if basic else "client_secret_post"
    other = emulator.add_app(token_endpoint_auth_method=method)
    body: Json = {"connection": "PASSWORD", "passwordPayload": {"account": "ada", "password": "passw0rd"}}
    headers = {}
    if basic:
        headers["authorization"] = _basic(other.app_id, other.app_secret)
    else:
        body |= {"client_id": other.app_id, "client_secret": other.app_secret}
    for app_id, status in ((emulator.app_id, 400), (other.app_id, 200)):
        answer = http.post("/api/v3/signin", json=body, headers={**headers, "x-genauth-app-id": app_id}).json()
        assert answer["statusCode"] == status, answer
    if basic:
        body["client_id"] = emulator.app_id
        assert http.post("/api/v3/signin", json=body, headers=headers).json()["statusCode"] == 400


def test_an_access_token_is_valid_with_another_app_id_header(
    emulator: Emulator, user: User, http: httpx.Client
) -> None:
    headers = {
        "authorization": emulator.issue_tokens(user)["access_token"],
        "x-genauth-app-id": emulator.add_app().app_id,
    }
    answer = http.get("/api/v3/get-profile", headers=headers).json()
    assert answer["data"]["userId"] == user.id
    answer = http.get("/api/v3/get-profile", headers=headers | {"x-genauth-app-id": "unknown"}).json()
    assert answer["apiCode"] == "2011"
