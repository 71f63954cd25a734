"""Cache-Control and Vary of what depends on a browser's session (RFC 9111)."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from genauth_async.emulator.visitor import sign_in_at_page
from genauth_async.integrations.fastapi import GenAuth
from tests.conftest import PASSWORD
from tests.integrations.sites import Browser

PRIVATE = ["/session", "/maybe-session", "/page/7", "/user", "/page-user", "/me", "/page-response", "/page-with-vary"]


def vary(response: Any) -> set[str]:
    return {name.strip().lower() for name in response.headers.get("vary", "").split(",")}


@pytest.mark.parametrize("path", [*PRIVATE, "/refused-elsewhere", "/refused-page", "/refused-late"])
def test_answers_to_a_session_are_kept_from_caches(browser: Browser, user: User, path: str) -> None:
    for _ in range(2):
        response = browser.get(path)
        assert response.headers["cache-control"] == "no-store", response.status_code
        assert "cookie" in vary(response)
        assert response.headers.get("vary", "").lower().count("cookie") == 1
        browser.sign_in(account=user.username or "", password=PASSWORD)


def test_a_routes_own_cache_control_stays(browser: Browser, user: User) -> None:
    browser.sign_in(account=user.username or "", password=PASSWORD)
    response = browser.get("/page-with-cache")
    assert response.headers.get_list("cache-control") == ["private, max-age=60"]
    assert vary(response) == {"accept-encoding", "cookie"}
    assert browser.get("/page-with-vary").headers.get_list("vary") == ["Accept,COOKIE"]


def test_answers_without_a_session_are_left_alone(browser: Browser, emulator: Emulator, user: User) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        response = browser.get("/maybe", headers=headers)
        assert (response.status_code, response.headers.get("cache-control"), vary(response)) == (200, None, {""})


def test_no_lifespan_and_own_error_pages_make_no_difference(emulator: Emulator, user: User) -> None:
    uri = "http://127.0.0.1:8000/callback"
    auth = GenAuth(AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, redirect_uri=uri))
    app = FastAPI()
    app.include_router(auth.router)

    @app.get("/page")
    async def page(_session: object = Depends(auth.page_session)) -> HTMLResponse:  # noqa: FAST002
        return HTMLResponse("a page")

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse("an own answer", error.status_code)

    with closing(TestClient(app, base_url="http://127.0.0.1:8000", follow_redirects=False)) as http:
        location = http.get("/login").headers["location"]
        assert http.get(sign_in_at_page(location, user.username or "", PASSWORD)).status_code == 303
        for cookies, status in ((http.cookies, 200), ({}, 401)):
            http.cookies = cookies
            response = http.get("/page")
            assert response.status_code == status
            assert (response.headers["cache-control"], vary(response)) == ("no-store", {"cookie"})
