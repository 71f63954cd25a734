"""The status page: complete, without passwords, and for this machine alone."""

from __future__ import annotations

import ast
import inspect
import shlex
from html import unescape
from html.parser import HTMLParser
from typing import Any

import anyio
import httpx
import pytest
from anyio import to_thread
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from genauth_async.emulator import Emulator, User
from genauth_async.emulator.server.status_page import show
from tests.emulator.hosted_pages import PASSWORD, Page, authorize

HOSTILE = "\"'><script>alert(1)</script>"


class Blocks(HTMLParser):
    """The blocks of code that a page offers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base class's
        if tag == "pre":
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def variables(export: str) -> dict[str, str]:
    """The variables that a shell would export."""
    pairs = (shlex.split(line)[1].partition("=") for line in export.splitlines())
    return {name: value for name, _, value in pairs}


def test_it_shows_applications_users_and_settings(emulator: Emulator, user: User, http: httpx.Client) -> None:
    user.locked = True
    mobile = emulator.add_app(name="Mobile", token_endpoint_auth_method="none")
    emulator.hosted_login.allow_redirect("https://app.example/cb", app_id=mobile.app_id)
    emulator.hosted_login.allow_logout_redirect("https://app.example/bye", app_id=mobile.app_id)
    response = http.get("/")
    assert response.status_code == 200
    text = unescape(response.text)
    for shown in (emulator.url, emulator.app_id, emulator.app_secret, "client_secret_post", mobile.app_id, "Mobile"):
        assert shown in text
    for shown in ("https://app.example/cb", "https://app.example/bye", "ada@example.com", "13800000000", "locked"):
        assert shown in text
    for shown in ("HS256", "14 days", "30 days", "10 minutes"):
        assert shown in text
    assert PASSWORD not in text
    assert str(user.password) not in text


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"id_token_alg": "RS256"}, "RS256, signed with the emulator's key"),
        ({"refresh_tokens": "rotate_with_grace", "refresh_token_grace": 90}, "answered for 90 seconds more"),
        ({"refresh_tokens": "same"}, "the same one each time"),
        ({"refresh_tokens": "omit"}, "none in the answer"),
        ({"mfa_at_signin": "ignore"}, "not asked for"),
        ({"access_token_lifetime": 3600}, "1 hour"),
        ({"pass_code_lifetime": 45, "pass_code_attempts": 1}, "45 seconds, tries: 1"),
        ({"max_password_failures": 3}, "after 3 wrong passwords"),
    ],
)
def test_settings_are_shown_in_words(settings: dict[str, Any], shown: str) -> None:
    with Emulator(**settings) as emulator:
        text = unescape(httpx.get(emulator.url, verify=False, trust_env=False).text)
    assert shown in text


def test_secrets_are_folded_until_asked_for(emulator: Emulator, http: httpx.Client) -> None:
    before, *folded = http.get("/").text.split("<details>")
    assert emulator.app_secret not in before
    assert len(folded) == 2
    for part in folded:
        inside, after = part.split("</details>")
        assert emulator.app_secret in inside
        assert emulator.app_secret not in after


def test_numbers_follow_the_state(emulator: Emulator, user: User, http: httpx.Client) -> None:
    def numbers() -> list[str]:
        return [part.partition("<")[0] for part in http.get("/").text.partition("numbers")[2].split("<dd>")[1:5]]

    assert numbers() == ["1", "0", "0", "0"]
    authorize(emulator, http)
    emulator.issue_tokens(user)
    emulator.inbox.send("email", "CHANNEL_LOGIN", "ada@example.com")
    assert numbers() == ["1", "2", "1", "1"]
    assert "signed in" in http.get("/").text
    emulator.hosted_login.sign_out(user)
    emulator.remove_user(user)
    assert numbers() == ["0", "0", "0", "1"]
    emulator.clock.advance(30 * 24 * 60 * 60)
    assert numbers() == ["0", "0", "0", "0"]


@pytest.mark.parametrize("fate", ["waiting", "used", "expired", "replaced"])
def test_pass_codes_are_shown_with_their_fate(fate: str) -> None:
    emulator = Emulator(pass_code_lifetime=300)
    emulator.inbox.send("sms", "CHANNEL_RESET_PASSWORD", "13800000000", phone_country_code="+86")
    code = emulator.inbox.code_for("13800000000")
    emulator.clock.advance(61)
    if fate == "used":
        emulator.inbox.redeem("13800000000", code, "CHANNEL_RESET_PASSWORD")
    elif fate == "replaced":
        emulator.inbox.send("sms", "CHANNEL_RESET_PASSWORD", "13800000000", phone_country_code="+86")
    elif fate == "expired":
        emulator.clock.advance(3600 - 61)
    with emulator:
        page = httpx.get(emulator.url, verify=False, trust_env=False).text
    row = page.partition(code)[2].partition("</li>")[0]
    assert fate in row
    assert "13800000000" in row
    age = "1 hour" if fate == "expired" else "1 minute"
    assert f"Reset password, by text message, {age} ago" in row


def test_the_newest_pass_codes_come_first(emulator: Emulator, http: httpx.Client) -> None:
    for number in range(25):
        emulator.inbox.send("email", "CHANNEL_LOGIN", f"user{number:02}@example.com")
    text = http.get("/").text
    places = [text.find(f"user{number:02}@example.com") for number in range(24, 4, -1)]
    assert -1 not in places
    assert places == sorted(places)
    assert "user04@example.com" not in text


@pytest.mark.anyio
async def test_the_blocks_of_code_work_as_they_stand(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.add_user(username="o'\"\\hara", password="the password")
    text = await to_thread.run_sync(lambda: httpx.get(emulator.url, verify=False, trust_env=False).text)
    export, *programs = Blocks(text).found
    assert len(programs) == 2
    for name, value in variables(export).items():
        monkeypatch.setenv(name, value)
    for program in programs:
        names: dict[str, object] = {}
        code = compile(program, "<status page>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

        def run(code: object = code, names: dict[str, object] = names) -> object:
            return eval(code, names)  # type: ignore[arg-type]

        if "await" in program:
            started = run()
            assert inspect.isawaitable(started)
            await started
        else:
            await to_thread.run_sync(run)
        assert "access_token" in str(names["answer"])


@given(st.text(st.characters(exclude_categories=()), min_size=1))
@example(HOSTILE)
@example("`id` $HOME 'x'")
def test_texts_neither_become_markup_nor_code(text: str) -> None:
    emulator = Emulator(app_id=text, app_secret=text, app_name=text)
    emulator.add_user(username=text, name=text)
    emulator.inbox.send("email", text, text)
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"host", b"localhost")]}
    shown = bytes(anyio.run(show, emulator._state, Request(scope)).body).decode()
    assert Page(shown).all("script") == []
    export, program, _ = Blocks(shown).found
    text = text.encode("utf-8", "replace").decode()
    tree = compile(program, "<status page>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert text in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    if not set(text) & {"\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"}:
        assert variables(export)["GENAUTH_APP_SECRET"] == text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:9000", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:1", 200),
        ("127.8.8.8", 200),
        ("[::1]:9000", 200),
        ("login.test", 200),
        ("login.test:8443", 200),
        ("evil.example", 403),
        ("evil.example:9000", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("login.test.evil.example", 403),
        ("evil.example#@localhost", 403),
        ("10.0.0.1", 403),
        ("0.0.0.0", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
def test_only_requests_to_this_machine_are_answered(host: str, status: int) -> None:
    with Emulator(url="https://login.test") as emulator:
        response = httpx.get(emulator._server.url, headers={"host": host}, verify=False, trust_env=False)
        assert response.status_code == status
        assert (emulator.app_id in response.text) == (status == 200)
        assert "default-src 'none'" in response.headers["content-security-policy"]


def test_other_sites_cannot_read_frame_or_cache_it(http: httpx.Client) -> None:
    response = http.get("/", headers={"origin": "https://evil.example"})
    assert [name for name in response.headers if name.startswith("access-control")] == []
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_it_answers_head_and_refreshes_on_request(http: httpx.Client) -> None:
    head = http.head("/")
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "text/html; charset=utf-8")
    assert "http-equiv" not in http.get("/").text
    assert '<meta http-equiv="refresh" content="5">' in http.get("/?refresh").text


def test_its_links_lead_somewhere(emulator: Emulator, http: httpx.Client) -> None:
    links = [link["href"] for link in Page(http.get("/").text).all("a")]
    assert f"{emulator.issuer}/.well-known/openid-configuration" in links
    assert len(links) > 3
    assert {link: http.get(link).status_code for link in links} == dict.fromkeys(links, 200)
