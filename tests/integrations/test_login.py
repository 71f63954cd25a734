"""Signing in and out with a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.conftest import PASSWORD
from tests.integrations.conftest import MakeSite
from tests.integrations.sites import Browser, Site

pytestmark = pytest.mark.usefixtures("user")

MakeBrowser = Callable[[Site], Browser]


def set_cookies(response: httpx.Response) -> dict[str, str]:
    """The Set-Cookie headers, by the cookies' names."""
    return {header.partition("=")[0]: header for header in response.headers.get_list("set-cookie")}


def test_a_user_signs_in_and_is_known(browser: Browser, user: User) -> None:
    response = browser.sign_in("/page/7?sort=a%20b", password=PASSWORD)
    assert (response.status_code, response.headers["location"]) == (303, "/page/7?sort=a%20b")
    assert browser.get("/page/7").json()["name"] == "7"
    me = browser.get("/me")
    assert me.json()["sub"] == user.id
    assert me.headers["cache-control"] == "no-store"
    assert browser.get("/maybe-session").json() == {"signed_in": True}


def test_the_cookie_holds_an_id_and_no_token(browser: Browser, site: Site) -> None:
    response = browser.sign_in(password=PASSWORD)
    header = set_cookies(response)["genauth_web_session"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"} <= set(header.split("; "))
    assert len(header) < 500
    tokens = next(iter(site.store._records.values())).tokens
    for secret in (tokens.access_token, tokens.refresh_token, tokens.id_token):
        assert secret is not None
        assert secret not in response.text + str(response.headers)
    assert len(browser.cookies) == 2


def test_over_https_cookies_are_bound_to_the_host(make_site: MakeSite, make_browser: MakeBrowser) -> None:
    site = make_site({"redirect_uri": "https://app.example.test/callback"})
    response = make_browser(site).get("/login")
    ((name, header),) = set_cookies(response).items()
    assert name.startswith("__Host-genauth_web_login_")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; "))
    assert "Domain" not in header


def test_the_redirect_uri_is_never_taken_from_the_request(browser: Browser, site: Site) -> None:
    forged = {"Host": "evil.test", "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https"}
    location = browser.get("/login", headers=forged).headers["location"]
    assert parse_qs(urlsplit(location).query)["redirect_uri"] == [f"{site.url}/callback"]


def test_sign_ins_in_several_tabs_do_not_disturb_each_other(browser: Browser) -> None:
    first, second = browser.begin("/page/1"), browser.begin("/page/2")
    callbacks = [browser.fill_in(url, "ada", PASSWORD) for url in (second, first)]
    assert [browser.get(url).headers["location"] for url in callbacks] == ["/page/2", "/page/1"]


def test_cookies_do_not_grow_with_the_attempts(browser: Browser) -> None:
    urls = [browser.begin(f"/page/{number}") for number in range(30)]
    assert len(browser.cookies) == 1
    for number in (29, 0):
        response = browser.get(browser.fill_in(urls[number], "ada", PASSWORD))
        assert response.headers["location"] == f"/page/{number}"


def test_tabs_restored_at_once_all_sign_in(site: Site, make_browser: MakeBrowser, browser: Browser) -> None:
    # None of them has a cookie yet when it asks, and each answer brings one.
    tabs = [make_browser(site) for _ in range(16)]
    urls = [tab.begin(f"/page/{number}") for number, tab in enumerate(tabs)]
    for tab in tabs:
        browser.http.cookies.update(tab.http.cookies)
    header = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    assert len(browser.cookies) == 16
    assert len(header) < 1500
    callbacks = [browser.fill_in(url, "ada", PASSWORD) for url in urls]
    for number in [*range(15, -1, -2), *range(0, 16, 2)]:
        assert browser.get(callbacks[number]).headers["location"] == f"/page/{number}"
        assert browser.get("/session").status_code == 200


@pytest.mark.parametrize("longest", ["/" + "a" * 1499, "/?q=" + "%2F" * 490, "/" + "a" * 2047])
def test_the_state_is_short_enough_for_servers(browser: Browser, longest: str) -> None:
    assert len(parse_qs(urlsplit(browser.begin(longest)).query)["state"][0]) < 3000


@pytest.mark.parametrize("next_url", ["/?q=" + "报" * 300, "/" + '"' * 1500])
def test_what_is_too_long_to_come_back_to_is_left_out(browser: Browser, next_url: str) -> None:
    assert browser.sign_in(next_url, password=PASSWORD).headers["location"] == "/"


def test_cookies_that_are_not_ours_are_cleared(browser: Browser) -> None:
    for name in ("0000000000000000", "abcdef"):
        browser.http.cookies.set(f"genauth_web_login_{name}", "junk", domain="127.0.0.1", path="/")
    for number in range(40):
        value = f"{number:022}"
        browser.http.cookies.set(f"genauth_web_login_{number:06x}", value, domain="127.0.0.1", path="/")
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    assert len(browser.cookies) == 20
    assert browser.get(callback).status_code == 303


@pytest.mark.parametrize(
    "next_url", ["//evil.test", "/\\evil.test", "https://evil.test", "/\t/evil.test", "/%5cevil.test"]
)
def test_the_browser_is_not_sent_to_another_site(browser: Browser, next_url: str) -> None:
    assert browser.sign_in(next_url, password=PASSWORD).headers["location"] == "/"


def test_a_new_sign_in_replaces_the_session(browser: Browser, site: Site, emulator: Emulator) -> None:
    browser.sign_in(password=PASSWORD)
    old_cookie, (old_key,) = browser.cookies["genauth_web_session"], site.keys
    old_tokens = site.store._records[old_key].tokens
    browser.sign_in(password=PASSWORD)
    assert browser.cookies["genauth_web_session"] != old_cookie
    assert len(site.keys) == 1
    assert site.keys != [old_key]
    assert emulator.grants.active_refresh_token(str(old_tokens.refresh_token)) is None
    browser.http.cookies.set("genauth_web_session", old_cookie, domain="127.0.0.1")
    assert httpx.get(f"{site.url}/session", cookies={"genauth_web_session": old_cookie}).status_code == 401


def test_a_planted_session_cookie_is_not_taken_over(browser: Browser, site: Site, make_browser: MakeBrowser) -> None:
    attacker = make_browser(site)
    attacker.sign_in(password=PASSWORD)
    planted = attacker.cookies["genauth_web_session"]
    browser.http.cookies.set("genauth_web_session", planted, domain="127.0.0.1", path="/")
    response = browser.sign_in(password=PASSWORD)
    assert planted not in set_cookies(response)["genauth_web_session"]
    assert attacker.get("/session").status_code == 401


def test_without_the_cookie_the_callback_explains_the_error(
    browser: Browser, site: Site, make_browser: MakeBrowser
) -> None:
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    response = make_browser(site).get(callback)
    assert response.status_code == 400
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "sent no cookie" in response.text
    assert urlsplit(site.url).netloc in response.text
    assert 'href="/login"' in response.text
    assert "default-src &#x27;none" not in response.headers["content-security-policy"]
    assert site.keys == []


def test_a_callback_of_another_browser_is_refused(browser: Browser, site: Site, make_browser: MakeBrowser) -> None:
    victim = make_browser(site)
    victim.begin()
    response = victim.get(browser.fill_in(browser.begin(), "ada", PASSWORD))
    assert response.status_code == 400
    assert "begun in another browser" in response.text
    assert "genauth_web_session" not in set_cookies(response)


def test_looking_at_the_callback_does_not_use_it_up(browser: Browser) -> None:
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    assert browser.http.head(callback).status_code == 405
    assert browser.get(callback).status_code == 303


def test_a_user_who_says_no_is_told_so(browser: Browser) -> None:
    response = browser.get(browser.fill_in(browser.begin("/page/7"), "ada", PASSWORD, answer="deny"))
    assert response.status_code == 400
    assert "access_denied" in response.text
    assert 'href="/login?next=%2Fpage%2F7"' in response.text


def test_what_the_callback_says_is_shown_as_text(browser: Browser) -> None:
    state = parse_qs(urlsplit(browser.begin()).query)["state"][0]
    response = browser.get(
        "/callback", params={"state": state, "error": "<b>", "error_description": "<script>alert(1)</script>"}
    )
    assert response.status_code == 400
    assert "&lt;script&gt;" in response.text
    assert "<script" not in response.text
    assert "<b>" not in response.text


def test_an_error_without_a_known_state_is_not_shown(browser: Browser) -> None:
    response = browser.get("/callback", params={"state": "made up", "error_description": "call 0900-1234"})
    assert response.status_code == 400
    assert "0900" not in response.text


@pytest.mark.parametrize("query", ["", "code=a", "state=", "state=a&state=b", "&".join(["a=b"] * 200), "state=%ff%00"])
def test_an_odd_callback_is_answered_with_a_page(browser: Browser, query: str) -> None:
    response = browser.get(f"/callback?{query}")
    assert response.status_code == 400
    assert "text/html" in response.headers["content-type"]


def test_a_user_who_takes_too_long_is_told_so(browser: Browser, site: Site) -> None:
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    site.time.ahead = 601
    response = browser.get(callback)
    assert response.status_code == 400
    assert "too long" in response.text


@pytest.mark.parametrize("at", [0, 30, -30, -1])
def test_a_changed_state_is_refused(browser: Browser, at: int) -> None:
    callback = urlsplit(browser.fill_in(browser.begin(), "ada", PASSWORD))
    query = {name: values[0] for name, values in parse_qs(callback.query).items()}
    changed = list(query["state"].rstrip("="))
    changed[at] = "A" if changed[at] != "A" else "g"
    response = browser.get(callback.path, params=query | {"state": "".join(changed) + "=" * (-len(changed) % 4)})
    assert response.status_code == 400
    assert "made up or changed" in response.text


def test_a_server_that_is_away_is_not_the_users_fault(browser: Browser, emulator: Emulator) -> None:
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    emulator.faults.add("/oidc/token", drop=True, times=None)
    response = browser.get(callback)
    assert response.status_code == 503
    assert "cannot be reached" in response.text


@pytest.mark.parametrize(
    ("status", "error", "answered"),
    [
        (503, "temporarily_unavailable", 503),
        (500, "server_error", 503),
        (429, "slow_down", 503),
        (401, "invalid_client", 500),
        (400, "invalid_grant", 400),
    ],
)
def test_the_answer_says_whose_fault_it_is(
    browser: Browser, emulator: Emulator, caplog: pytest.LogCaptureFixture, status: int, error: str, answered: int
) -> None:
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    emulator.faults.add("/oidc/token", status=status, body={"error": error, "error_description": "told"}, times=None)
    response = browser.get(callback)
    assert response.status_code == answered
    assert ("told" in response.text) is (answered == 400)
    (record,) = [record for record in caplog.records if "A sign-in failed" in record.getMessage()]
    assert record.levelname == "WARNING"
    assert error in record.getMessage()


def test_logout_ends_the_session_here_and_there(browser: Browser, site: Site, emulator: Emulator) -> None:
    browser.sign_in(password=PASSWORD)
    tokens = site.store._records[site.keys[0]].tokens
    response = browser.post("/logout")
    location = urlsplit(response.headers["location"])
    assert (response.status_code, location.path) == (303, "/oidc/session/end")
    assert parse_qs(location.query)["id_token_hint"] == [tokens.id_token]
    assert site.keys == []
    assert "genauth_web_session" not in browser.cookies
    assert emulator.grants.active_refresh_token(str(tokens.refresh_token)) is None


def test_logout_forgets_the_session_though_the_server_is_away(browser: Browser, site: Site, emulator: Emulator) -> None:
    browser.sign_in(password=PASSWORD)
    cookie = browser.cookies["genauth_web_session"]
    emulator.faults.add("/oidc/token/revocation", drop=True, times=None)
    assert browser.post("/logout").status_code == 303
    assert site.keys == []
    again = httpx.get(f"{site.url}/session", cookies={"genauth_web_session": cookie}, trust_env=False)
    assert again.status_code == 401


def test_logout_takes_a_post(browser: Browser, site: Site) -> None:
    browser.sign_in(password=PASSWORD)
    assert browser.get("/logout").status_code == 405
    assert len(site.keys) == 1


def test_a_post_without_the_cookie_does_not_sign_out(browser: Browser, site: Site) -> None:
    browser.sign_in(password=PASSWORD)
    # What another site's form sends: the cookie stays at home.
    response = httpx.post(f"{site.url}/logout", headers={"Origin": "https://evil.test"}, trust_env=False)
    assert "set-cookie" not in response.headers
    assert browser.get("/session").status_code == 200


def test_behind_a_proxy_that_strips_a_prefix_all_paths_have_it(make_site: MakeSite, make_browser: MakeBrowser) -> None:
    site = make_site({"redirect_uri": "https://example.test/app/callback"}, mount="/app")
    browser = make_browser(site)
    assert browser.get("/callback").status_code == 400
    assert 'href="/app/login"' in browser.get("/callback").text
    assert browser.get("/page/7?a=b").headers["location"] == "/app/login?next=%2Fapp%2Fpage%2F7%3Fa%3Db"


def test_answers_of_a_sign_in_are_not_stored(browser: Browser) -> None:
    answers: list[Any] = [browser.get("/login"), browser.get("/callback"), browser.post("/logout"), browser.get("/me")]
    assert [answer.headers["cache-control"] for answer in answers] == ["no-store"] * 4


def test_an_attempt_lasts_as_long_as_is_asked_for(make_site: MakeSite, make_browser: MakeBrowser) -> None:
    site = make_site(login_lifetime=5400)
    browser = make_browser(site)
    states = [parse_qs(urlsplit(browser.begin()).query)["state"][0] for _ in range(2)]
    for ahead, state, said in ((5399, states[0], "neither a code nor an error"), (5401, states[1], "took too long")):
        site.time.ahead = ahead
        response = browser.get("/callback", params={"state": state})
        assert (response.status_code, said in response.text) == (400, True)
