"""The redirect helpers: a login attempt that is kept in the browser's cookies."""

from __future__ import annotations

import time
from collections.abc import Iterable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from genauth_async import (
    AuthenticationClient,
    CallbackError,
    ConfigurationError,
    LoginAttempt,
    LoginExpiredError,
    StateMismatchError,
)
from genauth_async.settings import Clock
from tests.core.test_login import BACK, SECRET, answer, callback, client, id_token
from tests.recording import RecordingServer

pytestmark = pytest.mark.anyio
HERE = "http://127.0.0.1:8000/back"


class Cookies(dict[str, str]):
    """The cookies of a browser."""

    def take(self, headers: Iterable[str]) -> None:
        for header in headers:
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.pop(name, None)
                else:
                    self[name] = morsel.value


def offline(**options: Any) -> AuthenticationClient:
    return AuthenticationClient(
        **{"app_id": "app", "app_host": "https://a.example", "app_secret": SECRET, "redirect_uri": BACK, **options}
    )


def state_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


async def test_a_browser_carries_a_login_from_one_helper_to_the_next(recorder: RecordingServer) -> None:
    browser = Cookies()
    async with client(recorder) as ours:
        out, other = ours.login_with_redirect(), ours.login_with_redirect(forced=True)
        assert (out.status, dict(out.headers)["location"]) == (302, out.url)
        assert "prompt=login" in other.url
        assert "prompt=" not in out.url
        (header,) = out.set_cookies
        assert {"HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=600"} <= set(header.split("; "))
        assert state_of(out.url) not in header
        assert state_of(out.url) not in repr(out)
        assert header not in repr(out)
        browser.take(out.set_cookies)
        login = LoginAttempt.unsealed(next(iter(browser.values())), SECRET, now=time.time())
        assert (login.state, login.url) == (state_of(out.url), "")
        browser.take(other.set_cookies)
        recorder.default = answer(id_token(recorder, login))
        assert (await ours.handle_redirect_callback(callback(login), browser)).access_token == "a"
        assert len(browser) == 2
        browser.take(ours.clear_login_cookies(callback(login), browser))
        with pytest.raises(StateMismatchError, match="another browser"):
            await ours.handle_redirect_callback(callback(login), browser)
        browser.take(ours.clear_login_cookies(f"state={state_of(other.url)}", browser))
    assert browser == {}


def test_the_headers_hold_all_cookies() -> None:
    ours, browser = offline(), Cookies({"genauth-login-canary": "of another application"})
    for _ in range(5):
        browser.take(ours.login_with_redirect().set_cookies)
    out = ours.login_with_redirect(cookies=browser)
    assert len(out.set_cookies) == 2
    assert [value for name, value in out.headers if name == "set-cookie"] == list(out.set_cookies)


@pytest.mark.parametrize("redirect_uri", [BACK, HERE])
def test_of_abandoned_attempts_the_newest_are_kept(redirect_uri: str) -> None:
    now = 1_000_000.0
    ours, browser = offline(redirect_uri=redirect_uri, clock=Clock(wall=lambda: now)), Cookies()
    begun = []
    for _ in range(8):
        now += 1
        begun.append(ours.login_with_redirect(cookies=browser).set_cookies)
        browser.take(begun[-1])
    assert list(browser) == [cookie.partition("=")[0] for cookie, *_ in begun[-5:]]


def test_the_newest_attempt_is_kept_when_cookies_are_full() -> None:
    ours, browser = offline(redirect_uri=f"{BACK}?{'a' * 1000}"), Cookies()
    begun: list[str] = []
    for _ in range(4):
        out = ours.login_with_redirect(cookies=browser)
        browser.take(out.set_cookies)
        begun.append(out.set_cookies[0].partition("=")[0])
        assert sum(len(name) + len(value) for name, value in browser.items()) <= 4000
    assert len(browser) == 2
    assert begun[-1] in browser


def test_expired_attempts_and_invalid_cookies_are_cleared() -> None:
    now = 1_000_000.0
    ours, browser = offline(clock=Clock(wall=lambda: now)), Cookies()
    browser.take(ours.login_with_redirect().set_cookies)
    (name,) = browser
    browser[name[:-4] + "junk"] = "junk"
    now += 601
    browser.take(ours.login_with_redirect(cookies=browser).set_cookies)
    assert len(browser) == 1
    assert name not in browser


def test_applications_on_one_host_keep_each_others_attempts() -> None:
    ours, other, browser = offline(), offline(app_id="other", app_secret="another"), Cookies()
    browser.take(other.login_with_redirect(cookies=browser).set_cookies)
    browser.take(ours.login_with_redirect(cookies=browser).set_cookies)
    assert len(browser) == 2


@pytest.mark.parametrize("redirect_uri", [BACK, HERE])
async def test_the_cookie_of_a_login_that_failed_can_be_cleared(recorder: RecordingServer, redirect_uri: str) -> None:
    now = 1_000_000.0
    async with client(recorder, redirect_uri=redirect_uri, clock=Clock(wall=lambda: now)) as ours:
        out, browser = ours.login_with_redirect(), Cookies({"unrelated": "1"})
        browser.take(out.set_cookies)
        url = f"{redirect_uri}?code=c&state={state_of(out.url)}"
        now += 601
        with pytest.raises(LoginExpiredError):
            await ours.handle_redirect_callback(url, browser)
        browser.take(ours.clear_login_cookies(url, browser))
    assert browser == {"unrelated": "1"}


@pytest.mark.parametrize("query", ["", "state=another", "code=c", "state=a&state=b"])
async def test_a_callback_of_no_attempt_clears_nothing(recorder: RecordingServer, query: str) -> None:
    async with client(recorder) as ours:
        browser = Cookies()
        browser.take(ours.login_with_redirect().set_cookies)
        with pytest.raises((StateMismatchError, CallbackError)):
            await ours.handle_redirect_callback(query, browser)
        assert ours.clear_login_cookies(query, browser) == ()


@pytest.mark.parametrize(("others", "message"), [(False, "blocks cookies"), (True, "another browser")])
@pytest.mark.parametrize("redirect_uri", [BACK, HERE])
async def test_a_callback_without_its_cookie_names_a_likely_cause(
    recorder: RecordingServer, redirect_uri: str, others: bool, message: str
) -> None:
    async with client(recorder, redirect_uri=redirect_uri) as ours:
        login, browser = ours.begin_login(), Cookies({"unrelated": "1"})
        if others:
            browser.take(ours.login_with_redirect().set_cookies)
        with pytest.raises(StateMismatchError, match=message):
            await ours.handle_redirect_callback(callback(login), browser)
    assert recorder.requests == []


async def test_a_cookie_sealed_with_another_secret_is_refused(recorder: RecordingServer) -> None:
    async with client(recorder) as ours, client(recorder, app_secret="another") as another:
        out, browser = another.login_with_redirect(), Cookies()
        browser.take(out.set_cookies)
        url = f"{BACK}?code=c&state={state_of(out.url)}"
        with pytest.raises(StateMismatchError, match="sealed with another secret"):
            await ours.handle_redirect_callback(url, browser)
    assert recorder.requests == []


async def test_an_attempt_that_a_neighbouring_host_planted_is_refused(recorder: RecordingServer) -> None:
    async with client(recorder) as ours:
        out, attackers = ours.login_with_redirect(), Cookies()
        attackers.take(out.set_cookies)
        ((name, value),) = attackers.items()
        victims = {name.removeprefix("__Host-"): value}
        assert name not in victims
        with pytest.raises(StateMismatchError, match="another browser"):
            await ours.handle_redirect_callback(f"{BACK}?code=c&state={state_of(out.url)}", victims)
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("redirect_uri", "secure"), [(HERE, False), ("http://app.example/back", True), ("https://localhost/back", True)]
)
async def test_only_a_cookie_for_http_to_this_machine_is_not_secure(
    recorder: RecordingServer, redirect_uri: str, secure: bool
) -> None:
    async with client(recorder) as ours:
        browser, (header,) = Cookies(), ours.login_with_redirect(redirect_uri=redirect_uri).set_cookies
        assert ("; Secure" in header) is secure
        assert header.startswith("__Host-") is secure
        browser.take([header])
        login = LoginAttempt.unsealed(next(iter(browser.values())), SECRET, now=time.time())
        recorder.default = answer(id_token(recorder, login))
        assert (await ours.handle_redirect_callback(callback(login), browser)).access_token == "a"


def test_a_cookie_that_browsers_would_drop_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="browsers drop"):
        offline().login_with_redirect(redirect_uri=f"{BACK}?{'a' * 3000}")


def test_a_public_client_needs_a_secret_for_cookies() -> None:
    methods = dict.fromkeys(
        [f"{name}_endpoint_auth_method" for name in ("token", "introspection", "revocation")], "none"
    )
    ours = offline(app_secret=None, **methods)
    with pytest.raises(ConfigurationError, match="cookie_secret: is needed"):
        ours.login_with_redirect()
    assert len(ours.login_with_redirect(cookie_secret="s").set_cookies) == 1


def test_a_browser_is_sent_to_the_sign_out_page() -> None:
    ours = offline()
    out = ours.logout_with_redirect(BACK, "id-token-canary", "s")
    assert out.url == ours.build_logout_url(BACK, "id-token-canary", "s")
    assert (out.status, out.set_cookies) == (302, ())
    assert "canary" not in repr(out)
