"""The request log: a line for each request, which says why it was refused and holds no secret."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from genauth_async.emulator import Emulator


class Site:
    """An emulator, its log and a client."""

    def __init__(self, emulator: Emulator, lines: list[str], http: httpx.Client) -> None:
        self.emulator = emulator
        self.lines = lines
        self.http = http

    def line(self) -> str:
        """The latest line, without the time that the request took."""
        taken = re.search(r" \d+\.\d ms ", self.lines[-1])
        assert taken
        return self.lines[-1].replace(taken[0], " ")


@pytest.fixture
def site() -> Iterator[Site]:
    lines: list[str] = []
    with (
        Emulator(app_id="shop", app_secret="app-secret", app_name="My shop", log=lines.append) as emulator,
        httpx.Client(base_url=emulator.url, trust_env=False) as http,
    ):
        emulator.add_user(username="ada", email="ada@example.com", password="geheim")
        yield Site(emulator, lines, http)


def sign_in(site: Site, password: str) -> str:
    payload = {"account": "ada", "password": password}
    body = {"connection": "PASSWORD", "passwordPayload": payload, "client_id": "shop", "client_secret": "app-secret"}
    site.http.post("/api/v3/signin", json=body)
    return site.line()


def test_a_line_names_the_request_and_its_application(site: Site) -> None:
    assert sign_in(site, "geheim") == (
        'POST /api/v3/signin 200 app="My shop" connection=PASSWORD passwordPayload.account=ada '
        "passwordPayload.password=*** client_id=shop client_secret=***"
    )
    site.http.get("/oidc/.well-known/jwks.json")
    assert site.line() == "GET /oidc/.well-known/jwks.json 200 app=-"
    assert len(site.lines) == 2


def test_a_refusal_of_the_api_has_its_codes(site: Site) -> None:
    assert re.search(r"client_secret=\*\*\* \| 40[03]/2333 \S.*$", sign_in(site, "wrong"))
    site.http.get("/api/v3/get-profile", headers={"x-authing-app-id": "other"})
    assert re.search(r"app=- \| \d{3}/\d+ \w", site.line())


def test_a_refusal_of_oauth_has_its_error(site: Site) -> None:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": "stolen",
        "client_id": "shop",
        "client_secret": "app-secret",
    }
    site.http.post("/oidc/token", data=form)
    assert site.line().startswith('POST /oidc/token 400 app="My shop" grant_type=refresh_token refresh_token=*** ')
    assert " | invalid_grant: " in site.line()
    site.http.post("/oidc/token", data={"grant_type": "refresh_token"}, auth=("shop", "wrong-secret"))
    assert 'app="My shop"' in site.line()
    assert " | invalid_client: " in site.line()


def test_a_refusal_by_redirect_and_by_page_has_its_reason(site: Site) -> None:
    query = {"client_id": "shop", "redirect_uri": "http://localhost:1/cb?x=geheim2", "response_type": "token"}
    site.http.get("/oidc/auth", params=query | {"state": "secret-state"})
    assert "redirect_uri=http://localhost:1/cb " in site.line()
    assert "state=*** | unsupported_response_type" in site.line()
    site.http.get("/oidc/auth", params=query | {"redirect_uri": "https://evil.example/cb"})
    assert re.search(r'GET /oidc/auth 400 app="My shop" .*\| \w+', site.line())
    assert "<" not in site.line().partition("|")[2]


def test_a_token_names_the_application(site: Site) -> None:
    other = site.emulator.add_app(app_id="phone", name="Phone")
    token = site.emulator.issue_tokens(site.emulator.find_user(username="ada"), app=other)["access_token"]
    for headers in ({"authorization": f"Bearer {token}"}, {"authorization": token}):
        site.http.get("/api/v3/get-profile", headers=headers)
        assert site.line() == "GET /api/v3/get-profile 200 app=Phone"
    site.http.get("/oidc/me", params={"access_token": token})
    assert site.line() == "GET /oidc/me 200 app=Phone access_token=***"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"geheim", "application/x-www-form-urlencoded"),
        (b"geheim", "application/json"),
        (b"geheim=", "text/plain"),
        (b'"geheim"', "application/json"),
        (b'["geheim", ["geheim"]]', "application/json"),
        (b'{"geheim 1": 1, "more": {"a": "geheim"}, "password": ["geheim"]}', "application/json"),
        (b'{"password": "geheim"', "application/json"),
        (b'{"scope": {"password": "geheim"}}', "application/json"),
        (b"password=geheim&password=geheim2&&=geheim", "application/x-www-form-urlencoded"),
        (b"a" * 70_000 + b"geheim", "application/json"),
        (b"\xff\xfegeheim", "application/json"),
        (b"[" * 5000 + b'"geheim"' + b"]" * 5000, "application/json"),
    ],
)
def test_odd_bodies_show_no_secret(site: Site, content: bytes, kind: str) -> None:
    for path in ("/api/v3/signin", "/oidc/token", "/nothing/here"):
        site.http.post(path, content=content, headers={"content-type": kind, "cookie": "a=geheim"})
        assert "geheim" not in site.line()
        assert site.line().startswith(f"POST {path} ")
        assert len(site.line()) < 1100


@pytest.mark.parametrize("name", ["code", "passCode", "ticket", "token", "Password", "anything", "new_secret"])
def test_values_of_other_parameters_are_masked(site: Site, name: str) -> None:
    site.http.get("/oidc/auth", params={name: "geheim"})
    assert f" {name}=***" in site.line()
    site.http.post("/api/v3/signin", json={name: 123456, "options": {name: "geheim"}})
    assert f" {name}=*** options.{name}=***" in site.line()
    assert "123456" not in site.line()
    assert "geheim" not in site.line()


def test_secrets_in_paths_are_masked(site: Site) -> None:
    site.http.get("/qrcodes/0123456789abcdef0123.png")
    assert "0123456789" not in site.line()
    site.http.get("/unknown/Vq3mB7tR9sX2kL5pW8yZ/x")
    assert site.line().startswith("GET /unknown/***/x 404 ")


def test_a_message_that_repeats_a_secret_is_masked(site: Site) -> None:
    site.http.post("/api/v3/signin", json={"connection": "PASSWORD", "passwordPayload": "geheim"})
    assert "geheim" not in site.line()
    site.emulator.faults.add("/oidc/me", envelope={"statusCode": 400, "message": "no geheim2 here"})
    site.http.get("/oidc/me", params={"access_token": "geheim2"})
    assert site.line().endswith("access_token=*** | 400 no *** here")


@pytest.mark.parametrize("text", ["a\nFAKE /line 200", "\x1b[31mred", "a b", 'a"b', "\u202eabc", "\x85", "日本"])
def test_a_line_stays_a_line(site: Site, text: str) -> None:
    site.http.get("/oidc/auth", params={"client_id": text, "scope": "x"})
    assert len(site.lines) == 1
    assert site.lines[0].isprintable()
    shown = re.search(r"client_id=(.*) scope=x", site.lines[0])
    assert shown
    assert (json.loads(shown[1]) if shown[1][0] == '"' else shown[1]) == text
    site.http.get(f"/{httpx.QueryParams({'x': text})}")
    assert site.lines[1].isprintable()


def test_a_broken_connection_is_logged_too(site: Site) -> None:
    for fault in ({"drop": True}, {"lose_reply": True}):
        site.emulator.faults.add("/oidc/me", **fault)  # type: ignore[arg-type]
        with pytest.raises(httpx.TransportError):
            site.http.get("/oidc/me")
        for _ in range(1000):  # it is logged after the client has noticed
            if site.lines:
                break
            time.sleep(0.01)
        assert site.line() == "GET /oidc/me no answer app=-"
        site.lines.clear()


def test_event_streams_are_logged(site: Site) -> None:
    token = site.emulator.issue_tokens(site.emulator.find_user(username="ada"))["access_token"]
    address = f"{site.emulator.websocket_url}/events/v1/authentication/sub?code=order&token="
    with connect(address + token):
        assert site.line() == 'WEBSOCKET /events/v1/authentication/sub open app="My shop" code=*** token=***'
    with pytest.raises(InvalidStatus):
        connect(f"{address}geheim")
    assert site.line().startswith("WEBSOCKET /events/v1/authentication/sub ")
    assert " | " in site.line()
    assert "geheim" not in site.line()
    assert len(site.lines) == 2


def test_without_a_log_nothing_is_wrapped() -> None:
    assert type(Emulator().app).__name__ == "EmulatorApp"
