"""Bearer tokens of API requests: who gets in, and what the others are told."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from genauth_async import ClientClosedError
from genauth_async.emulator import Emulator, User
from tests.integrations.conftest import MakeSite
from tests.integrations.sites import Browser, Site


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return str(emulator.issue_tokens(user, scope="openid profile")["access_token"])


def test_a_good_token_gives_its_claims(browser: Browser, token: str, user: User) -> None:
    response = browser.get("/claims", headers=bearer(token))
    assert response.status_code == 200, response.text
    assert response.json() == {"sub": user.id}
    assert browser.get("/claims", headers={"Authorization": f"bEARER {token}"}).json() == {"sub": user.id}


@pytest.mark.parametrize("path", ["/claims", "/orders", "/invoices"])
def test_without_a_token_there_is_a_bare_challenge(browser: Browser, path: str) -> None:
    response = browser.get(path)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json() == {"detail": "Not authenticated"}


@pytest.mark.parametrize(
    "authorization", ["Bearer not-a-token", "Bearer a.b.c", "Bearer", "Basic YTpi", "Bearer a b", "x"]
)
@pytest.mark.parametrize("path", ["/claims", "/maybe", "/orders"])
def test_a_bad_token_is_refused_even_where_none_is_needed(browser: Browser, path: str, authorization: str) -> None:
    response = browser.get(path, headers={"Authorization": authorization})
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith('Bearer error="invalid_token", error_description="')


def test_a_forged_token_is_refused(browser: Browser, token: str) -> None:
    head, claims, signature = token.split(".")
    forged = f"{head}.{claims}.{signature[:-8]}{'A' * 8}"
    response = browser.get("/claims", headers=bearer(forged))
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert forged not in response.text + str(response.headers)


def test_an_expired_token_is_refused_and_the_reason_told(browser: Browser, site: Site, token: str) -> None:
    site.time.ahead = 20 * 86400
    response = browser.get("/claims", headers=bearer(token))
    assert response.status_code == 401
    assert "expired" in response.headers["www-authenticate"]


def test_a_token_for_another_application_is_refused(browser: Browser, emulator: Emulator, user: User) -> None:
    other = emulator.add_app()
    foreign = str(emulator.issue_tokens(user, app=other)["access_token"])
    assert browser.get("/claims", headers=bearer(foreign)).status_code == 401


def test_an_id_token_is_no_access_token(browser: Browser, emulator: Emulator, user: User) -> None:
    id_token = str(emulator.issue_tokens(user)["id_token"])
    assert browser.get("/claims", headers=bearer(id_token)).status_code == 401


def test_two_authorization_headers_are_refused(site: Site, token: str) -> None:
    headers = [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer other")]
    assert httpx.get(f"{site.url}/claims", headers=headers, trust_env=False).status_code == 401


def test_optional_claims_are_none_without_a_token(browser: Browser, token: str, user: User) -> None:
    assert browser.get("/maybe").json() == {"sub": None}
    assert browser.get("/maybe", headers=bearer(token)).json() == {"sub": user.id}


def test_optional_claims_may_need_scopes(browser: Browser) -> None:
    assert browser.get("/maybe-invoices").json() == {"sub": None}


@pytest.mark.parametrize(
    ("path", "needed"), [("/orders", "orders profile"), ("/invoices", "invoices"), ("/maybe-invoices", "invoices")]
)
def test_too_little_scope_is_forbidden_and_the_scope_told(
    browser: Browser, emulator: Emulator, user: User, token: str, path: str, needed: str
) -> None:
    response = browser.get(path, headers=bearer(token))
    assert response.status_code == 403
    assert response.headers["www-authenticate"].startswith('Bearer error="insufficient_scope"')
    assert response.headers["www-authenticate"].endswith(f'scope="{needed}"')
    enough = str(emulator.issue_tokens(user, scope=f"openid {needed}")["access_token"])
    assert browser.get(path, headers=bearer(enough)).json() == {"sub": user.id}


def test_without_the_servers_keys_the_answer_is_503(browser: Browser, emulator: Emulator, token: str) -> None:
    emulator.faults.add("/oidc/.well-known/jwks.json", status=503, times=None)
    emulator.faults.add("/oidc/.well-known/openid-configuration", status=503, times=None)
    response = browser.get("/claims", headers=bearer(token))
    assert response.status_code == 503, response.text
    assert int(response.headers["retry-after"]) >= 1
    assert "www-authenticate" not in response.headers


def test_the_audience_can_be_chosen(make_site: MakeSite, make_browser: Any, token: str) -> None:
    site = make_site(audience="https://api.example.test")
    response = make_browser(site).get("/claims", headers=bearer(token))
    assert response.status_code == 401
    assert "https://api.example.test" in response.headers["www-authenticate"]


def test_a_fault_of_the_application_is_shown_as_it_is(
    browser: Browser, site: Site, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(site.client.aclose())
    # uvicorn drops the connection after a fault.
    response = browser.get("/claims", headers={**bearer(token), "Connection": "close"})
    assert response.status_code == 500
    deadline = time.monotonic() + 10
    while not (faults := [record.exc_info[0] for record in caplog.records if record.exc_info]):
        assert time.monotonic() < deadline, "the server logs the fault after its answer"
        time.sleep(0.01)
    assert faults == [ClientClosedError]
