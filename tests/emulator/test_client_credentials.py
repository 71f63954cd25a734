from __future__ import annotations

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from genauth_async.emulator import Emulator
from tests.emulator.emulator_types import Json


def _ask(http: httpx.Client, path: str = "/oidc/token", **form: str) -> httpx.Response:
    return http.post(path, data={"grant_type": "client_credentials", "scope": "orders:read"} | form)


def _client(emulator: Emulator, kind: str) -> tuple[str, str]:
    if kind == "application":
        return emulator.app_id, emulator.app_secret
    account = emulator.access_accounts.add()
    return account.access_key, account.access_secret


def _tokens(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    tokens: Json = response.json()
    return tokens


@pytest.mark.parametrize("path", ["/oidc/token", "/oauth/token"])
@pytest.mark.parametrize("kind", ["application", "access account"])
def test_a_program_gets_a_token_of_its_own(emulator: Emulator, http: httpx.Client, kind: str, path: str) -> None:
    key, secret = _client(emulator, kind)
    tokens = _tokens(_ask(http, path, client_id=key, client_secret=secret))
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope"}
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "orders:read")
    keys: KeySet = KeySet.import_key_set(http.get("/oidc/.well-known/jwks.json").json())
    claims = jwt.decode(tokens["access_token"], keys, algorithms=["RS256"]).claims
    assert (claims["sub"], claims["aud"], claims["scope"]) == (key, emulator.app_id, "orders:read")
    form = {"token": tokens["access_token"], "client_id": emulator.app_id, "client_secret": emulator.app_secret}
    answer = http.post("/oidc/token/introspection", data=form).json()
    assert (answer["active"], answer["sub"]) == (True, key)


def test_the_secret_may_come_by_http_basic(emulator: Emulator, http: httpx.Client) -> None:
    form = {"grant_type": "client_credentials"}
    tokens = _tokens(http.post("/oidc/token", data=form, auth=(emulator.app_id, emulator.app_secret)))
    assert tokens["scope"] == ""


@pytest.mark.parametrize("kind", ["application", "access account"])
def test_the_token_is_no_users(emulator: Emulator, http: httpx.Client, kind: str) -> None:
    key, secret = _client(emulator, kind)
    token = _tokens(_ask(http, client_id=key, client_secret=secret, scope="user profile"))["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    assert http.get("/oidc/me", headers=bearer).status_code == 403
    assert http.get("/oauth/me", headers=bearer).status_code == 401
    assert http.get("/api/v3/get-profile", headers=bearer).json()["statusCode"] == 401


@pytest.mark.parametrize("scope", ["openid", "orders:read offline_access", "\N{SNOWMAN}"])
def test_scopes_that_only_users_can_give(emulator: Emulator, http: httpx.Client, scope: str) -> None:
    response = _ask(http, client_id=emulator.app_id, client_secret=emulator.app_secret, scope=scope)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")


def test_other_clients_are_refused(emulator: Emulator, http: httpx.Client) -> None:
    account = emulator.access_accounts.add()
    public = emulator.add_app(token_endpoint_auth_method="none")
    attempts = [
        {},
        {"client_id": public.app_id},
        {"client_id": emulator.app_id, "client_secret": account.access_secret},
        {"client_id": account.access_key, "client_secret": emulator.app_secret},
        {"client_id": "unknown", "client_secret": account.access_secret},
    ]
    emulator.access_accounts.remove(account)
    attempts.append({"client_id": account.access_key, "client_secret": account.access_secret})
    for form in attempts:
        response = _ask(http, **form)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
    twice = {"grant_type": "client_credentials", "client_secret": emulator.app_secret}
    response = http.post("/oidc/token", data=twice, auth=(emulator.app_id, emulator.app_secret))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_the_secret_of_an_account_is_not_shown(emulator: Emulator) -> None:
    account = emulator.access_accounts.add()
    assert account.access_secret not in repr(account)
