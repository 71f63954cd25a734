"""Prefixes of the routes for signing in: browsers are sent to where the routes are, or the application is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount

from genauth_async import AuthenticationClient, ConfigurationError
from genauth_async.integrations.aiohttp import GenAuth as AiohttpGenAuth
from genauth_async.integrations.fastapi import GenAuth


def client(path: str = "/callback") -> AuthenticationClient:
    return AuthenticationClient("app", "https://example.test", "s" * 32, redirect_uri=f"https://app.test{path}")


def included(auth: GenAuth) -> FastAPI:
    app = FastAPI()
    app.include_router(auth.router, prefix="/auth")
    return app


def included_twice(auth: GenAuth) -> FastAPI:
    app, outer = FastAPI(), APIRouter()
    outer.include_router(auth.router)
    app.include_router(outer, prefix="/auth")
    return app


def with_page(app: FastAPI, auth: GenAuth) -> FastAPI:
    @app.get("/page")
    async def page(_user: object = Depends(auth.page_user)) -> None: ...  # noqa: FAST002

    return app


@pytest.mark.parametrize("make", [included, included_twice])
def test_a_prefix_is_refused_at_the_start(make: Callable[[GenAuth], FastAPI]) -> None:
    app = make(GenAuth(client("/auth/callback")))
    with pytest.raises(ConfigurationError, match='login_path="/auth/login"'), TestClient(app):
        pass


@pytest.mark.parametrize("make", [included, included_twice])
@pytest.mark.parametrize("path", ["/auth/login", "/auth/auth/callback", "/auth/me", "/page"])
def test_without_a_start_a_prefix_is_refused_by_requests(make: Callable[[GenAuth], FastAPI], path: str) -> None:
    auth = GenAuth(client("/auth/callback"))
    http = TestClient(with_page(make(auth), auth))
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="prefix"):
            http.get(path)


def test_the_remedy_for_a_prefix_works() -> None:
    auth = GenAuth(client("/auth/callback"), login_path="/auth/login", logout_path="/auth/logout", me_path="/auth/me")
    app = with_page(FastAPI(), auth)
    app.include_router(auth.router)
    with TestClient(app, follow_redirects=False) as http:
        location = http.get("/page", headers={"Accept": "text/html"}).headers["location"]
        assert location == "/auth/login?next=%2Fpage"
        assert http.get(location).headers["location"].startswith("https://example.test/oidc/auth?")


@pytest.mark.parametrize("make", [included, included_twice])
def test_a_prefix_that_is_the_mount_works(make: Callable[[GenAuth], FastAPI]) -> None:
    with TestClient(make(GenAuth(client("/auth/callback"), mount="/auth")), follow_redirects=False) as http:
        assert http.get("/auth/login").headers["location"].startswith("https://example.test/oidc/auth?")
        assert http.get("/auth/callback").status_code == 400


def mounted(app: FastAPI) -> FastAPI:
    outer = FastAPI()
    outer.mount("/shop", app)
    return outer


def mounted_by_name(app: FastAPI) -> Starlette:
    return Starlette(routes=[Mount("/shop", app, name="shop")])


@pytest.mark.parametrize("mount", [mounted, mounted_by_name])
@pytest.mark.parametrize("path", ["/shop/login", "/shop/callback", "/shop/page"])
def test_an_outer_application_needs_the_mount(mount: Callable[[FastAPI], Any], path: str) -> None:
    auth = GenAuth(client())
    app = with_page(FastAPI(), auth)
    app.include_router(auth.router)
    with pytest.raises(ConfigurationError, match="/shop"):
        TestClient(mount(app)).get(path)


@pytest.mark.parametrize("mount", [mounted, mounted_by_name])
def test_the_remedy_for_an_outer_application_works(mount: Callable[[FastAPI], Any]) -> None:
    auth = GenAuth(client("/shop/callback"), mount="/shop")
    app = with_page(FastAPI(), auth)
    app.include_router(auth.router)
    http = TestClient(mount(app), follow_redirects=False)
    location = http.get("/shop/page", headers={"Accept": "text/html"}).headers["location"]
    assert location == "/shop/login?next=%2Fshop%2Fpage"
    assert http.get(location).headers["location"].startswith("https://example.test/oidc/auth?")


def test_an_outer_application_at_the_root_needs_no_mount() -> None:
    auth = GenAuth(client())
    app = FastAPI()
    app.include_router(auth.router)
    http = TestClient(Starlette(routes=[Mount("/", app)]), follow_redirects=False)
    assert http.get("/login").headers["location"].startswith("https://example.test/oidc/auth?")


def test_sessions_work_in_applications_below_the_routes() -> None:
    auth = GenAuth(client())
    app = FastAPI()
    app.include_router(auth.router)
    app.mount("/admin", with_page(FastAPI(), auth))
    with TestClient(app, follow_redirects=False) as http:
        location = http.get("/admin/page", headers={"Accept": "text/html"}).headers["location"]
        assert location == "/login?next=%2Fadmin%2Fpage"


@pytest.mark.parametrize(("mount", "path"), [("", "/callback"), ("/other", "/other/callback")])
def test_a_nested_aiohttp_application_needs_the_mount(mount: str, path: str) -> None:
    nested, app = web.Application(), web.Application()
    AiohttpGenAuth(client(path), mount=mount).setup(nested)
    app.add_subapp("/shop", nested)
    with pytest.raises(ConfigurationError, match="/shop"):
        asyncio.run(web.AppRunner(app).setup())


@pytest.mark.parametrize("mount", ["/shop", "/outside/shop"])
def test_a_nested_aiohttp_application_starts_with_the_mount(mount: str) -> None:
    nested, app = web.Application(), web.Application()
    AiohttpGenAuth(client(f"{mount}/callback"), mount=mount).setup(nested)
    app.add_subapp("/shop", nested)
    asyncio.run(web.AppRunner(app).setup())
