"""Callbacks that come twice, late, or in a browser that is signed in already; and stores that fail meanwhile."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio
import anyio.to_thread
import httpx
import pytest
import redis

from genauth_async import AuthenticationClient, FileStore, MemoryStore, SessionRecord, StoreError
from genauth_async.emulator import Emulator
from genauth_async.emulator.visitor import sign_in_at_page
from genauth_async.integrations._web_login import LoginOptions, WebLogin
from genauth_async.oidc._cookie_header import read_cookies
from genauth_async.stores import RedisStore
from tests.conftest import PASSWORD
from tests.integrations.conftest import MakeSite
from tests.integrations.sites import Browser, Site
from tests.integrations.test_login import MakeBrowser, set_cookies
from tests.integrations.workers import STORES, MakeWorkers, make_workers, where  # noqa: F401 - fixtures
from tests.stores.redis_server import RedisServer, own_server, redis_prefix, redis_server  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("user")
TOKEN = "/oidc/token"
SESSION = "genauth_web_session"


def at_once(urls: Sequence[str], cookies: dict[str, str]) -> list[httpx.Response]:
    """Asks for all of these at once, with the same cookies."""

    def ask(url: str) -> httpx.Response:
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return httpx.get(url, headers={"Cookie": header, "Accept": "text/html"}, trust_env=False, timeout=60)

    with ThreadPoolExecutor(len(urls)) as threads:
        return list(threads.map(ask, urls))


def is_signed_in(response: httpx.Response, url: str) -> bool:
    """Tells whether a callback's answer is a redirect with the cookie of a session that can be used."""
    assert response.status_code == 303, response.text
    cookie = set_cookies(response)[SESSION].partition(";")[0]
    return httpx.get(f"{url}/session", headers={"Cookie": cookie}, trust_env=False, timeout=60).status_code == 200


@pytest.mark.parametrize("times", [2, 6])
def test_callbacks_at_once_begin_one_session(browser: Browser, site: Site, emulator: Emulator, times: int) -> None:
    callback = browser.fill_in(browser.begin("/page/1"), "ada", PASSWORD)
    emulator.faults.add(TOKEN, latency=0.3)
    responses = at_once([callback] * times, browser.cookies)
    assert {response.headers["location"] for response in responses} == {"/page/1"}
    assert all(is_signed_in(response, site.url) for response in responses)
    assert (len(site.keys), emulator.requests[TOKEN]) == (1, 1)
    assert (emulator.grants.alive, emulator.grants.revoked) == (1, 0)


@pytest.mark.skipif(os.name == "nt", reason="sockets are not inherited so")
@pytest.mark.parametrize("store", STORES)
def test_callbacks_in_two_processes_begin_one_session(
    make_workers: MakeWorkers,  # noqa: F811
    make_browser: MakeBrowser,
    emulator: Emulator,
    store: str,
) -> None:
    sites = make_workers(store).sites
    browser = make_browser(sites[0])
    for site in sites:
        assert browser.get(f"{site.url}/session").status_code == 401  # it is up
    callback = browser.fill_in(browser.begin("/page/1"), "ada", PASSWORD)
    emulator.faults.add(TOKEN, latency=0.5)
    parts = urlsplit(callback)
    responses = at_once([f"{site.url}{parts.path}?{parts.query}" for site in (*sites, *sites)], browser.cookies)
    assert all(is_signed_in(response, site.url) for response in responses for site in sites)
    assert (emulator.grants.alive, emulator.grants.revoked) == (1, 0)
    assert emulator.requests[TOKEN] == 1


@pytest.mark.skipif(os.name == "nt", reason="sockets are not inherited so")
@pytest.mark.parametrize("store", STORES)
def test_a_callback_that_does_not_wait_long_enough_sends_no_code(
    make_workers: MakeWorkers,  # noqa: F811
    make_browser: MakeBrowser,
    emulator: Emulator,
    store: str,
) -> None:
    sites = make_workers(store, where_options={"lock_timeout": 0.5}).sites
    browser = make_browser(sites[0])
    for site in sites:
        assert browser.get(f"{site.url}/session").status_code == 401  # it is up
    callback = urlsplit(browser.fill_in(browser.begin(), "ada", PASSWORD))
    emulator.faults.add(TOKEN, latency=4)
    responses = at_once([f"{site.url}{callback.path}?{callback.query}" for site in sites], browser.cookies)
    assert sorted(response.status_code for response in responses) == [303, 503]
    assert emulator.requests[TOKEN] == 1
    for site in sites:
        assert is_signed_in(browser.get(f"{site.url}{callback.path}?{callback.query}"), site.url)
    assert (emulator.grants.alive, emulator.grants.revoked) == (1, 0)


def test_a_browser_that_gives_up_and_asks_again_is_signed_in(browser: Browser, site: Site, emulator: Emulator) -> None:
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    emulator.faults.add(TOKEN, latency=1)
    with pytest.raises(httpx.ReadTimeout):
        browser.get(callback, timeout=0.3)
    assert is_signed_in(browser.get(callback), site.url)
    assert (emulator.grants.alive, emulator.grants.revoked) == (1, 0)


@pytest.mark.anyio
async def test_a_cancelled_callback_loses_no_session(emulator: Emulator) -> None:
    url = "http://127.0.0.1:9"
    store = MemoryStore()
    async with AuthenticationClient(
        emulator.app_id, emulator.url, emulator.app_secret, redirect_uri=f"{url}/callback"
    ) as client:
        web = WebLogin(client, LoginOptions(store=store))
        begun = web.login(None, {})
        cookies = read_cookies(begun.set_cookies[0].partition(";")[0])
        callback = await anyio.to_thread.run_sync(lambda: sign_in_at_page(begun.url, "ada", PASSWORD))
        emulator.faults.add(TOKEN, latency=0.5)
        with anyio.move_on_after(0.1) as scope:
            await web.callback(urlsplit(callback).query, cookies)
        assert scope.cancel_called
        assert len(store._records) == 1
        again = await web.callback(urlsplit(callback).query, cookies)
    assert (again.status, len(again.set_cookies)) == (303, 1)
    assert (emulator.grants.alive, emulator.grants.revoked) == (1, 0)


def test_a_reload_finds_the_session_as_it_is(browser: Browser, site: Site, emulator: Emulator) -> None:
    callback = browser.fill_in(browser.begin("/page/1"), "ada", PASSWORD)
    ends = []
    for _ in range(3):
        response = browser.get(callback)
        assert is_signed_in(response, site.url)
        ends.append(int(set_cookies(response)[SESSION].partition("Max-Age=")[2].partition(";")[0]))
        site.time.ahead += 100
        assert browser.get("/session").status_code == 200
    assert (len(site.keys), emulator.grants.revoked) == (1, 0)
    assert ends[0] - 210 < ends[2] < ends[0] - 190


def test_after_a_sign_out_the_back_button_gives_no_session(browser: Browser, site: Site) -> None:
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    assert browser.get(callback).status_code == 303
    browser.post("/logout")
    response = browser.get(callback)
    assert response.status_code == 400
    assert SESSION not in set_cookies(response)
    assert site.keys == []


def failing(kind: str, browser: Browser, site: Site, make_browser: MakeBrowser) -> str:
    """A callback that fails: its address."""
    if kind == "unknown state":
        return "/callback?code=c&state=unknown"
    if kind == "nothing":
        return "/callback"
    if kind == "another browser":
        return make_browser(site).begin("/page/1") and "/callback?" + urlsplit(make_browser(site).begin()).query
    url = browser.begin("/page/1")
    if kind == "denied":
        return browser.fill_in(url, "ada", PASSWORD, answer="deny")
    state = parse_qs(urlsplit(url).query)["state"][0]
    if kind == "expired":
        site.time.ahead += 601
        return f"/callback?{urlencode({'state': state, 'code': 'c'})}"
    return f"/callback?{urlencode({'state': state, 'code': 'made-up'})}"


@pytest.mark.parametrize("is_live", [True, False])
@pytest.mark.parametrize("kind", ["unknown state", "nothing", "another browser", "denied", "expired", "used code"])
def test_a_signed_in_user_sees_no_error_page(
    browser: Browser, site: Site, make_browser: MakeBrowser, kind: str, is_live: bool
) -> None:
    browser.sign_in(password=PASSWORD)
    cookie = browser.cookies[SESSION]
    callback = failing(kind, browser, site, make_browser)
    if not is_live:
        browser.post("/logout")
        browser.http.cookies.set(SESSION, cookie, domain="127.0.0.1", path="/")
    response = browser.get(callback)
    assert "set-cookie" not in response.headers
    if is_live:
        target = "/" if kind in {"unknown state", "nothing", "another browser"} else "/page/1"
        assert (response.status_code, response.headers["location"]) == (303, target)
        assert browser.get("/session").status_code == 200
    else:
        assert response.status_code == 400


def test_a_server_that_is_away_is_told_to_signed_in_users(browser: Browser, emulator: Emulator) -> None:
    browser.sign_in(password=PASSWORD)
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    emulator.faults.add(TOKEN, drop=True, times=None)
    assert browser.get(callback).status_code == 503
    emulator.faults.clear()
    assert browser.get("/session").status_code == 200


class Failing(MemoryStore):
    """A store that fails at one of its calls.

    Args:
        at: the name of the call.
        error: what it raises; None to hang.
    """

    def __init__(self, at: str, error: Exception | None) -> None:
        super().__init__()
        self._at = at
        self._error = error

    async def _fail(self, at: str) -> None:
        if self._at == at:
            self._at = ""
            if self._error is None:
                await anyio.sleep_forever()
            else:
                raise self._error

    async def get(self, key: str) -> SessionRecord | None:
        await self._fail("get")
        return await super().get(key)

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        await self._fail("compare_and_set")
        is_written = await super().compare_and_set(key, record, expected=expected)
        await self._fail("after compare_and_set")
        return is_written

    async def add_session(self, user: str, key: str, *, now: float, until: float) -> None:
        await self._fail("add_session")
        await super().add_session(user, key, now=now, until=until)

    @asynccontextmanager
    async def _locked(self, key: str) -> AsyncIterator[None]:
        await self._fail("lock")
        async with super().lock(key):
            yield
        await self._fail("unlock")

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        if self._at == "lock call" and self._error is not None:
            self._at = ""
            raise self._error
        return self._locked(key)


CALLS = ["lock call", "lock", "get", "add_session", "compare_and_set", "after compare_and_set", "unlock"]


@pytest.mark.parametrize("error", [OSError("canary"), StoreError("canary"), ValueError("canary"), None])
@pytest.mark.parametrize("at", CALLS)
def test_a_store_that_fails_gives_no_session_that_it_lacks(
    make_site: MakeSite,
    make_browser: MakeBrowser,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    error: Exception | None,
) -> None:
    if error is None and at in {"lock call", "unlock"}:
        pytest.skip("a call that returns at once does not hang, nor may a release")
    for name in ("_STORE_SECONDS", "_LOCK_SECONDS"):
        monkeypatch.setattr(f"genauth_async.integrations._browser_sessions.{name}", 0.3)
    site = make_site(store=Failing(at, error))
    browser = make_browser(site)
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    response = browser.get(callback)
    if at == "unlock":
        assert is_signed_in(response, site.url)
        return
    assert response.status_code == 503
    assert "session could not be started" in response.text
    assert "canary" not in response.text
    assert SESSION not in set_cookies(response)
    assert (emulator.grants.alive, emulator.grants.revoked) == (0, 1)
    # Once the store is back, the session that was lost does not come back.
    assert browser.get(callback).status_code == 400
    assert browser.get("/session").status_code == 401
    assert browser.sign_in(password=PASSWORD).status_code == 303
    assert browser.get("/session").status_code == 200


def test_a_store_that_never_writes_gives_no_session(
    make_site: MakeSite, make_browser: MakeBrowser, emulator: Emulator
) -> None:
    class Refusing(MemoryStore):
        async def compare_and_set(self, *_: Any, **__: Any) -> bool:
            return False

    browser = make_browser(make_site(store=Refusing()))
    response = browser.sign_in(password=PASSWORD)
    assert (response.status_code, SESSION in set_cookies(response)) == (503, False)
    assert (emulator.grants.alive, emulator.grants.revoked) == (0, 1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_directory_open_to_others_gives_no_session(
    make_site: MakeSite, make_browser: MakeBrowser, emulator: Emulator, tmp_path: Path
) -> None:
    directory = tmp_path / "sessions"
    directory.mkdir(mode=0o755)
    directory.chmod(0o755)
    browser = make_browser(make_site(store=FileStore(directory)))
    response = browser.sign_in(password=PASSWORD)
    assert (response.status_code, SESSION in set_cookies(response)) == (503, False)
    assert str(directory) not in response.text
    assert (emulator.grants.alive, emulator.grants.revoked) == (0, 1)
    directory.chmod(0o700)
    assert browser.sign_in(password=PASSWORD).status_code == 303
    assert browser.get("/session").status_code == 200


@pytest.mark.parametrize(("fails", "recovers"), [("kill", "start"), ("freeze", "thaw")])
def test_without_redis_a_callback_gives_no_session(
    make_site: MakeSite,
    make_browser: MakeBrowser,
    emulator: Emulator,
    own_server: RedisServer,  # noqa: F811
    fails: str,
    recovers: str,
) -> None:
    with redis.Redis.from_url(own_server.url, socket_timeout=1.0, retry=None) as client:
        site = make_site(store=RedisStore(client))
        browser = make_browser(site)
        assert is_signed_in(browser.sign_in(password=PASSWORD), site.url)
        browser.post("/logout")
        callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
        getattr(own_server, fails)()
        response = browser.get(callback)
        assert (response.status_code, SESSION in set_cookies(response)) == (503, False)
        assert emulator.grants.alive == 0
        getattr(own_server, recovers)()
        assert is_signed_in(browser.sign_in(password=PASSWORD), site.url)


def test_a_lock_that_expired_still_begins_one_session(
    make_site: MakeSite, make_browser: MakeBrowser, emulator: Emulator
) -> None:
    class Unlocked(MemoryStore):
        """Another process wrote the session, though this one had its lock."""

        async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
            if expected is None:
                await super().compare_and_set(key, record, expected=None)
            return await super().compare_and_set(key, record, expected=expected)

    site = make_site(store=Unlocked())
    browser = make_browser(site)
    assert is_signed_in(browser.sign_in(password=PASSWORD), site.url)
    assert (emulator.grants.alive, emulator.grants.revoked) == (1, 0)
