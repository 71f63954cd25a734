"""The response mode web_message: the answer is posted to the window or frame that asked."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from genauth_async.emulator import Emulator
from genauth_async.emulator.oidc.web_message import origin_of
from tests.emulator.hosted_pages import Page, answer_of, ask, exchange, log_in, send

MODE = {"response_mode": "web_message"}


def posted(response: httpx.Response) -> tuple[str, dict[str, str]]:
    """Read the origin that a page posts to, and the answer."""
    assert response.status_code == 200, response.text
    (given,) = (each for each in Page(response.text).all("p") if each.get("id") == "answer")
    message: dict[str, Any] = json.loads(given["data-message"])
    assert message.pop("type") == "authorization_response"
    return given["data-origin"], message["response"]


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("consent", [None, "accept", "deny"])
def test_the_answer_is_posted(emulator: Emulator, http: httpx.Client, consent: str | None) -> None:
    response = log_in(http, ask(emulator, http, **MODE, prompt="consent" if consent else None))
    if consent:
        response = send(http, response, consent=consent)
    origin, answer = posted(response)
    assert origin == "http://127.0.0.1:5000"
    assert answer["state"] == "af0ifjsldkj"
    if consent == "deny":
        assert answer["error"] == "access_denied"
        return
    assert exchange(emulator, http, answer["code"]).status_code == 200
    assert set(posted(ask(emulator, http, **MODE, prompt="none"))[1]) == {"code", "state"}


@pytest.mark.parametrize("changes", [{"prompt": "none"}, {"scope": "profile"}, {"request": "eyJ"}])
def test_refusals_are_posted(emulator: Emulator, http: httpx.Client, changes: dict[str, str]) -> None:
    _, answer = posted(ask(emulator, http, **MODE, **changes))
    assert answer["error_description"]
    assert answer["state"] == "af0ifjsldkj"


def test_only_the_application_may_frame_the_page(emulator: Emulator, http: httpx.Client) -> None:
    headers = ask(emulator, http, **MODE, prompt="none").headers
    policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
    assert policy["frame-ancestors"] == "http://127.0.0.1:5000"
    assert policy["default-src"] == "'none'"
    assert "x-frame-options" not in headers
    assert headers["cache-control"] == "no-store"
    login = ask(emulator, http, **MODE).headers
    assert "frame-ancestors 'none'" in login["content-security-policy"]
    assert login["x-frame-options"] == "DENY"


def test_nothing_given_becomes_markup(emulator: Emulator, http: httpx.Client) -> None:
    state = "</script><script>alert(1)</script>\"'>&amp;"
    page = ask(emulator, http, **MODE, prompt="none", state=state)
    assert page.text.count("<script") == 1
    assert posted(page)[1]["state"] == state


@pytest.mark.parametrize("uri", ["com.example.app:/callback", "ftp://app.example/", "http://a;b/"])
def test_an_address_without_an_origin_is_refused(emulator: Emulator, http: httpx.Client, uri: str) -> None:
    emulator.hosted_login.allow_redirect(uri)
    assert answer_of(ask(emulator, http, **MODE, redirect_uri=uri), uri)["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://app.example", "https://app.example"),
        ("https://app.example/cb?next=//b.example", "https://app.example"),
        ("https://app.example?next=https://b.example", "https://app.example"),
        ("https://user:pw@app.example:8443/cb", "https://app.example:8443"),
        ("http://b.example@app.example/", "http://app.example"),
        ("http://[::1]:5000/cb", "http://[::1]:5000"),
        ("HTTPS://App.Example/cb", "HTTPS://App.Example"),
        ("http://app.example:port/", None),
        ("http://app.example'/", None),
        ("http:///cb", None),
        ("myapp://callback", None),
    ],
)
def test_the_origin_of_an_address(uri: str, origin: str | None) -> None:
    assert origin_of(uri) == origin
