"""The redirect helpers: a login attempt in the state parameter, bound to the browser by a cookie."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from genauth_async import (
    AuthenticationClient,
    CallbackError,
    ConfigurationError,
    LoginExpiredError,
    StateMismatchError,
)
from genauth_async.settings import Clock
from tests.core.test_login import BACK, SECRET, answer, client, id_token
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


def header_of(browser: Cookies) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.items())


def back(url: str, **changes: str) -> str:
    """The callback of an authorization URL."""
    return f"?{urlencode({'code': 'c', 'state': state_of(url), **changes})}"


def nonce_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["nonce"][0]


def answer_to(recorder: RecordingServer, url: str) -> None:
    login = offline().begin_login()
    recorder.default = answer(id_token(recorder, login, nonce=nonce_of(url)))


async def test_a_browser_carries_a_login_from_one_helper_to_the_next(recorder: RecordingServer) -> None:
    browser = Cookies()
    async with client(recorder) as ours:
        out = ours.login_with_redirect()
        assert (out.status, dict(out.headers)["location"]) == (302, out.url)
        assert "prompt=login" not in out.url
        (header,) = out.set_cookies
        assert [value for name, value in out.headers if name == "set-cookie"] == [header]
        assert {"HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=600"} <= set(header.split("; "))
        assert state_of(out.url) not in repr(out)
        assert header not in repr(out)
        browser.take(out.set_cookies)
        other = ours.login_with_redirect(forced=True, cookies=header_of(browser))
        assert "prompt=login" in other.url
        browser.take(other.set_cookies)
        assert len(browser) == 1
        for redirect, cookies in ((other, header_of(browser)), (out, browser)):
            answer_to(recorder, redirect.url)
            assert (await ours.handle_redirect_callback(back(redirect.url), cookies)).access_token == "a"
        with pytest.raises(CallbackError, match="came twice"):
            await ours.handle_redirect_callback(back(out.url), browser)


@pytest.mark.parametrize("redirect_uri", [BACK, HERE])
async def test_tabs_that_begin_at_once_all_finish(recorder: RecordingServer, redirect_uri: str) -> None:
    async with client(recorder, redirect_uri=redirect_uri) as ours:
        browser, begun = Cookies({"unrelated": "1"}), [ours.login_with_redirect() for _ in range(16)]
        for out in begun:
            browser.take(out.set_cookies)
        assert len(browser) == 17
        assert len(header_of(browser)) < 1500
        for out in begun:
            answer_to(recorder, out.url)
            assert (await ours.handle_redirect_callback(back(out.url), header_of(browser))).access_token == "a"


def test_surplus_cookies_are_cleared() -> None:
    ours, browser = offline(), Cookies({"unrelated": "1"})
    for _ in range(30):
        browser.take(ours.login_with_redirect().set_cookies)
    name = list(browser)[-1]
    browser[name[:-6] + "junk"] = "junk"
    browser.take(ours.login_with_redirect(cookies=browser).set_cookies)
    assert len(browser) == 21
    assert name in browser


@pytest.mark.parametrize("value", ["", "short", "a" * 21, "a" * 23, "a" * 21 + "\u00e9", "a" * 21 + ".", "a" * 5000])
def test_a_cookie_of_another_form_is_replaced(value: str) -> None:
    ours, browser = offline(), Cookies()
    browser.take(ours.login_with_redirect().set_cookies)
    (name,) = browser
    browser.take(ours.login_with_redirect(cookies={name: value}).set_cookies)
    assert name not in browser
    ((_, new),) = browser.items()
    assert len(new) == 22


def test_applications_on_one_host_keep_each_others_cookies() -> None:
    ours, other, browser = offline(), offline(app_id="other"), Cookies()
    browser.take(other.login_with_redirect(cookies=browser).set_cookies)
    browser.take(ours.login_with_redirect(cookies=browser).set_cookies)
    assert len(browser) == 2


async def refused(ours: AuthenticationClient, callback: str, cookies: str | Cookies, **options: Any) -> str:
    with pytest.raises(StateMismatchError) as caught:
        await ours.handle_redirect_callback(callback, cookies, **options)
    return str(caught.value)


@pytest.mark.parametrize("redirect_uri", [BACK, HERE])
async def test_a_callback_that_is_not_this_browsers_is_refused(recorder: RecordingServer, redirect_uri: str) -> None:
    async with client(recorder, redirect_uri=redirect_uri) as ours:
        out, browser = ours.login_with_redirect(), Cookies()
        browser.take(ours.login_with_redirect().set_cookies)
        assert "begun in another browser" in await refused(ours, back(out.url), browser)
        assert "blocks cookies" in await refused(ours, back(out.url), "unrelated=1")
        ((name, value),) = browser.items()
        assert "blocks cookies" in await refused(ours, back(out.url), f"{name}={value}; {name}={value}")
    assert recorder.requests == []


@pytest.mark.parametrize("state", ["", "another", "gAAAAA", "\u00e9", "a.b.c", "A" * 5000])
async def test_a_state_that_was_made_up_is_refused(recorder: RecordingServer, state: str) -> None:
    async with client(recorder) as ours:
        browser = Cookies()
        browser.take(ours.login_with_redirect().set_cookies)
        assert "made up" in await refused(ours, f"?{urlencode({'code': 'c', 'state': state})}", browser)
        assert "made up" in await refused(ours, "code=c", browser)
        assert "made up" in await refused(ours, "", browser)
    assert recorder.requests == []


@pytest.mark.parametrize("at", range(0, 460, 23))
async def test_a_changed_state_is_refused(recorder: RecordingServer, at: int) -> None:
    async with client(recorder) as ours:
        out, browser = ours.login_with_redirect(), Cookies()
        browser.take(out.set_cookies)
        state = state_of(out.url)
        assert at < len(state) - 4
        changed = state[:at] + ("A" if state[at] != "A" else "B") + state[at + 1 :]
        assert "changed" in await refused(ours, back(out.url, state=changed), browser)
    assert recorder.requests == []


async def test_a_state_of_another_application_or_secret_is_refused(recorder: RecordingServer) -> None:
    secrets = ["one secret of 32 characters or more", "another of 32 characters or more!"]
    async with client(recorder) as ours, client(recorder, app_id="other") as another:
        out, browser = another.login_with_redirect(), Cookies()
        browser.take(out.set_cookies)
        assert "made up" in await refused(ours, back(out.url), browser)
        out = ours.login_with_redirect(cookie_secret=secrets[0])
        browser.take(out.set_cookies)
        assert "secret has changed" in await refused(ours, back(out.url), browser)
        assert "secret has changed" in await refused(ours, back(out.url), browser, cookie_secret=secrets[1])
        kept = ours.begin_login().sealed(SECRET)  # sealed for another purpose, which binds it to no browser
        assert "made up" in await refused(ours, back(out.url, state=kept), browser)
        assert recorder.requests == []
        answer_to(recorder, out.url)
        await ours.handle_redirect_callback(back(out.url), browser, cookie_secret=secrets[::-1])


async def test_a_state_of_another_issuer_is_refused(recorder: RecordingServer) -> None:
    async with client(recorder) as ours, client(recorder, issuer="https://b.example/oidc") as another:
        out, browser = another.login_with_redirect(), Cookies()
        browser.take(out.set_cookies)
        assert "https://b.example/oidc" in await refused(ours, back(out.url), browser)
    assert recorder.requests == []


async def test_a_user_who_took_too_long_has_to_begin_again(recorder: RecordingServer) -> None:
    now = 1_000_000.0
    async with client(recorder, clock=Clock(wall=lambda: now)) as ours:
        out, browser = ours.login_with_redirect(), Cookies()
        browser.take(out.set_cookies)
        now += 601
        browser.take(ours.login_with_redirect(cookies=browser).set_cookies)  # which keeps the cookie alive
        for cookies in (browser, ""):
            with pytest.raises(LoginExpiredError):
                await ours.handle_redirect_callback(back(out.url), cookies)


async def test_a_cookie_that_a_neighbouring_host_planted_is_refused(recorder: RecordingServer) -> None:
    async with client(recorder) as ours:
        out, attackers = ours.login_with_redirect(), Cookies()
        attackers.take(out.set_cookies)
        ((name, value),) = attackers.items()
        planted = name.removeprefix("__Host-")
        assert planted != name
        victims = Cookies({planted: value})
        assert "blocks cookies" in await refused(ours, back(out.url), victims)
        # What parsers of frameworks make `__Host-` names of.
        for header in (f"a\xa0{name}={value}", f"\xa0{name}={value}", f"\x85{name}={value}", f'a="b {name}={value}"'):
            await refused(ours, back(out.url), header)
        victims.take(ours.login_with_redirect(cookies=victims).set_cookies)
        assert len(victims) == 2
        assert value not in [victims[other] for other in victims if other != planted]
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("redirect_uri", "secure"), [(HERE, False), ("http://app.example/back", True), ("https://localhost/back", True)]
)
async def test_only_a_cookie_for_http_to_this_machine_is_not_secure(
    recorder: RecordingServer, redirect_uri: str, secure: bool
) -> None:
    async with client(recorder) as ours:
        browser, out = Cookies(), ours.login_with_redirect(redirect_uri=redirect_uri)
        (header,) = out.set_cookies
        assert ("; Secure" in header) is secure
        assert header.startswith("__Host-") is secure
        browser.take([header])
        answer_to(recorder, out.url)
        assert (await ours.handle_redirect_callback(back(out.url), browser)).access_token == "a"


def test_a_public_client_needs_a_secret_for_cookies() -> None:
    methods = dict.fromkeys(
        [f"{name}_endpoint_auth_method" for name in ("token", "introspection", "revocation")], "none"
    )
    ours = offline(app_secret=None, **methods)
    with pytest.raises(ConfigurationError, match="cookie_secret: must be given"):
        ours.login_with_redirect()
    assert len(ours.login_with_redirect(cookie_secret="s" * 32).set_cookies) == 1


@pytest.mark.parametrize("secret", ["", "secret", "s" * 31, [], ["s" * 32, "short"], 7])
async def test_a_short_cookie_secret_is_refused(secret: Any) -> None:
    ours = offline()
    with pytest.raises(ConfigurationError, match="cookie_secret: must be random strings of at least 32"):
        ours.login_with_redirect(cookie_secret=secret)
    with pytest.raises(ConfigurationError, match="cookie_secret: must be random strings of at least 32"):
        await ours.handle_redirect_callback("?code=c", {}, cookie_secret=secret)


def test_a_browser_is_sent_to_the_sign_out_page() -> None:
    ours = offline()
    out = ours.logout_with_redirect(BACK, "id-token-canary", "s")
    assert out.url == ours.build_logout_url(BACK, "id-token-canary", "s")
    assert (out.status, out.set_cookies) == (302, ())
    assert "canary" not in repr(out)
