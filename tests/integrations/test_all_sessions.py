"""Signing a user out in every browser, and sessions that are not used."""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest

from genauth_async import ConfigurationError, FileStore, MemoryStore, StoreError, TokenStore
from genauth_async.emulator import Emulator, User
from genauth_async.integrations import aiohttp, fastapi
from tests.conftest import PASSWORD
from tests.integrations.conftest import MakeSite
from tests.integrations.sites import Browser, Site
from tests.integrations.test_login import MakeBrowser
from tests.integrations.workers import STORES, MakeWorkers, make_workers, where  # noqa: F401 - fixtures
from tests.stores.redis_server import redis_prefix, redis_server  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("user")


def sign_out(url: str, user: str) -> httpx.Response:
    return httpx.post(f"{url}/everywhere/{user}", trust_env=False, timeout=60)


def is_in(browser: Browser, url: str = "") -> bool:
    status = browser.get(f"{url}/session").status_code
    assert status in {200, 401}
    return status == 200


def browsers(site: Site, make_browser: MakeBrowser, *accounts: str) -> list[Browser]:
    """Browsers whose users are signed in."""
    made = [make_browser(site) for _ in accounts]
    for browser, account in zip(made, accounts, strict=True):
        assert browser.sign_in(account=account, password=PASSWORD).status_code == 303
        assert is_in(browser)
    return made


def test_a_user_is_signed_out_everywhere(site: Site, make_browser: MakeBrowser, emulator: Emulator, user: User) -> None:
    emulator.add_user(username="bob", password=PASSWORD)
    *adas, bob = browsers(site, make_browser, "ada", "ada", "ada", "bob")
    adas[0].post("/logout")
    assert sign_out(site.url, user.id).json() == 2
    assert [is_in(browser) for browser in (*adas, bob)] == [False, False, False, True]
    assert (len(site.keys), emulator.grants.alive) == (1, 1)
    assert sign_out(site.url, user.id).json() == 0
    assert adas[1].sign_in(password=PASSWORD).status_code == 303
    assert is_in(adas[1])
    assert sign_out(site.url, user.id).json() == 1


@pytest.mark.skipif(os.name == "nt", reason="sockets are not inherited so")
@pytest.mark.parametrize("store", STORES)
def test_a_user_is_signed_out_in_all_processes(
    make_workers: MakeWorkers,  # noqa: F811
    make_browser: MakeBrowser,
    emulator: Emulator,
    user: User,
    store: str,
) -> None:
    emulator.add_user(username="bob", password=PASSWORD)
    one, other = make_workers(store).sites
    *adas, bob = browsers(one, make_browser, "ada", "ada", "bob")
    assert all(is_in(browser, other.url) for browser in (*adas, bob))
    assert sign_out(other.url, user.id).json() == 2
    for site in (one, other):
        assert [is_in(browser, site.url) for browser in (*adas, bob)] == [False, False, True]
    assert emulator.grants.alive == 1
    assert sign_out(one.url, user.id).json() == 0


@pytest.mark.skipif(os.name == "nt", reason="sockets are not inherited so")
def test_a_session_that_a_process_uses_ends_there_too(
    make_workers: MakeWorkers,  # noqa: F811
    make_browser: MakeBrowser,
    user: User,
) -> None:
    one, other = make_workers("file").sites
    (browser,) = browsers(one, make_browser, "ada")
    # A request under way keeps the session in the process.
    with browser.http.stream("GET", f"{one.url}/slow") as response:
        assert next(response.iter_raw()) == b"begun"
        assert sign_out(other.url, user.id).json() == 1
        assert not is_in(browser, one.url)


def test_a_server_that_is_away_does_not_keep_users_in(
    site: Site, make_browser: MakeBrowser, emulator: Emulator, user: User
) -> None:
    adas = browsers(site, make_browser, "ada", "ada")
    emulator.faults.add("/oidc/token/revocation", drop=True, times=None)
    assert sign_out(site.url, user.id).json() == 2
    assert not any(map(is_in, adas))


@pytest.mark.parametrize("call", ["sessions_of", "get", "delete", "remove_session"])
@pytest.mark.parametrize("error", [OSError, StoreError])
def test_a_store_that_fails_is_reported(
    make_site: MakeSite,
    make_browser: MakeBrowser,
    monkeypatch: pytest.MonkeyPatch,
    user: User,
    call: str,
    error: type[Exception],
) -> None:
    site = make_site()
    adas = browsers(site, make_browser, "ada", "ada")

    async def fail(*_: Any, **__: Any) -> None:
        raise error("canary")

    with monkeypatch.context() as patch:
        patch.setattr(MemoryStore, call, fail)
        response = sign_out(site.url, user.id)
        assert (response.status_code, "StoreError" in response.text) == (502, True)
    assert sign_out(site.url, user.id).status_code == 200
    assert not any(map(is_in, adas))


class Plain:
    """A store of one's own, without an index."""

    def __init__(self) -> None:
        store = MemoryStore()
        self.get, self.compare_and_set, self.delete, self.lock = (
            store.get,
            store.compare_and_set,
            store.delete,
            store.lock,
        )


def test_a_store_without_an_index_names_what_it_lacks(
    make_site: MakeSite, make_browser: MakeBrowser, framework: str, user: User
) -> None:
    plain: TokenStore = Plain()
    site = make_site(store=plain)
    (browser,) = browsers(site, make_browser, "ada")
    response = sign_out(site.url, user.id)
    assert response.status_code == 502
    assert "ConfigurationError" in response.text
    assert "add_session, touch_session, remove_session, sessions_of" in response.text
    assert is_in(browser)
    module: Any = fastapi if framework == "fastapi" else aiohttp
    with pytest.raises(ConfigurationError, match="Plain lacks add_session"):
        module.GenAuth(site.client, store=plain, session_idle_timeout=60)


def test_without_an_id_token_no_user_has_sessions(make_site: MakeSite) -> None:
    response = sign_out(make_site({"protocol": "oauth"}).url, "ada")
    assert (response.status_code, "protocol: must be oidc" in response.text) == (502, True)


MONTHS = 90 * 86400.0
"""More than an access token lives."""


def test_a_session_that_ended_is_no_longer_listed(
    make_site: MakeSite, make_browser: MakeBrowser, emulator: Emulator, user: User
) -> None:
    site = make_site(session_lifetime=2 * MONTHS)
    browsers(site, make_browser, "ada")
    (signed_out, revoked) = browsers(site, make_browser, "ada", "ada")
    listed = site.store._index
    assert listed is not None
    assert [len(sessions) for sessions in listed.values()] == [3]
    signed_out.post("/logout")
    assert [len(sessions) for sessions in listed.values()] == [2]
    emulator.grants.revoke_all_of(user.id)
    site.time.ahead += MONTHS
    assert not is_in(revoked)
    assert [len(sessions) for sessions in listed.values()] == [1]


@pytest.mark.parametrize("seconds", [0, -1, True, "60", float("nan")])
def test_an_idle_timeout_is_in_seconds(make_site: MakeSite, framework: str, seconds: Any) -> None:
    module: Any = fastapi if framework == "fastapi" else aiohttp
    with pytest.raises(ConfigurationError, match="session_idle_timeout"):
        module.GenAuth(make_site().client, session_idle_timeout=seconds)


@pytest.mark.parametrize("store", ["memory", "file"])
def test_a_session_that_is_not_used_ends(
    make_site: MakeSite, make_browser: MakeBrowser, emulator: Emulator, tmp_path: Any, store: str, user: User
) -> None:
    kept = MemoryStore() if store == "memory" else FileStore(tmp_path / "sessions")
    site = make_site(store=kept, session_idle_timeout=600)
    (browser,) = browsers(site, make_browser, "ada")
    for _ in range(5):
        site.time.ahead += 599
        assert is_in(browser)
    for _ in range(60):
        site.time.ahead += 59
        assert is_in(browser)
    site.time.ahead += 601
    assert browser.get("/page/1").status_code == 303
    assert "genauth_web_session" not in browser.cookies
    assert emulator.grants.alive == 0
    assert sign_out(site.url, user.id).json() == 0
    assert browser.sign_in(password=PASSWORD).status_code == 303
    assert is_in(browser)


def test_a_session_that_was_never_used_ends(make_site: MakeSite, make_browser: MakeBrowser) -> None:
    site = make_site(session_idle_timeout=600)
    browser = make_browser(site)
    browser.sign_in(password=PASSWORD)
    site.time.ahead += 601
    assert not is_in(browser)


@pytest.mark.skipif(os.name == "nt", reason="sockets are not inherited so")
@pytest.mark.parametrize("store", STORES)
def test_a_session_is_used_in_any_process(
    make_workers: MakeWorkers,  # noqa: F811
    make_browser: MakeBrowser,
    store: str,
) -> None:
    workers = make_workers(store, session_idle_timeout=600)
    one, other = workers.sites
    (browser,) = browsers(one, make_browser, "ada")
    for ahead in (599, 1198, 1797, 2396):
        workers.ahead.write_text(str(ahead), encoding="utf-8")
        assert is_in(browser, other.url)
    assert is_in(browser, one.url)
    workers.ahead.write_text("2997", encoding="utf-8")
    for site in (one, other):
        cookies = dict(browser.cookies)
        assert httpx.get(f"{site.url}/session", cookies=cookies, trust_env=False).status_code == 401


def test_a_busy_session_ends_at_its_own_time(make_site: MakeSite, make_browser: MakeBrowser) -> None:
    site = make_site(session_idle_timeout=600, session_lifetime=1000)
    (browser,) = browsers(site, make_browser, "ada")
    for ahead, expected in ((500, True), (999, True), (1001, False)):
        site.time.ahead = ahead
        assert is_in(browser) is expected


def test_the_use_of_a_session_is_noted_now_and_then(
    make_site: MakeSite, make_browser: MakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    touch = MemoryStore.touch_session

    async def counted(self: MemoryStore, user: str, key: str, *, now: float, until: float) -> bool:
        calls.append(now)
        return await touch(self, user, key, now=now, until=until)

    monkeypatch.setattr(MemoryStore, "touch_session", counted)
    site = make_site(session_idle_timeout=600)
    (browser,) = browsers(site, make_browser, "ada")
    for _ in range(10):
        assert is_in(browser)
    assert len(calls) == 1
    site.time.ahead += 61
    assert is_in(browser)
    assert len(calls) == 2


@pytest.mark.skipif(os.name == "nt", reason="sockets are not inherited so")
def test_workers_without_a_common_store_are_logged_once(
    make_workers: MakeWorkers,  # noqa: F811
    make_browser: MakeBrowser,
) -> None:
    workers = make_workers("memory")
    one, other = workers.sites
    (browser,) = browsers(one, make_browser, "ada")
    cookies = dict(browser.cookies)
    for _ in range(3):
        for site in (other, one):
            status = httpx.get(f"{site.url}/session", cookies=cookies, trust_env=False).status_code
            assert status == (200 if site is one else 401)
    lines = [line for line in workers.log.read_text(encoding="utf-8").splitlines() if "this process's memory" in line]
    assert len(lines) == 1
    assert "FileStore() or RedisStore" in lines[0]


def test_a_session_that_ended_by_itself_is_not_logged_as_lost(
    make_site: MakeSite,
    make_browser: MakeBrowser,
    emulator: Emulator,
    user: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = make_site(session_lifetime=2 * MONTHS)
    (browser,) = browsers(site, make_browser, "ada")
    emulator.grants.revoke_all_of(user.id)
    site.time.ahead += MONTHS
    assert not is_in(browser)
    assert [record for record in caplog.records if "memory" in record.getMessage()] == []
