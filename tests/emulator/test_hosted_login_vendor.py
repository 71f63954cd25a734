"""The vendor's own Python SDK, unchanged, goes through the hosted login."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.emulator.hosted_pages import CALLBACK, answer_of, log_in, send

genauth = pytest.importorskip("genauth")
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def _vendor_client(emulator: Emulator, **settings: object) -> Any:
    return genauth.AuthenticationClient(
        app_id=emulator.app_id,
        app_secret=emulator.app_secret,
        app_host=emulator.url,
        redirect_uri=CALLBACK,
        **settings,
    )


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
def test_openid_connect(method: Any) -> None:
    with Emulator(token_endpoint_auth_method=method) as emulator:
        user = emulator.add_user(username="ada", password="passw0rd")
        client = _vendor_client(emulator, token_endpoint_auth_method=method)
        digest = client.generate_code_challenge_digest(VERIFIER, "S256")
        url = client.build_authorize_url(
            redirect_uri=CALLBACK,
            scope="openid profile offline_access",
            code_challenge=digest,
            code_challenge_method="S256",
        )
        with httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http:
            consent = log_in(http, http.get(url))
            code = answer_of(send(http, consent, consent="accept"))["code"]
            tokens = client.get_access_token_by_code(code, code_verifier=VERIFIER)
            assert client.introspect_token_offline(tokens["access_token"])["sub"] == user.id
            assert client.get_new_access_token_by_refresh_token(tokens["refresh_token"])["id_token"]
            logout = client.build_logout_url(redirect_uri="http://localhost/bye", id_token=tokens["id_token"])
            assert http.get(logout).headers["location"] == "http://localhost/bye"
        assert emulator.hosted_login.signed_in(user) == 0


def test_oauth(emulator: Emulator, user: User, http: httpx.Client) -> None:
    client = _vendor_client(emulator, protocol="oauth")
    url = client.build_authorize_url(redirect_uri=CALLBACK)
    code = answer_of(log_in(http, http.get(url)))["code"]
    tokens = client.get_access_token_by_code(code)
    assert client.get_user_info_by_access_token(tokens["access_token"])["sub"] == user.id
    assert http.get(client.build_logout_url(redirect_uri="http://localhost/bye")).status_code == 303
    assert emulator.hosted_login.signed_in(user) == 0


@pytest.mark.parametrize("protocol", ["oidc", "oauth"])
def test_client_credentials(emulator: Emulator, protocol: str) -> None:
    account = emulator.access_accounts.add()
    client = _vendor_client(emulator, protocol=protocol)
    tokens = client.get_access_token_by_client_credentials("orders:read", account.access_key, account.access_secret)
    assert tokens["scope"] == "orders:read"


@pytest.mark.usefixtures("user")
def test_cas(emulator: Emulator, http: httpx.Client) -> None:
    client = _vendor_client(emulator, protocol="cas")
    url = client.build_authorize_url(service=CALLBACK)
    assert answer_of(log_in(http, http.get(url)))["ticket"]
    assert http.get(client.build_logout_url(redirect_uri=CALLBACK)).headers["location"] == CALLBACK
