from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from genauth_async.emulator import Emulator, VisitError, sign_in_at_page
from genauth_sync import AuthenticationClient

BACK = "http://localhost:8000/callback"


@pytest.fixture
def client(emulator: Emulator) -> AuthenticationClient:
    emulator.add_user(username="ada", password="passw0rd")
    return AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, redirect_uri=BACK)


@pytest.mark.parametrize("scope", ["openid", "openid offline_access"])
def test_a_visitor_signs_in_and_agrees(client: AuthenticationClient, scope: str) -> None:
    login = client.begin_login(scope=scope)
    url = sign_in_at_page(login.url, "ada", "passw0rd")
    assert url.startswith(f"{BACK}?")
    tokens = client.finish_login(url, login)
    assert (tokens.refresh_token is not None) == ("offline_access" in scope)


def test_a_wrong_password_raises_the_message_of_the_page(client: AuthenticationClient) -> None:
    with pytest.raises(VisitError, match="password"):
        sign_in_at_page(client.begin_login().url, "ada", "wrong-passw0rd")


def test_a_refused_request_raises_the_message_of_the_page(client: AuthenticationClient) -> None:
    with pytest.raises(VisitError, match="redirect_uri"):
        sign_in_at_page(client.build_authorize_url("https://evil.example/"), "ada", "passw0rd")


def test_a_visitor_is_sent_back_with_an_error_too(client: AuthenticationClient) -> None:
    url = sign_in_at_page(client.build_authorize_url(prompt="none"), "ada", "passw0rd")
    assert parse_qs(urlsplit(url).query)["error"] == ["login_required"]
