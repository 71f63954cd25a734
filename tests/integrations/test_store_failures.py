"""A store that fails, as a database may: a user who signed out stays so, and errors give the right reason."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

from genauth_async import MemoryStore, SessionRecord
from genauth_async.emulator import Emulator
from tests.conftest import PASSWORD
from tests.integrations.conftest import MakeSite
from tests.integrations.sites import Browser
from tests.integrations.test_login import MakeBrowser, set_cookies

pytestmark = pytest.mark.usefixtures("user")


class Database(MemoryStore):
    """A store whose database can be away."""

    away = hangs = False
    deletes = writes = True

    async def get(self, key: str) -> SessionRecord | None:
        if self.hangs:
            await anyio.sleep_forever()
        if self.away:
            raise ConnectionError("canary-password@database")
        return await super().get(key)

    async def compare_and_set(self, key: str, record: SessionRecord, *, expected: int | None) -> bool:
        if self.away or not self.writes:
            raise ConnectionError("canary-password@database")
        return await super().compare_and_set(key, record, expected=expected)

    async def delete(self, key: str, *, expected: int | None = None) -> bool:
        if self.away or not self.deletes:
            raise ConnectionError("canary-password@database")
        return await super().delete(key, expected=expected)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def browser(make_site: MakeSite, make_browser: MakeBrowser, database: Database) -> Browser:
    return make_browser(make_site(store=database))


def test_who_signs_out_is_signed_out(browser: Browser, database: Database, caplog: pytest.LogCaptureFixture) -> None:
    browser.sign_in(password=PASSWORD)
    database.away = True
    response = browser.post("/logout")
    assert response.status_code == 303
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [
        "The sessions' store failed: ConnectionError",
        "A session stays in the store: the store failed (ConnectionError)",
    ]
    assert "Max-Age=0" in set_cookies(response)["genauth_web_session"]
    database.away = False
    assert browser.get("/session").status_code == 401


def test_who_signs_out_does_not_wait_for_a_store_that_hangs(
    make_site: MakeSite, make_browser: MakeBrowser, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genauth_async.integrations._browser_sessions._STORE_SECONDS", 0.1)
    browser = make_browser(make_site({"refresh_timeout": 0.1}, store=database))
    browser.sign_in(password=PASSWORD)
    database.hangs = True
    response = browser.post("/logout")
    assert response.status_code == 303
    assert "Max-Age=0" in set_cookies(response)["genauth_web_session"]


def test_a_session_that_cannot_be_read_is_a_503(
    browser: Browser, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    browser.sign_in(password=PASSWORD)
    database.away = True
    for path in ("/session", "/maybe-session", "/me", "/page/7"):
        response = browser.get(path)
        assert response.status_code == 503, path
        assert int(response.headers["retry-after"]) >= 1
        assert "set-cookie" not in response.headers
    database.away = False
    assert browser.get("/session").status_code == 200
    assert [record.levelno for record in caplog.records if "ConnectionError" in record.getMessage()] == [
        logging.WARNING
    ] * 4
    assert "canary" not in caplog.text


def test_a_session_that_cannot_be_stored_is_told_as_such(browser: Browser, database: Database) -> None:
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    database.away = True
    response = browser.get(callback)
    assert response.status_code == 503
    assert "session could not be started" in response.text
    assert "canary" not in response.text
    assert "genauth_web_session" not in set_cookies(response)


def test_a_sign_in_whose_session_cannot_be_stored_is_taken_back(
    browser: Browser, database: Database, emulator: Emulator
) -> None:
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    database.writes = False
    browser.get(callback)
    assert (emulator.grants.alive, emulator.grants.revoked) == (0, 1)


@pytest.mark.parametrize("fault", [{"status": 400, "body": {"error": "invalid_client"}}, {"latency": 3}])
def test_a_sign_in_that_cannot_be_taken_back_is_told_as_such_too(
    browser: Browser,
    database: Database,
    emulator: Emulator,
    fault: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("genauth_async.integrations._browser_sessions._REVOCATION_SECONDS", 0.5)
    callback = browser.fill_in(browser.begin(), "ada", PASSWORD)
    database.writes = False
    emulator.faults.add("/oidc/token/revocation", times=None, **fault)
    assert browser.get(callback).status_code == 503
    assert "could not be revoked" in caplog.text


def test_an_old_session_that_stays_does_not_spoil_the_new_one(browser: Browser, database: Database) -> None:
    browser.sign_in(password=PASSWORD)
    database.deletes = False
    assert browser.sign_in(password=PASSWORD).status_code == 303
    assert browser.get("/session").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-site", "Origin": "https://evil.example.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example.test"},
        {"Origin": "null"},
    ],
)
def test_a_neighbour_cannot_sign_the_user_out(browser: Browser, headers: dict[str, str]) -> None:
    browser.sign_in(password=PASSWORD)
    response = browser.post("/logout", headers=headers)
    assert (response.status_code, response.json()) == (
        403,
        {"detail": "Only a page of this site can sign the user out"},
    )
    assert browser.get("/session").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Sec-Fetch-Site": "none"}, {}]
)
def test_a_page_of_the_site_can(browser: Browser, headers: dict[str, str]) -> None:
    browser.sign_in(password=PASSWORD)
    assert browser.post("/logout", headers=headers).status_code == 303
    assert browser.get("/session").status_code == 401
