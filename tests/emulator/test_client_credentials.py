from __future__ import annotations

from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from genauth_async import AuthenticationClient, TokenAudienceError
from genauth_async.emulator import Emulator
from tests.emulator.emulator_types import Json

_GROWTH = ("user-growth:2019:read", "user-growth:2020:read")


def _ask(http: httpx.Client, path: str = "/oidc/token", **form: str) -> httpx.Response:
    return http.post(path, data={"grant_type": "client_credentials", "scope": "orders:read"} | form)


def _tokens(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    tokens: Json = response.json()
    return tokens


def _account(emulator: Emulator, **options: Any) -> dict[str, str]:
    account = emulator.access_accounts.add(**options)
    return {"client_id": account.access_key, "client_secret": account.access_secret}


@pytest.mark.parametrize("path", ["/oidc/token", "/oauth/token"])
def test_a_program_gets_a_token_of_its_own(emulator: Emulator, http: httpx.Client, path: str) -> None:
    account = emulator.access_accounts.add()
    tokens = _tokens(_ask(http, path, client_id=account.access_key, client_secret=account.access_secret))
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope"}
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "orders:read")
    keys: KeySet = KeySet.import_key_set(http.get("/oidc/.well-known/jwks.json").json())
    claims = jwt.decode(tokens["access_token"], keys, algorithms=["RS256"]).claims
    assert set(claims) == {"jti", "iat", "exp", "scope", "iss", "aud", "azp"}  # as in the vendor's sample
    assert (claims["aud"], claims["azp"], claims["scope"]) == (account.id, emulator.app_id, "orders:read")
    form = {"token": tokens["access_token"], "client_id": emulator.app_id, "client_secret": emulator.app_secret}
    answer = http.post("/oidc/token/introspection", data=form).json()
    assert (answer["active"], answer["scope"]) == (True, "orders:read")
    assert "sub" not in answer


@pytest.mark.anyio
async def test_an_api_verifies_the_token(emulator: Emulator) -> None:
    account = emulator.access_accounts.add(scopes=["orders:*"])
    async with AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret) as client:
        answer = await client.get_access_token_by_client_credentials(
            "orders:read users:read", account.access_key, account.access_secret
        )
        assert (answer.scope, answer.rejected_scope) == ("orders:read", "users:read")
        claims = await client.verify_access_token(answer.access_token, audience=account.id)
        assert (claims.sub, claims.scope) == (None, "orders:read")
        with pytest.raises(TokenAudienceError):
            await client.verify_access_token(answer.access_token)


def test_the_secret_may_come_by_http_basic(emulator: Emulator, http: httpx.Client) -> None:
    account = _account(emulator)
    basic = (account["client_id"], account["client_secret"])
    tokens = _tokens(http.post("/oidc/token", data={"grant_type": "client_credentials"}, auth=basic))
    assert tokens["scope"] == ""
    twice = {"grant_type": "client_credentials", "client_secret": account["client_secret"]}
    response = http.post("/oidc/token", data=twice, auth=basic)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_the_token_is_no_users(emulator: Emulator, http: httpx.Client) -> None:
    token = _tokens(_ask(http, **_account(emulator), scope="openid user profile"))["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    assert http.get("/oidc/me", headers=bearer).status_code == 401
    assert http.get("/oauth/me", headers=bearer).status_code == 401
    assert http.get("/api/v3/get-profile", headers=bearer).json()["statusCode"] == 401


@pytest.mark.parametrize("lifetime", [1, 3600])
def test_an_account_has_a_lifetime_of_its_own(emulator: Emulator, http: httpx.Client, lifetime: int) -> None:
    account = _account(emulator, lifetime=lifetime)
    tokens = _tokens(_ask(http, **account))
    assert tokens["expires_in"] == lifetime
    form = {"token": tokens["access_token"], "client_id": emulator.app_id, "client_secret": emulator.app_secret}
    exp, iat = (http.post("/oidc/token/introspection", data=form).json().get(name, 0) for name in ("exp", "iat"))
    assert exp - iat == lifetime
    emulator.clock.advance(lifetime)
    assert http.post("/oidc/token/introspection", data=form).json() == {"active": False}
    assert _tokens(_ask(http, **_account(emulator)))["expires_in"] == 14 * 24 * 3600


@pytest.mark.parametrize(
    ("granted", "asked", "scope", "rejected"),
    [
        (None, "book:read anything", "book:read anything", None),
        (None, "openid offline_access", "openid", "offline_access"),
        ([], "book openid", "openid", "book"),
        (["book"], "book message table", "book", "message table"),
        (["book"], "book:read book:1:read book:* books", "book:read book:1:read book:*", "books"),
        (["book:*"], "book book:read", "book book:read", None),
        (["book:read"], "book:read book:1:read book:write book", "book:read book:1:read", "book:write book"),
        (["book:1:read"], "book:1:read book:2:read book:read", "book:1:read", "book:2:read book:read"),
        (["user-growth:2019:*"], "user-growth:2020:read user-growth:2019:read", *_GROWTH),
        (["*"], "book book:read a:b:c openid", "book book:read a:b:c openid", None),
        (["*:read"], "book:read book:write", "book:read", "book:write"),
        ("book:read", "book:read b", "book:read", "b"),
        (["book:read"], "book:read book:read", "book:read", None),
    ],
)
def test_scopes_that_are_not_granted_are_named(
    emulator: Emulator, http: httpx.Client, granted: Any, asked: str, scope: str, rejected: str | None
) -> None:
    tokens = _tokens(_ask(http, **_account(emulator, scopes=granted), scope=asked))
    assert (tokens["scope"], tokens.get("rejected_scope")) == (scope, rejected)


def test_a_scope_has_to_be_printable(emulator: Emulator, http: httpx.Client) -> None:
    response = _ask(http, **_account(emulator), scope="\N{SNOWMAN}")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")


def test_the_application_itself_gets_no_tokens(emulator: Emulator, http: httpx.Client) -> None:
    response = _ask(http, client_id=emulator.app_id, client_secret=emulator.app_secret)
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")
    assert "access_accounts.add" in response.json()["error_description"]


def test_other_clients_are_refused(emulator: Emulator, http: httpx.Client) -> None:
    account = emulator.access_accounts.add()
    public = emulator.add_app(token_endpoint_auth_method="none")
    attempts = [
        {},
        {"client_id": public.app_id},
        {"client_id": emulator.app_id, "client_secret": "wrong"},
        {"client_id": emulator.app_id, "client_secret": account.access_secret},
        {"client_id": account.access_key, "client_secret": emulator.app_secret},
        {"client_id": "unknown", "client_secret": account.access_secret},
    ]
    emulator.access_accounts.remove(account)
    attempts.append({"client_id": account.access_key, "client_secret": account.access_secret})
    for form in attempts:
        response = _ask(http, **form)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_the_secret_of_an_account_is_not_shown(emulator: Emulator) -> None:
    account = emulator.access_accounts.add()
    assert account.access_secret not in repr(account)
