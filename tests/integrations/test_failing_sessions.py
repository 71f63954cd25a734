"""Errors of sessions in a failing request: those that the integration answers, and the form of the answer."""

from __future__ import annotations

import socket

import httpx
import pytest

from genauth_async.emulator import Emulator
from tests.conftest import PASSWORD
from tests.core.forging import Forge
from tests.integrations.sites import Browser, Site
from tests.integrations.test_login import set_cookies
from tests.integrations.test_sessions import LATER

pytestmark = pytest.mark.usefixtures("user")


@pytest.fixture
def signed_in(browser: Browser) -> Browser:
    browser.sign_in(password=PASSWORD)
    return browser


@pytest.fixture
def ended(signed_in: Browser, site: Site, emulator: Emulator) -> Browser:
    """A browser whose session was ended by GenAuth, which the site has not noticed yet."""
    emulator.revoke_grant(str(site.store._records[site.keys[0]].tokens.refresh_token))
    return signed_in


def test_a_session_that_ends_in_a_task_group_redirects_to_login(ended: Browser) -> None:
    response = ended.get("/refused-in-a-group")
    assert (response.status_code, response.headers["location"]) == (303, "/login?next=%2Frefused-in-a-group")
    assert "Max-Age=0" in set_cookies(response)["genauth_web_session"]


def test_the_end_of_another_session_keeps_the_user_signed_in(signed_in: Browser) -> None:
    # uvicorn drops the connection after a fault.
    response = signed_in.get("/refused-another", headers={"Connection": "close"})
    assert response.status_code == 500
    assert "set-cookie" not in response.headers
    assert signed_in.get("/session").status_code == 200


def test_what_fails_beside_the_session_is_not_hidden_by_it(ended: Browser) -> None:
    assert ended.get("/refused-with-another").status_code == 500


def test_a_session_that_ends_mid_answer_closes_the_connection(ended: Browser, site: Site) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in ended.cookies.items())
    asked = f"GET /refused-late HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n\r\n"
    url = httpx.URL(site.url)
    with socket.create_connection((url.host, url.port or 0), timeout=30) as connection:
        connection.sendall(asked.encode())
        with connection.makefile("rb") as stream:
            answer = stream.read()  # until the connection ends
    assert answer.endswith(b"\r\n\r\nwhole")
    assert answer.count(b"HTTP/1.1") == 1


def test_tokens_of_another_user_end_the_session(signed_in: Browser, site: Site, emulator: Emulator) -> None:
    forged = Forge(emulator).id(sub="eve")
    tokens = {"access_token": "eves", "refresh_token": "eves", "expires_in": 3600, "id_token": forged}
    emulator.faults.add("/oidc/token", body=tokens)
    site.time.ahead = LATER
    response = signed_in.get("/session", headers={"Accept": "application/json"})
    assert response.status_code == 401
    assert "Max-Age=0" in set_cookies(response)["genauth_web_session"]
    assert site.keys == []
