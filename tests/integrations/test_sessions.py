"""Answers to a signed-in browser, the lifetime of its session, and the end of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from genauth_async.emulator import Emulator, User
from genauth_async.integrations._replies import Redirect, Refusal
from genauth_async.integrations._web_login import LoginOptions, RequestInfo, WebLogin
from tests.conftest import PASSWORD
from tests.integrations.conftest import MakeSite
from tests.integrations.sites import Browser, Site
from tests.integrations.test_login import MakeBrowser, set_cookies

pytestmark = pytest.mark.usefixtures("user")

LATER = 20 * 86400.0  # when access tokens have expired
SCRIPT = {"Accept": "application/json"}


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site(session_lifetime=90 * 86400)


@pytest.fixture
def signed_in(browser: Browser) -> Browser:
    browser.sign_in(password=PASSWORD)
    return browser


def test_without_a_session_scripts_get_401_and_browsers_303(browser: Browser) -> None:
    for path in ("/session", "/me"):
        response = browser.get(path)
        assert (response.status_code, response.json()) == (401, {"detail": "Not signed in"})
        assert response.headers["www-authenticate"] == "Cookie"
    assert browser.get("/maybe-session").json() == {"signed_in": False}
    assert browser.get("/page/7", headers=SCRIPT).status_code == 401
    assert browser.get("/page/7").status_code == 303


def test_a_browser_comes_back_to_the_page_that_it_asked_for(browser: Browser) -> None:
    response = browser.get("/page/x%20y?c=d%20e&f=%2F")
    assert response.status_code == 303
    assert response.headers["location"] == "/login?next=%2Fpage%2Fx%2520y%3Fc%3Dd%2520e%26f%3D%252F"
    hosted = browser.get(response.headers["location"]).headers["location"]
    back = browser.get(browser.fill_in(hosted, "ada", PASSWORD)).headers["location"]
    assert back == "/page/x%20y?c=d%20e&f=%2F"
    assert browser.get(back).json()["name"] == "x y"


def test_the_store_may_drop_a_session_when_its_cookie_ends(signed_in: Browser, site: Site) -> None:
    [record] = site.store._records.values()
    assert record.expires_at is not None
    assert 90 * 86400 - 60 < record.expires_at - record.tokens.obtained_at <= 90 * 86400 + 60
    site.time.ahead = LATER
    signed_in.get("/session")
    [refreshed] = site.store._records.values()
    assert refreshed.tokens != record.tokens
    assert refreshed.expires_at == record.expires_at


def test_an_expired_token_is_refreshed_once_for_all_requests(signed_in: Browser, site: Site) -> None:
    first = signed_in.get("/session").json()["token"]
    site.time.ahead = LATER
    with ThreadPoolExecutor(8) as pool:
        tokens = {pool.submit(signed_in.get, "/session") for _ in range(16)}
    assert len({token.result().json()["token"] for token in tokens} - {first}) == 1
    assert signed_in.get("/me").status_code == 200


def test_a_session_that_ended_is_cleared_away(signed_in: Browser, site: Site, emulator: Emulator) -> None:
    emulator.revoke_grant(str(site.store._records[site.keys[0]].tokens.refresh_token))
    site.time.ahead = LATER
    page = signed_in.get("/page/7", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2Fpage%2F7")
    assert "Max-Age=0" in set_cookies(page)["genauth_web_session"]
    assert site.keys == []
    assert signed_in.get("/session").json() == {"detail": "Not signed in"}


def test_a_session_that_ends_while_a_handler_uses_it_is_a_401(
    signed_in: Browser, site: Site, emulator: Emulator
) -> None:
    assert signed_in.get("/page/7").status_code == 200  # on the same connection, to leave nothing behind
    emulator.revoke_grant(str(site.store._records[site.keys[0]].tokens.refresh_token))
    response = signed_in.get("/refused-elsewhere")
    assert (response.status_code, response.json()) == (401, {"detail": "The session has ended"})
    assert "Max-Age=0" in set_cookies(response)["genauth_web_session"]


def test_a_session_that_ends_during_a_page_redirects_to_login(
    signed_in: Browser, site: Site, emulator: Emulator
) -> None:
    assert signed_in.get("/page/7").status_code == 200
    emulator.revoke_grant(str(site.store._records[site.keys[0]].tokens.refresh_token))
    response = signed_in.get("/refused-page")
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=%2Frefused-page")
    assert signed_in.get("/session").status_code == 401


def test_an_optional_session_that_ends_reloads_the_page(signed_in: Browser, site: Site, emulator: Emulator) -> None:
    emulator.revoke_grant(str(site.store._records[site.keys[0]].tokens.refresh_token))
    response = signed_in.get("/refused-maybe?a=%2F")
    assert (response.status_code, response.headers["location"]) == (303, "/refused-maybe?a=%2F")
    assert "Max-Age=0" in set_cookies(response)["genauth_web_session"]
    assert signed_in.get(response.headers["location"]).json() == {"signed_in": False}


def test_scripts_get_401_when_an_optional_session_ends(signed_in: Browser, site: Site, emulator: Emulator) -> None:
    emulator.revoke_grant(str(site.store._records[site.keys[0]].tokens.refresh_token))
    assert signed_in.get("/refused-maybe", headers=SCRIPT).status_code == 401


def test_an_optional_session_of_unknown_outcome_is_kept(signed_in: Browser, site: Site, emulator: Emulator) -> None:
    emulator.faults.add("/oidc/token", status=500, times=2)
    response = signed_in.get("/refused-maybe")
    assert response.status_code == 503
    assert 1 <= int(response.headers["retry-after"]) <= 5
    assert "set-cookie" not in response.headers
    site.time.ahead = 6
    assert signed_in.get("/session").status_code == 200


def test_the_reload_without_a_session_stays_on_the_site(site: Site) -> None:
    web = WebLogin(site.client, LoginOptions(after_login="/home"))
    refusal = Refusal(status=401, detail="The session has ended", set_cookies=("session=; Max-Age=0",))
    reply = web.optional_refusal(refusal, RequestInfo(method="GET", target="//evil.example.test/", accept="text/html"))
    assert isinstance(reply, Redirect)
    assert reply.url == "/home"


@pytest.mark.parametrize("path", ["/me", "/user", "/page-user"])
def test_the_user_is_known_by_their_token(signed_in: Browser, user: User, path: str) -> None:
    assert signed_in.get(path).json()["sub"] == user.id


@pytest.mark.parametrize("path", ["/me", "/user", "/page-user"])
def test_a_revoked_access_token_ends_the_session(signed_in: Browser, site: Site, emulator: Emulator, path: str) -> None:
    emulator.revoke_grant(str(site.store._records[site.keys[0]].tokens.refresh_token))
    assert signed_in.get(path, headers=SCRIPT).status_code == 401
    assert site.keys == []


def test_a_page_of_a_user_with_a_revoked_token_leads_to_login(
    signed_in: Browser, site: Site, emulator: Emulator
) -> None:
    emulator.revoke_grant(str(site.store._records[site.keys[0]].tokens.refresh_token))
    response = signed_in.get("/page-user?a=b")
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=%2Fpage-user%3Fa%3Db")
    assert "Max-Age=0" in set_cookies(response)["genauth_web_session"]


@pytest.mark.parametrize("path", ["/me", "/user", "/page-user"])
def test_what_is_said_of_another_user_is_not_believed(
    signed_in: Browser, site: Site, emulator: Emulator, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    emulator.faults.add("/oidc/me", status=200, body={"sub": "mallory", "name": "Mallory"})
    response = signed_in.get(path)
    assert (response.status_code, response.json()) == (503, {"detail": "The user's data cannot be read now"})
    assert "another user" in caplog.text
    assert len(site.keys) == 1
    assert signed_in.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/me", "/user", "/page-user"])
def test_an_odd_claim_about_the_user_hides_none_of_the_others(
    signed_in: Browser, emulator: Emulator, user: User, path: str
) -> None:
    claims = {"sub": user.id, "email_verified": "true", "locale": ["de"], "nickname": "Ada"}
    emulator.faults.add("/oidc/me", status=200, body=claims)
    response = signed_in.get(path)
    assert response.status_code == 200
    assert response.json()["sub"] == user.id
    assert path != "/me" or response.json() == claims


def test_an_unverified_id_token_is_not_used_for_the_user(
    make_site: MakeSite, make_browser: MakeBrowser, emulator: Emulator, user: User
) -> None:
    browser = make_browser(make_site({"protocol": "oauth"}, scope="user"))
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    tokens = emulator.issue_tokens(user, scope="user")
    emulator.faults.add("/oauth/token", status=200, body={**tokens, "id_token": "not verified"})
    assert browser.get(callback).status_code == 303
    assert browser.get("/me").json()["sub"] == user.id


def test_a_session_lasts_no_longer_than_its_lifetime(make_site: MakeSite, make_browser: MakeBrowser) -> None:
    site = make_site(session_lifetime=60)
    browser = make_browser(site)
    browser.sign_in(password=PASSWORD)
    cookie = browser.cookies["genauth_web_session"]
    site.time.ahead = 61
    browser.http.cookies.set(
        "genauth_web_session", cookie, domain="127.0.0.1", path="/"
    )  # though the browser forgot it
    response = browser.get("/session")
    assert (response.status_code, response.json()) == (401, {"detail": "The session has expired"})
    assert site.keys == []


def test_a_server_that_is_away_does_not_end_the_session(signed_in: Browser, site: Site, emulator: Emulator) -> None:
    site.time.ahead = LATER
    emulator.faults.add(
        "/oidc/token", status=503, body={"error": "temporarily_unavailable"}, retry_after=40, times=None
    )
    for waited in (0, 30):
        site.time.ahead = LATER + waited
        response = signed_in.get("/session")
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) == pytest.approx(40 - waited, abs=2)
        assert "set-cookie" not in response.headers
    assert emulator.requests["/oidc/token"] == 2, "the code, and one attempt"
    emulator.faults.clear()
    site.time.ahead = LATER + 41
    assert signed_in.get("/session").status_code == 200


def test_a_lost_refresh_lets_the_user_sign_in_again(signed_in: Browser, site: Site, emulator: Emulator) -> None:
    site.time.ahead = LATER
    emulator.faults.add("/oidc/token", lose_reply=True)
    response = signed_in.get("/page/7")
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=%2Fpage%2F7")


def test_without_the_server_me_is_unavailable(signed_in: Browser, site: Site, emulator: Emulator) -> None:
    emulator.faults.add("/oidc/me", status=503, body={"error": "temporarily_unavailable"}, times=None)
    response = signed_in.get("/me")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert len(site.keys) == 1


@pytest.mark.parametrize("warm", [False, True])
def test_the_keys_are_fetched_at_the_start_if_that_is_asked_for(
    make_site: MakeSite, emulator: Emulator, warm: bool
) -> None:
    make_site(warm=warm)
    assert emulator.requests["/oidc/.well-known/jwks.json"] == int(warm)


def test_the_site_starts_without_the_servers_keys(
    make_site: MakeSite,
    make_browser: MakeBrowser,
    emulator: Emulator,
    user: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fault = emulator.faults.add("/oidc/.well-known/jwks.json", status=500, times=None)
    site = make_site(warm=True)
    assert "could not be fetched at startup" in caplog.text
    emulator.faults.remove(fault)
    site.time.ahead = 60  # past the pause after a failure
    token = {"Authorization": f"Bearer {emulator.issue_tokens(user)['access_token']}"}
    assert make_browser(site).get("/claims", headers=token).json() == {"sub": user.id}


@pytest.mark.parametrize("cookie", ["junk", "", "gAAAAA", "é"])
def test_a_made_up_session_cookie_is_refused(browser: Browser, cookie: str) -> None:
    response = browser.get("/session", headers={"Cookie": f"genauth_web_session={cookie}".encode()})
    assert response.status_code == 401


def test_an_attempts_cookie_opens_no_session(browser: Browser) -> None:
    browser.begin()
    ((_, sealed),) = browser.cookies.items()
    response = browser.get("/session", headers={"Cookie": f"genauth_web_session={sealed}"})
    assert response.json() == {"detail": "The session cookie is invalid"}


def test_secrets_can_be_changed_without_signing_out(make_site: MakeSite, make_browser: MakeBrowser) -> None:
    old, new = "old" * 16, "new" * 16
    before = make_site(cookie_secret=old)
    browser = make_browser(before)
    browser.sign_in(password=PASSWORD)
    cookie = {"Cookie": f"genauth_web_session={browser.cookies['genauth_web_session']}"}
    rotated = make_site(cookie_secret=[new, old], store=before.store)
    assert make_browser(rotated).get("/session", headers=cookie).status_code == 200
    without = make_site(cookie_secret=new, store=before.store)
    assert make_browser(without).get("/session", headers=cookie).status_code == 401


@pytest.mark.parametrize("path", ["/me", "/user", "/page-user"])
def test_a_refusal_for_another_reason_costs_no_refresh(
    signed_in: Browser, site: Site, emulator: Emulator, path: str
) -> None:
    [record] = site.store._records.values()
    emulator.faults.add("/oidc/me", status=403, body={"error": "insufficient_scope"}, times=None)
    response = signed_in.get(path, headers=SCRIPT)
    assert (response.status_code, response.json()) == (503, {"detail": "The user's data cannot be read now"})
    assert emulator.requests["/oidc/me"] == 1
    assert list(site.store._records.values()) == [record]
