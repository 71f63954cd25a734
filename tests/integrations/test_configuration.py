"""Configuration errors are raised when the application is created; only what it uses is imported."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from fastapi import FastAPI

from genauth_async import AuthenticationClient, ConfigurationError
from genauth_async.integrations import aiohttp as aiohttp_integration
from genauth_async.integrations import fastapi as fastapi_integration
from tests.integrations.aiohttp_site import aiohttp_site
from tests.integrations.fastapi_site import fastapi_site

MAKERS = {"fastapi": fastapi_site, "aiohttp": aiohttp_site}
SETTINGS: dict[str, Any] = {
    "app_id": "app",
    "app_host": "https://example.test",
    "app_secret": "secret",
    "redirect_uri": "https://app.test/callback",
}
PUBLIC: dict[str, Any] = {
    "app_secret": None,
    "token_endpoint_auth_method": "none",
}


def make(framework: str, settings: dict[str, Any], **options: Any) -> object:
    return MAKERS[framework](AuthenticationClient(**{**SETTINGS, **settings}), options)


@pytest.mark.parametrize(
    ("settings", "options", "argument"),
    [
        ({"redirect_uri": None}, {}, "redirect_uri"),
        ({"redirect_uri": "http://app.test/callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test/login"}, {}, "redirect_uri"),
        ({"redirect_uri": "app://callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test:99999/callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://-ü.test/callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "http://["}, {}, "redirect_uri"),
        ({"redirect_uri": "https://[::1/callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test/callback#"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test/callback#top"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test/callback?"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test/callback?a=b"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://user@app.test/callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://@app.test/callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://user:password@app.test/callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test/a/../callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test/a/%2e%2E/callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test//callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test/{tenant}/callback"}, {}, "redirect_uri"),
        ({"redirect_uri": "https://app.test/a b/callback"}, {}, "redirect_uri"),
        (PUBLIC, {}, "cookie_secret"),
        ({}, {"cookie_secret": "short"}, "cookie_secret"),
        ({}, {"cookie_secret": []}, "cookie_secret"),
        ({}, {"cookie_prefix": "a b"}, "cookie_prefix"),
        ({}, {"session_lifetime": 0}, "session_lifetime"),
        ({}, {"login_lifetime": -1}, "login_lifetime"),
        ({}, {"login_path": "login"}, "login_path"),
        ({}, {"mount": "app/"}, "mount"),
        ({}, {"mount": "/other"}, "mount"),
        ({}, {"session_lifetime": float("inf")}, "session_lifetime"),
        ({}, {"login_lifetime": float("inf")}, "login_lifetime"),
        ({}, {"after_login": "//evil.test"}, "after_login"),
        ({}, {"after_login": "/a b"}, "after_login"),
        ({}, {"scope": "profile"}, "scope"),
        ({}, {"api_scopes": "orders:read"}, "api_scopes"),
        ({}, {"api_scopes": ["orders:read orders:write"]}, "api_scopes"),
        ({}, {"api_scopes": [""]}, "api_scopes"),
        ({"protocol": "cas"}, {}, "protocol"),
    ],
)
def test_what_cannot_be_right_is_named(
    framework: str, settings: dict[str, Any], options: dict[str, Any], argument: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        make(framework, settings, **options)
    assert raised.value.argument == argument


@pytest.mark.parametrize("path", ["/a%20b/callback", "/%E5%9B%9E/%e8%b0%83", "/回调", "/a:b@c;d=e,f/cb", "/cb/"])
def test_callbacks_have_any_other_path(make_site: Any, make_browser: Any, path: str) -> None:
    browser = make_browser(make_site({"redirect_uri": f"https://app.test{path}"}))
    assert browser.get("/login").status_code == 303
    assert browser.get(path).status_code == 400  # the page that explains it
    assert browser.get("/other").status_code == 404


def test_a_public_client_signs_users_in_with_a_cookie_secret(framework: str) -> None:
    assert make(framework, PUBLIC, cookie_secret="s" * 32) is not None


@pytest.mark.parametrize("module", [fastapi_integration, aiohttp_integration])
def test_bearer_tokens_alone_need_no_redirect_uri(module: Any) -> None:
    client = AuthenticationClient("app", "https://example.test", **PUBLIC)
    auth = module.GenAuth(client)
    assert auth.scopes("a") is not None
    assert "secret" not in repr(auth)


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("genauth_async", ["fastapi", "aiohttp", "starlette"]),
        ("genauth_async.integrations", ["fastapi", "aiohttp", "starlette"]),
        ("genauth_async.integrations.fastapi", ["aiohttp"]),
        ("genauth_async.integrations.aiohttp", ["fastapi", "starlette"]),
    ],
)
def test_a_framework_is_imported_only_for_its_own_module(module: str, absent: list[str]) -> None:
    program = f"import sys, {module}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["fastapi", "aiohttp"])
def test_a_missing_extra_is_named(name: str) -> None:
    program = f"""
import sys
sys.modules["{name}"] = None
try:
    import genauth_async.integrations.{name}
except ImportError as error:
    assert "genauth-async[{name}]" in str(error), error
else:
    raise AssertionError("it was imported")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_documentation_page_of_fastapi_knows_how_to_sign_in() -> None:
    client = AuthenticationClient(**SETTINGS)
    document = fastapi_site(client, {"scope": "openid profile", "api_scopes": ["invoices", "b:c"]}).openapi()
    scheme = document["components"]["securitySchemes"]["GenAuth"]
    flow = scheme["flows"]["authorizationCode"]
    assert scheme["type"] == "oauth2"
    assert flow["authorizationUrl"] == "https://example.test/oidc/auth"
    assert flow["tokenUrl"] == "https://example.test/oidc/token"
    assert set(flow["scopes"]) == {"openid", "profile", "orders", "invoices", "b:c"}
    assert {"GenAuth": ["orders", "profile"]} in document["paths"]["/orders"]["get"]["security"]
    assert {"GenAuth": ["invoices"]} in document["paths"]["/invoices"]["get"]["security"]
    assert document["paths"]["/me"]["get"]["security"] == [{"GenAuthSession": []}]
    assert "/callback" not in document["paths"]


def test_of_the_routes_me_alone_is_documented() -> None:
    app = FastAPI()
    app.include_router(fastapi_integration.GenAuth(AuthenticationClient(**SETTINGS)).router)
    assert list(app.openapi()["paths"]) == ["/me"]
