"""Calls from pages of other origins, as browsers check them (the CORS protocol)."""

from __future__ import annotations

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from genauth_async.emulator.server.app import _ROUTES
from tests.emulator.hosted_pages import request_of

ORIGIN = {"origin": "https://app.example"}
PAGES = ["/oidc/auth", "/oauth/auth", "/oidc/session/end"]
CALLS = {path for path in _ROUTES._fixed if path.startswith(("/api/", "/graphql/", "/oauth/", "/oidc/"))} - {*PAGES}
OTHERS = ["/cas-idp/logout", "/login/profile/logout", "/interaction/1", "/"]


def preflight(http: httpx.Client, path: str, method: str) -> httpx.Response:
    asked = {
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,x-authing-app-id",
    }
    return http.options(path, headers=ORIGIN | asked)


def is_open(response: httpx.Response) -> bool:
    assert "access-control-allow-credentials" not in response.headers
    return bool(response.headers.get("access-control-allow-origin") == "*")


def test_pages_of_any_origin_may_call(http: httpx.Client) -> None:
    for path in CALLS:
        for method in _ROUTES._fixed[path]:
            allowed = preflight(http, path, method)
            assert (allowed.status_code, is_open(allowed)) == (204, True), path
            assert allowed.headers["access-control-allow-methods"] == method
            assert allowed.headers["access-control-allow-headers"] == "authorization,x-authing-app-id"
            assert is_open(http.request(method, path, headers=ORIGIN)), path


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
def test_what_reads_cookies_is_closed(emulator: Emulator, http: httpx.Client, path: str) -> None:
    for method in ("GET", "POST"):
        assert not is_open(http.request(method, path, params=request_of(emulator), headers=ORIGIN))
        refused = preflight(http, path, method)
        assert not is_open(refused)
        assert refused.status_code >= 400


@pytest.mark.parametrize("path", ["/api/v3/no-such-operation", "/api/v2/no/such", "/oidc/no-such"])
def test_refusals_of_unknown_paths_can_be_read(http: httpx.Client, path: str) -> None:
    assert is_open(http.post(path, headers=ORIGIN))


def test_an_injected_fault_can_be_read_and_spares_preflights(emulator: Emulator, http: httpx.Client) -> None:
    emulator.faults.add("/oidc/token", status=503, retry_after=5, times=1)
    assert preflight(http, "/oidc/token", "POST").status_code == 204
    failed = http.post("/oidc/token", headers=ORIGIN)
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "5")
    assert is_open(failed)
    assert failed.headers["access-control-expose-headers"] == "*"
    assert emulator.requests["/oidc/token"] == 1


def test_cookies_open_no_api(emulator: Emulator, user: User, http: httpx.Client) -> None:
    http.cookies.set("genauth_session", emulator.hosted_login.sessions.open(user.id, user_agent="").id)
    assert http.get("/api/v3/get-profile", headers=ORIGIN).json()["statusCode"] == 401
    assert http.get("/oidc/me", headers=ORIGIN).status_code == 401
