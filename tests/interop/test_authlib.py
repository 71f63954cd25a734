"""Authlib, unchanged: its Starlette integration signs users in, its clients for httpx and requests do the rest.

The integration verifies ID tokens with published keys alone, so that the application has to be set to RS256.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.requests import Request

from genauth_async.emulator import Emulator, User, sign_in_at_page
from tests.interop.pages import PASSWORD, redirection_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
# For type checkers, which cannot follow how these classes come about.
HttpxClient: Any = AsyncOAuth2Client
RequestsClient: Any = OAuth2Session
CALLBACK, GOODBYE = "http://127.0.0.1:5000/callback", "http://127.0.0.1:5000/bye"
SCOPE = "openid profile email offline_access"


@pytest.fixture(params=["client_secret_post", "client_secret_basic"])
def service(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with Emulator(id_token_alg="RS256", token_endpoint_auth_method=request.param) as emulator:
        yield emulator


@pytest.fixture
def user(service: Emulator) -> User:
    return service.add_user(username="ada", email="ada@example.com", password=PASSWORD)


@pytest.fixture
def settings(service: Emulator) -> dict[str, Any]:
    """Arguments of the clients."""
    document = httpx.get(f"{service.issuer}/.well-known/openid-configuration", trust_env=False).json()
    return {
        "client_id": service.app_id,
        "client_secret": service.app_secret,
        "token_endpoint_auth_method": service._state.default_app.token_endpoint_auth_method,
        "revocation_endpoint_auth_method": service._state.default_app.revocation_endpoint_auth_method,
        "scope": SCOPE,
        "redirect_uri": CALLBACK,
        "code_challenge_method": "S256",
        **document,
    }


@pytest.fixture
def app(service: Emulator, settings: dict[str, Any]) -> Any:
    """A registered client, as an application in Starlette has it."""
    return OAuth().register(
        "genauth",
        client_id=service.app_id,
        client_secret=service.app_secret,
        server_metadata_url=f"{service.issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": SCOPE,
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": settings["token_endpoint_auth_method"],
        },
    )


def from_browser(session: dict[str, object], url: str = "") -> Request:
    """Make a request from the browser with this session at the application."""
    scope = {"type": "http", "method": "GET", "query_string": httpx.URL(url).query, "headers": [], "session": session}
    return Request(scope)


async def test_signs_in_and_out_with_starlette(app: Any, service: Emulator, user: User) -> None:
    session: dict[str, object] = {}
    redirect = await app.authorize_redirect(from_browser(session), CALLBACK, prompt="consent")
    callback = sign_in_at_page(redirect.headers["location"], "ada", PASSWORD)
    tokens = await app.authorize_access_token(from_browser(session, callback))
    assert (tokens["userinfo"]["sub"], tokens["userinfo"]["email"]) == (user.id, "ada@example.com")
    assert (await app.userinfo(token=tokens))["sub"] == user.id
    with pytest.raises(JoseError, match="nonce"):
        await app.parse_id_token(tokens, nonce="another sign-in's")
    with pytest.raises(JoseError, match="at_hash"):
        await app.parse_id_token({**tokens, "access_token": "another"}, nonce=tokens["userinfo"]["nonce"])

    service.rotate_signing_key(keep_previous=False)
    renewed = await app.fetch_access_token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (await app.parse_id_token(renewed, nonce=None))["sub"] == user.id

    bye = await app.logout_redirect(from_browser(session), GOODBYE, id_token_hint=renewed["id_token"])
    gone = redirection_of(bye.headers["location"])
    assert gone.startswith(GOODBYE)
    assert (await app.validate_logout_response(from_browser(session, gone)))["post_logout_redirect_uri"] == GOODBYE


async def test_a_refusal_reaches_starlette(app: Any) -> None:
    session: dict[str, object] = {}
    redirect = await app.authorize_redirect(from_browser(session), CALLBACK, prompt="none")
    refused = redirection_of(redirect.headers["location"])
    with pytest.raises(OAuthError, match="login_required"):
        await app.authorize_access_token(from_browser(session, refused))


@pytest.mark.usefixtures("user")
async def test_renews_introspects_and_revokes_by_itself(service: Emulator, settings: dict[str, Any]) -> None:
    verifier = "v" * 43
    renewals: list[Any] = []

    async def note(token: Any, **_old: object) -> None:
        renewals.append(token)

    async with HttpxClient(**settings, update_token=note) as client:
        url, _ = client.create_authorization_url(settings["authorization_endpoint"], code_verifier=verifier)
        callback = sign_in_at_page(url, "ada", PASSWORD)
        first = await client.fetch_token(authorization_response=callback, code_verifier=verifier)
        client.token = {**first, "expires_at": 1}
        assert (await client.get(settings["userinfo_endpoint"])).json()["email"] == "ada@example.com"
        (second,) = renewals
        assert second["access_token"] != first["access_token"]

        seen = await client.introspect_token(settings["introspection_endpoint"], token=second["access_token"])
        assert (seen.json()["active"], seen.json()["client_id"]) == (True, service.app_id)
        revoked = await client.revoke_token(settings["revocation_endpoint"], token=second["refresh_token"])
        assert revoked.status_code == 200
        seen = await client.introspect_token(settings["introspection_endpoint"], token=second["access_token"])
        assert seen.json() == {"active": False}
        assert (await client.get(settings["userinfo_endpoint"])).status_code == 401
        with pytest.raises(OAuthError, match="invalid_grant"):
            await client.refresh_token()


def test_signs_in_with_requests(user: User, settings: dict[str, Any]) -> None:
    verifier = "v" * 43
    with RequestsClient(**settings) as client:
        url, _ = client.create_authorization_url(settings["authorization_endpoint"], code_verifier=verifier)
        callback = sign_in_at_page(url, "ada", PASSWORD)
        first = client.fetch_token(authorization_response=callback, code_verifier=verifier)
        assert client.refresh_token()["access_token"] != first["access_token"]
        assert client.get(settings["userinfo_endpoint"]).json()["sub"] == user.id
        assert client.revoke_token(settings["revocation_endpoint"], token=first["access_token"]).status_code == 200
        assert client.get(settings["userinfo_endpoint"]).status_code == 401


async def test_a_program_gets_tokens(service: Emulator, settings: dict[str, Any]) -> None:
    account = service.access_accounts.add()
    program = {"client_id": account.access_key, "client_secret": account.access_secret, "scope": "orders:read"}
    async with HttpxClient(**settings | program) as client:
        assert (await client.fetch_token(grant_type="client_credentials"))["scope"] == "orders:read"
    async with HttpxClient(**settings | program | {"client_secret": "wrong"}) as client:
        with pytest.raises(OAuthError, match="invalid_client"):
            await client.fetch_token(grant_type="client_credentials")
