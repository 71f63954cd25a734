"""Scopes that `Security` requires, of each dependency of FastAPI."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve
from fastapi import Depends, FastAPI, Security, WebSocket

from genauth_async import AuthenticationClient, MemoryStore
from genauth_async.emulator import Emulator, User
from genauth_async.integrations.fastapi import GenAuth
from genauth_async.models.tokens import OIDCTokenResponse
from tests.conftest import PASSWORD
from tests.integrations.sites import Browser, Site, Time
from tests.integrations.test_sockets import connect, cookie
from tests.web_servers import serving_asgi

NAMES = ["session", "optional_session", "page_session", "user", "page_user"]
SCOPE = "openid profile offline_access"


def application(auth: GenAuth) -> FastAPI:
    app = FastAPI(lifespan=auth.lifespan)
    app.include_router(auth.router)

    def add(name: str, dependency: Any) -> None:
        async def route(given: object = dependency) -> str:
            return "none" if given is None else "in"

        app.get(f"/{name}")(route)

    def add_socket(name: str, dependency: Any) -> None:
        async def route(socket: WebSocket, _given: object = dependency) -> None:
            await socket.accept()
            await socket.send_json("in")
            await socket.close()

        app.websocket(f"/socket/{name}")(route)

    def inner(given: object = Depends(auth.session)) -> object:
        return given

    for scope in ("profile", "admin", "openid\xa0profile", "profil"):
        for name in [*NAMES, "required", "optional"]:
            add(f"{scope}/{name}", Security(getattr(auth, name), scopes=["openid", scope]))
        add(f"{scope}/scopes", Security(auth.scopes("openid"), scopes=[scope]))
        add(f"{scope}/inner", Security(inner, scopes=[scope]))
        for name in ("session", "optional_session", "user"):
            add_socket(f"{scope}/{name}", Security(getattr(auth, name), scopes=[scope]))
    return app


@pytest.fixture
def site(emulator: Emulator) -> Iterator[Site]:
    time, store = Time(), MemoryStore()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = AuthenticationClient(
            emulator.app_id, emulator.url, emulator.app_secret, redirect_uri=f"{url}/callback", clock=time.clock
        )
        auth = GenAuth(client, store=store, scope=SCOPE)
        with serving_asgi(application(auth), listener):
            yield Site(url, client, store, time)


@pytest.fixture
def signed_in(browser: Browser, user: User) -> Browser:
    assert browser.sign_in(account=user.username or "", password=PASSWORD).status_code == 303
    return browser


@pytest.mark.parametrize("name", [*NAMES, "inner"])
def test_a_session_needs_the_required_scopes(signed_in: Browser, name: str) -> None:
    assert (signed_in.get(f"/profile/{name}").status_code, signed_in.get(f"/profile/{name}").json()) == (200, "in")
    for scope in ("admin", "openid%C2%A0profile", "profil"):
        assert signed_in.get(f"/{scope}/{name}").status_code == 403, scope


@pytest.mark.parametrize("name", ["required", "optional", "scopes"])
def test_a_token_needs_the_required_scopes(browser: Browser, emulator: Emulator, user: User, name: str) -> None:
    headers = {"Authorization": f"Bearer {emulator.issue_tokens(user, scope='openid profile')['access_token']}"}
    assert browser.get(f"/profile/{name}", headers=headers).json() == "in"
    for scope in ("admin", "openid%C2%A0profile", "profil"):
        response = browser.get(f"/{scope}/{name}", headers=headers)
        assert response.status_code == 403, scope
        assert 'error="insufficient_scope"' in response.headers["www-authenticate"]


def test_what_is_optional_may_be_absent_whatever_the_scopes(browser: Browser) -> None:
    assert browser.get("/admin/optional").json() == "none"
    assert browser.get("/admin/optional_session").json() == "none"
    for name in ("session", "user", "required"):
        assert browser.get(f"/admin/{name}").status_code == 401, name
    for name in ("page_session", "page_user"):
        assert browser.get(f"/admin/{name}").headers["location"].startswith("/login"), name


@pytest.mark.parametrize("name", ["session", "optional_session", "user"])
def test_a_socket_needs_the_required_scopes(signed_in: Browser, site: Site, name: str) -> None:
    opened = connect(site, f"/socket/profile/{name}", cookie(signed_in))
    assert not isinstance(opened, int)
    assert opened.said == ["in"]
    assert connect(site, f"/socket/admin/{name}", cookie(signed_in)) == 403


def test_tokens_without_a_scope_have_the_requested_one(
    browser: Browser, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanged = AuthenticationClient.get_access_token_by_code

    async def without_scope(*given: Any, **options: Any) -> OIDCTokenResponse:
        tokens: Any = await exchanged(*given, **options)
        changed: OIDCTokenResponse = evolve(tokens, scope=None)
        return changed

    monkeypatch.setattr(AuthenticationClient, "get_access_token_by_code", without_scope)
    assert browser.sign_in(account=user.username or "", password=PASSWORD).status_code == 303
    assert browser.get("/profile/session").status_code == 200
    assert browser.get("/admin/session").status_code == 403


def test_the_documentation_names_the_scopes() -> None:
    client = AuthenticationClient("app", "https://example.test", "s" * 32, redirect_uri="https://app.test/callback")
    paths = application(GenAuth(client)).openapi()["paths"]
    assert paths["/admin/optional"]["get"]["security"] == [{"GenAuth": ["openid", "admin"]}]
    assert [list(scheme) for scheme in paths["/admin/session"]["get"]["security"]] == [["GenAuthSession"]]
    assert "parameters" not in paths["/admin/session"]["get"]
