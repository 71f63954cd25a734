"""The Host header: nothing of a request's meaning comes from it."""

from __future__ import annotations

import pytest

from genauth_async.emulator import User
from tests.conftest import PASSWORD
from tests.integrations.sites import Browser

pytestmark = pytest.mark.usefixtures("user")

HOSTS = [
    "evil.test",
    "evil.test/?state=forged&code=forged",
    "evil.test?next=/elsewhere&x=",
    "evil.test/page/8?a=b#",
    "[",
]


@pytest.mark.parametrize("host", HOSTS)
def test_a_sign_in_comes_back_to_the_page_asked_for(browser: Browser, user: User, host: str) -> None:
    headers = {"Host": host}
    response = browser.get("/page/7?sort=a%20b", headers=headers)
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=%2Fpage%2F7%3Fsort%3Da%2520b")
    response = browser.get(response.headers["location"], headers=headers)
    assert response.status_code == 303
    callback = browser.fill_in(response.headers["location"], user.username or "", PASSWORD)
    response = browser.get(callback, headers=headers)
    assert (response.status_code, response.headers.get("location")) == (303, "/page/7?sort=a%20b")
    assert browser.get("/page/7", headers=headers).status_code == 200
    assert "evil.test" not in browser.post("/logout", headers=headers).headers["location"]
