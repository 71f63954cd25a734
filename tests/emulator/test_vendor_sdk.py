"""The vendor's own package, unchanged, against the emulator."""

from __future__ import annotations

from typing import Any

import pytest

from genauth_async.emulator import Emulator, User

genauth = pytest.importorskip("genauth")


def _vendor_client(emulator: Emulator, **settings: object) -> Any:
    return genauth.AuthenticationClient(
        app_id=emulator.app_id, app_secret=emulator.app_secret, app_host=emulator.url, **settings
    )


def test_signs_in_reads_the_profile_refreshes_and_signs_out(emulator: Emulator, user: User) -> None:
    client = _vendor_client(emulator)
    answer = client.sign_in_by_account_password(
        account="ada", password="passw0rd", options={"passwordEncryptType": "none"}
    )
    assert answer["statusCode"] == 200
    tokens = answer["data"]
    client.set_access_token(tokens["access_token"])
    profile = client.get_profile(with_custom_data=True, with_identities=True)
    assert profile["data"]["userId"] == user.id
    assert profile["data"]["customData"] == {}

    renewed = client.get_new_access_token_by_refresh_token(tokens["refresh_token"])
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert client.get_user_info_by_access_token(renewed["access_token"])["sub"] == user.id
    assert client.introspect_token(renewed["access_token"])["active"] is True
    assert client.introspect_token_offline(renewed["access_token"])["sub"] == user.id
    assert client.revoke_token(renewed["access_token"]) is True
    assert client.introspect_token(renewed["access_token"]) == {"active": False}
    assert client.get_profile()["statusCode"] == 401


@pytest.mark.usefixtures("user")
def test_signs_in_in_every_other_way(emulator: Emulator) -> None:
    emulator.add_user(sam_account_name="grace", password="s3cret")
    client = _vendor_client(emulator)
    assert client.get_system_info()["data"]["sm2"]["publicKey"]
    assert client.send_email(channel="CHANNEL_LOGIN", email="ada@example.com")["statusCode"] == 200
    assert client.send_sms(channel="CHANNEL_LOGIN", phone_number="13800000000")["statusCode"] == 200
    for answer in (
        client.sign_in_by_username_password(username="ada", password="passw0rd"),
        client.sign_in_by_email_password(email="ada@example.com", password="passw0rd"),
        client.sign_in_by_phone_password(phone="13800000000", password="passw0rd"),
        client.sign_in_by_email_passcode(email="ada@example.com", pass_code=emulator.inbox.code_for("ada@example.com")),
        client.sign_in_by_phone_passcode(phone="13800000000", pass_code=emulator.inbox.code_for("13800000000")),
        client.sign_in_by_ldap(sAMAccountName="grace", password="s3cret"),
        client.sign_in_by_ad(sAMAccountName="grace", password="s3cret"),
    ):
        assert answer["statusCode"] == 200, answer


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
def test_authenticates_at_the_token_endpoints(method: Any) -> None:
    with Emulator(token_endpoint_auth_method=method) as emulator:
        tokens = emulator.issue_tokens(emulator.add_user(username="ada"))
        client = _vendor_client(
            emulator,
            token_endpoint_auth_method=method,
            introspection_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
        )
        renewed = client.get_new_access_token_by_refresh_token(tokens["refresh_token"])
        assert client.introspect_token(renewed["access_token"])["active"] is True
        assert client.revoke_token(renewed["refresh_token"]) is True
        assert emulator.grants.revoked == 1


def test_hears_of_errors(emulator: Emulator) -> None:
    client = _vendor_client(emulator)
    answer = client.sign_in_by_account_password(account="ada", password="wrong")
    assert (answer["statusCode"], answer["apiCode"]) == (403, 2333)
    assert client.get_new_access_token_by_refresh_token("unknown")["error"] == "invalid_grant"
