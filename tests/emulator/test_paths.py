"""The paths and methods that the emulator serves, and its answers to others."""

from __future__ import annotations

import inspect
import re

import genauth.AuthenticationClient
import genauth.ManagementClient
import httpx
import pytest

from genauth_async.emulator import Emulator
from genauth_async.emulator.server.app import _ROUTES
from tests.contract.document import OPERATIONS
from tests.emulator.hosted_pages import request_of


def _documented() -> set[str]:
    """Return the paths of the vendor's SDKs and of the vendor's document."""
    modules = (genauth.AuthenticationClient, genauth.ManagementClient)
    in_sdks = {path for module in modules for path in re.findall(r"[\"'](/api/[^\"'\s?]*)", inspect.getsource(module))}
    return {str(operation["path"]) for operation in OPERATIONS} | in_sdks


def test_what_genauth_documents_is_served_or_501(emulator: Emulator, http: httpx.Client) -> None:
    documented = _documented()
    assert len(documented) > 400
    unserved = {path for path in documented if _ROUTES.find(path) is None}
    answers = {path: http.post(path, json={}) for path in sorted(unserved)}
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 501} == {}
    assert all(path in answer.json()["message"] for path, answer in answers.items())
    assert emulator.requests["/api/v3/create-user"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "/graphql/v3",
        "/public-config",
        "/api/v2/env",
        "/api/v2/users/me",
        "/api/v3/ip-list/7",
        "/api/v3/metadata/filter",
        "/api/v3/webauthn/mfa-bind/initialize",
        "/cas-idp/app/p3/serviceValidate",
        "/connections/social/github",
        "/login/profile",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_families_that_are_not_modelled(http: httpx.Client, path: str, method: str) -> None:
    assert http.request(method, path).status_code == 501


@pytest.mark.parametrize(
    "path",
    [
        "/nonsense",
        "/api/v3",
        "/api/v3/",
        "/api/v3/nonsense",
        "/api/v3/create-users",
        "/api/v4/get-profile",
        "/oidc/nonsense",
        "/oidc/token/",
        "/oauth/.well-known/jwks.json",
        "/loginx",
        "/invitations",
        "/public-config.js",
        "//api/v2/env",
    ],
)
def test_paths_that_genauth_does_not_document(http: httpx.Client, path: str) -> None:
    response = http.post(f"{http.base_url}{path}")
    assert (response.status_code, response.json()["statusCode"]) == (404, 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/oidc/token", "POST"),
        ("POST", "/oidc/.well-known/jwks.json", "GET"),
        ("PUT", "/oidc/me", "GET, POST"),
        ("HEAD", "/oidc/token", "POST"),
        ("DELETE", "/api/v3/get-profile", "GET"),
    ],
)
def test_other_methods_are_told_the_right_ones(http: httpx.Client, method: str, path: str, allowed: str) -> None:
    response = http.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", sorted(path for path, handlers in _ROUTES._fixed.items() if "GET" in handlers))
def test_head_is_get_without_a_body(http: httpx.Client, path: str) -> None:
    head, get = http.head(path), http.get(path)
    assert head.content == b""
    assert (head.status_code, head.headers.get("content-type")) == (get.status_code, get.headers.get("content-type"))


def test_head_tells_the_length(http: httpx.Client) -> None:
    for path in ("/oidc/.well-known/openid-configuration", "/oidc/.well-known/jwks.json"):
        assert http.head(path).headers["content-length"] == str(len(http.get(path).content))


def test_head_of_the_authorization_endpoint_reads_the_query(emulator: Emulator, http: httpx.Client) -> None:
    assert http.head("/oidc/auth", params=request_of(emulator)).status_code == 200
    assert http.head("/oidc/auth").status_code == 400


@pytest.mark.anyio
async def test_head_without_a_socket(emulator: Emulator) -> None:
    transport = httpx.ASGITransport(emulator.app)
    async with httpx.AsyncClient(transport=transport, base_url=emulator.url) as http:
        head = await http.head("/oidc/.well-known/jwks.json")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


def test_caches_may_keep_the_keys_for_an_hour(http: httpx.Client) -> None:
    for path in ("/oidc/.well-known/openid-configuration", "/oidc/.well-known/jwks.json"):
        assert http.get(path).headers["cache-control"] == "public, max-age=3600"
