"""The vendor's own SDKs for Python and Node.js, unchanged, through a user's life at the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.emulator.hosted_pages import answer_of, log_in, send
from tests.emulator.vendors import Vendor, vendor


@pytest.fixture(params=["python", "node"])
def sdk(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Vendor]:
    with vendor(request.param, emulator) as sdk:
        yield sdk


def data(answer: Any) -> Any:
    assert answer["statusCode"] == 200, answer
    return answer.get("data")


def test_signs_up_and_in_and_changes_the_profile(sdk: Vendor) -> None:
    created = data(
        sdk.call(
            "sign_up_by_email_password",
            email="new@example.com",
            password="passw0rd-New",
            profile={"nickname": "neo"},
            options={"passwordEncryptType": "none"},
        )
    )
    again = sdk.call("sign_up_by_email_password", email="new@example.com", password="passw0rd-New")
    assert again["statusCode"] == 409
    tokens = data(sdk.call("sign_in_by_email_password", email="new@example.com", password="passw0rd-New"))
    user = sdk.as_user(tokens["access_token"])
    assert data(user.call("get_profile", with_identities=False))["nickname"] == "neo"
    data(user.call("update_profile", nickname="trinity", city="Hangzhou"))
    profile = data(user.call("get_profile", with_identities=False))
    assert (profile["userId"], profile["nickname"], profile["city"]) == (created["userId"], "trinity", "Hangzhou")


def test_signs_up_and_in_by_pass_codes(sdk: Vendor, emulator: Emulator) -> None:
    phone = "13900000001"
    data(sdk.call("send_sms", channel="CHANNEL_REGISTER", phone_number=phone, phone_country_code="+86"))
    code = emulator.inbox.code_for(phone)
    created = data(sdk.call("sign_up_by_phone_passcode", phone=phone, pass_code=code, phone_country_code="+86"))
    data(sdk.call("send_sms", channel="CHANNEL_LOGIN", phone_number=phone, phone_country_code="+86"))
    code = emulator.inbox.code_for(phone)
    tokens = data(sdk.call("sign_in_by_phone_passcode", phone=phone, pass_code=code, phone_country_code="+86"))
    user = sdk.as_user(tokens["access_token"])
    data(sdk.call("send_email", channel="CHANNEL_BIND_EMAIL", email="late@example.com"))
    code = emulator.inbox.code_for("late@example.com")
    assert user.call("bind_email", pass_code=code, email="late@example.com")["statusCode"] == 200
    profile = data(user.call("get_profile", with_identities=False))
    assert (profile["userId"], profile["email"]) == (created["userId"], "late@example.com")


def test_signs_in_at_the_page_refreshes_and_signs_out(
    sdk: Vendor, emulator: Emulator, http: httpx.Client, user: User
) -> None:
    built = sdk.call("build_authorize_url", scope="openid profile email offline_access", state="basket")
    consent = log_in(http, http.get(built["url"] if isinstance(built, dict) else built))
    answer = answer_of(send(http, consent, consent="accept"))
    assert answer["state"] == "basket"
    tokens = sdk.call("get_access_token_by_code", answer["code"])
    assert sdk.call("get_user_info_by_access_token", tokens["access_token"])["email"] == "ada@example.com"
    assert data(sdk.as_user(tokens["access_token"]).call("get_profile", with_identities=False))["userId"] == user.id
    renewed = sdk.call("get_new_access_token_by_refresh_token", tokens["refresh_token"])
    assert sdk.call("get_user_info_by_access_token", renewed["access_token"])["sub"] == user.id
    assert emulator.hosted_login.signed_in(user) == 1
    bye = sdk.call("build_logout_url", redirect_uri="http://localhost/bye", id_token=renewed["id_token"])
    assert http.get(bye).headers["location"] == "http://localhost/bye"
    assert emulator.hosted_login.signed_in(user) == 0


def test_signs_in_by_a_qr_code(sdk: Vendor, emulator: Emulator, user: User) -> None:
    qrcode_id = data(sdk.call("gene_qr_code", type="MOBILE_APP"))["qrcodeId"]
    assert data(sdk.call("check_qr_code_status", qrcode_id=qrcode_id))["status"] == "PENDING"
    app = sdk.as_user(emulator.issue_tokens(user)["access_token"])
    assert app.call("change_qr_code_status", action="SCAN", qrcode_id=qrcode_id)["statusCode"] == 200
    assert data(sdk.call("check_qr_code_status", qrcode_id=qrcode_id))["status"] == "SCANNED"
    assert app.call("change_qr_code_status", action="CONFIRM", qrcode_id=qrcode_id)["statusCode"] == 200
    ticket = data(sdk.call("check_qr_code_status", qrcode_id=qrcode_id))["ticket"]
    client = {"client_id": emulator.app_id, "client_secret": emulator.app_secret}
    tokens = data(exchange(sdk, ticket, client))
    assert data(sdk.as_user(tokens["access_token"]).call("get_profile", with_identities=False))["userId"] == user.id
    assert exchange(sdk, ticket, client)["statusCode"] != 200


def exchange(sdk: Vendor, ticket: str, client: dict[str, str]) -> Any:
    return sdk.call("exchange_token_set_with_qr_code_ticket", ticket=ticket, **client)


def test_changes_and_resets_the_password(sdk: Vendor, emulator: Emulator, user: User) -> None:
    app = sdk.as_user(emulator.issue_tokens(user)["access_token"])
    changed = app.call("update_password", new_password="passw0rd-Two", old_password="passw0rd")
    assert changed["statusCode"] == 200
    assert sdk.call("sign_in_by_account_password", account="ada", password="passw0rd")["statusCode"] != 200
    data(sdk.call("send_email", channel="CHANNEL_RESET_PASSWORD", email="ada@example.com"))
    code = emulator.inbox.code_for("ada@example.com")
    payload = {"email": "ada@example.com", "passCode": code}
    proof = sdk.call("verify_reset_password_request", verify_method="EMAIL_PASSCODE", email_pass_code_payload=payload)
    token = data(proof)["passwordResetToken"]
    data(sdk.call("reset_password", password="passw0rd-Three", password_reset_token=token))
    assert data(sdk.call("sign_in_by_account_password", account="ada", password="passw0rd-Three"))["access_token"]


def test_refreshes_introspects_and_revokes(sdk: Vendor, emulator: Emulator, user: User) -> None:
    tokens = emulator.issue_tokens(user)
    renewed = sdk.call("get_new_access_token_by_refresh_token", tokens["refresh_token"])
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert sdk.call("introspect_token", renewed["access_token"])["active"] is True
    sdk.call("revoke_token", renewed["access_token"])
    assert sdk.call("introspect_token", renewed["access_token"])["active"] is False
    assert sdk.as_user(renewed["access_token"]).call("get_profile", with_identities=False)["statusCode"] == 401


def test_lists_what_belongs_to_the_user(sdk: Vendor, user: User) -> None:
    tokens = data(sdk.call("sign_in_by_account_password", account="ada", password="passw0rd"))
    app = sdk.as_user(tokens["access_token"])
    history = data(app.call("get_login_history", page=1, limit=10))
    assert [entry["userId"] for entry in history["list"]] == [user.id]
    assert history["totalCount"] == 1
    assert len(data(app.call("list", page=1, limit=10))) == 1
    assert data(app.call("get_identities")) == []
    assert data(app.call("get_security_level"))["passwordSet"] is True


def test_deletes_the_account(sdk: Vendor, emulator: Emulator, user: User) -> None:
    app = sdk.as_user(emulator.issue_tokens(user)["access_token"])
    data(sdk.call("send_email", channel="CHANNEL_DELETE_ACCOUNT", email="ada@example.com"))
    payload = {"email": "ada@example.com", "passCode": emulator.inbox.code_for("ada@example.com")}
    proof = app.call("verify_delete_account_request", verify_method="EMAIL_PASSCODE", email_pass_code_payload=payload)
    data(app.call("delete_account", delete_account_token=data(proof)["deleteAccountToken"]))
    assert sdk.call("sign_in_by_account_password", account="ada", password="passw0rd")["apiCode"] == 2333
