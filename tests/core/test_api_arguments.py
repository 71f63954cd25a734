"""Requests that the API's methods build from their arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from genauth_async import AuthenticationClient, ConfigurationError, MFARequiredError, models
from genauth_async.emulator import Emulator
from tests.conftest import MakeClient
from tests.recording import Answer, RecordingServer

Call = Callable[[AuthenticationClient], Awaitable[object]]
pytestmark = pytest.mark.anyio

NAMED_BY_A_NUMBER = models.SignUpProfileDto(name=1)  # type: ignore[arg-type]
OK: dict[str, object] = {"statusCode": 200, "message": "ok"}


@pytest.fixture
def recorded(make_client: MakeClient, recorder: RecordingServer) -> AuthenticationClient:
    return make_client(recorder.url, access_token="token-of-the-client")


@pytest.mark.parametrize(
    ("call", "target"),
    [
        (lambda c: c.remove_credential("a/b?c"), "POST /api/v3/webauthn/remove-credential/a%2Fb%3Fc"),
        (lambda c: c.delete_web_authn_credential("ü.."), "DELETE /api/v3/webauthn/credentials/%C3%BC.."),
        (
            lambda c: c.delete_web_authn_admin_credential("a", "b", "c"),
            "DELETE /api/v3/webauthn/admin/credentials/a/b/c",
        ),
        (lambda c: c.update_web_authn_credential("a", "phone"), "PUT /api/v3/webauthn/credentials/a"),
        (lambda c: c.list_devices(2, 10), "GET /api/v3/mydevices/list?page=2&limit=10"),
        (
            lambda c: c.generate_link_ext_idp_url("w", "a", "i&t", only_redirect_token=True),
            (
                "GET /api/v3/generate-link-extidp-url?"
                "ext_idp_conn_identifier=w&app_id=a&id_token=i%26t&only_redirect_token=true"
            ),
        ),
        (
            lambda c: c.list_public_accounts_for_switch_logged_in(False),
            "GET /api/v3/get-user-select-login-public-accounts?withOriginUser=false",
        ),
    ],
)
async def test_places_arguments(
    recorded: AuthenticationClient, recorder: RecordingServer, call: Call, target: str
) -> None:
    recorder.default = Answer({**OK, "data": {"success": True, "url": "https://example.com"}})
    if "mydevices" in target or "public-accounts" in target:
        recorder.default = Answer({**OK, "data": []})
    await call(recorded)
    assert f"{recorder.last.method} {recorder.last.target}" == target
    assert recorder.last.headers["authorization"] == "Bearer token-of-the-client"


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda c: c.remove_credential(""), "credential_id"),
        (lambda c: c.check_qr_code_status(None), "qrcode_id"),
        (lambda c: c.change_qr_code_status("SCAN", None), "qrcode_id"),
        (lambda c: c.check_permission_by_string_resource("one", "read"), "resources"),
        (lambda c: c.check_permission_by_string_resource([1], "read"), "resources"),
        (lambda c: c.bind_email(None, "ada@example.com"), "pass_code"),
        (lambda c: c.sign_up("PASSCODE", {"password": "x"}), "pass_code_payload"),
        (lambda c: c.sign_up("PASSWROD"), "connection"),
        (lambda c: c.sign_up_by_email_password("a@example.com", "x", {"nicknam": "neo"}), "profile"),
        (lambda c: c.sign_in_by_mobile("wechat-1", "wechat"), "connection"),
        (
            lambda c: c.verify_reset_password_request("EMAIL_PASSCODE", email_pass_code_payload={}),
            "email_pass_code_payload",
        ),
        (lambda c: c.update_password("new", "old", "sm3"), "password_encrypt_type"),
        (lambda c: c.complete_mfa_with_totp("", "123456"), "challenge"),
        (lambda c: c.complete_mfa_with_totp(ValueError("canary"), "123456"), "challenge"),
        (lambda c: c.update_password(None, "old"), "new_password"),
        (lambda c: c.update_password("new", b"old"), "old_password"),
        (lambda c: c.complete_mfa_with_totp("a b", "123456"), "challenge"),
        (lambda c: c.mfa_otp_verify(123456), "totp"),
        (lambda c: c.bind_email({"a": 1}, "x@example.com"), "pass_code"),
        (lambda c: c.sign_up_by_email_passcode("x@example.com", "1", {"nickname": 1}), "profile"),
        (lambda c: c.sign_up_by_email_passcode("x@example.com", "1", NAMED_BY_A_NUMBER), "name"),
        (lambda c: c.gene_qr_code("MOBILE_APP", auto_merge_qr_code="yes"), "auto_merge_qr_code"),
        (lambda c: c.get_profile(access_token=""), "access_token"),
        (lambda c: c.get_push_login_relation_apps("app", "push", access_token=""), "access_token"),
        (lambda c: c.poll_qr_code("q", interval=None).last(), "interval"),
        (lambda c: c.poll_qr_code("q", wait="1").last(), "wait"),
        (lambda c: c.iter_devices(limit="5").last(), "limit"),
        (lambda c: c.update_profile(custom_data={"x": float("nan")}), "an argument"),
        (lambda c: c.complete_mfa_with_totp("token", ""), "totp"),
    ],
)
async def test_refuses_what_cannot_be_right(
    recorded: AuthenticationClient, recorder: RecordingServer, call: Call, argument: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await call(recorded)
    assert caught.value.argument == argument
    assert recorder.requests == []


SLIPS: list[dict[str, object]] = [
    {"encryptType": "sm2"},
    {"encrypt_type": "rsa"},
    {"password_encryption_type": "sm2"},
    {"pwd_encrypt_type": "rsa"},
    {"PasswordEncryptType": "sm2"},
    {"passwordEncryptType": "sm2", "password_encrypt_type": "none"},
    {1: "sm2"},  # type: ignore[dict-item]
]


@pytest.mark.parametrize("options", SLIPS)
async def test_no_slip_sends_a_password_in_the_clear(
    recorded: AuthenticationClient, recorder: RecordingServer, options: dict[str, object]
) -> None:
    for call in (
        lambda: recorded.sign_in_by_account_password("ada", "canary", options),
        lambda: recorded.sign_up_by_email_password("ada@example.com", "canary", options=options),
    ):
        with pytest.raises(ConfigurationError) as caught:
            await call()
        assert caught.value.argument == "options"
        assert "canary" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="did you mean 'passwordEncryptType'"):
        await recorded.verify_delete_account_request(
            "PASSWORD", password_payload={"password": "c", "encryptType": "sm2"}
        )
    assert recorder.requests == []


async def test_every_password_of_a_call_is_encrypted(make_client: MakeClient, recorder: RecordingServer) -> None:
    """Includes the password of a payload that does not belong to the connection."""
    keys = await make_client().get_system_info()
    recorder.default = Answer({**OK, **keys.to_dict(), "data": {"userId": "u", "access_token": "a", **keys.to_dict()}})
    client = make_client(recorder.url)
    options = {"passwordEncryptType": "rsa", "password_encrypt_type": None}
    for call in (
        lambda: client.sign_up("PASSCODE", {"password": "canary"}, {"passCode": "1"}, options=options),
        lambda: client.sign_in_by_credentials(
            "PASSCODE",
            {"password": "canary"},
            {"passCode": "1"},
            {"password": "canary", "sAMAccountName": "a"},
            {"password": "canary", "sam_account_name": "a"},
            options,
        ),
    ):
        await call()
        assert b"canary" not in recorder.last.body
        assert b"passwordPayload" in recorder.last.body


async def test_nested_mappings_may_use_attribute_names(
    recorded: AuthenticationClient, recorder: RecordingServer
) -> None:
    recorder.default = Answer({**OK, "data": {}})
    payload = {"wx_login_info": {"code": "c", "encrypted_data": "E"}, "wxPhoneInfo": {"code": "p"}}
    await recorded.sign_in_by_mobile(
        "w", "wechat_mini_program_code_and_phone", None, wechat_mini_program_code_and_phone_payload=payload
    )
    sent = recorder.last.json["wechatMiniProgramCodeAndPhonePayload"]
    assert sent == {"wxLoginInfo": {"code": "c", "encryptedData": "E"}, "wxPhoneInfo": {"code": "p"}}
    payload["wx_login_info"] = {"code": "c", "encryptedDate": "E"}
    with pytest.raises(ConfigurationError, match=r"did you mean 'encryptedData'.*wx_login_info"):
        await recorded.sign_in_by_mobile("w", "wechat", wechat_mini_program_code_and_phone_payload=payload)


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda c: c.list(2), "/api/v3/mydevices/list?page=2"),
        (lambda c: c.list_devices(2), "/api/v3/mydevices/list?page=2"),
        (lambda c: c.unbind("d"), "/api/v3/mydevices/unbind"),
        (lambda c: c.unbind_device("d"), "/api/v3/mydevices/unbind"),
        (lambda c: c.revoke("d"), "/api/v3/mydevices/revoke-session"),
        (lambda c: c.revoke_device_session("d"), "/api/v3/mydevices/revoke-session"),
        (lambda c: c.get_qr_code_status("q"), "/api/v3/get-app-login-qrcode-status?qrcodeId=q"),
        (lambda c: c.get_fastpass_qr_code_status("q"), "/api/v3/get-app-login-qrcode-status?qrcodeId=q"),
        (lambda c: c.get_login_qr_code_status("q"), "/api/v3/get-qrcode-status?qrcodeId=q"),
    ],
)
async def test_vendors_names_and_clear_names_are_the_same_call(
    recorded: AuthenticationClient, recorder: RecordingServer, call: Call, path: str
) -> None:
    listed = [] if "list" in path else {"status": "PENDING"}
    recorder.default = Answer({**OK, "data": listed})
    await call(recorded)
    assert recorder.last.target == path


async def test_a_token_is_sent_only_where_it_is_of_use(
    recorded: AuthenticationClient, recorder: RecordingServer
) -> None:
    recorder.default = Answer({**OK, "data": {"qrcodeId": "q", "url": "u", "status": "PENDING"}})
    await recorded.gene_qr_code("MOBILE_APP")
    assert "authorization" not in recorder.last.headers
    await recorded.get_fastpass_qr_code_status("q", access_token="another")
    assert recorder.last.headers["authorization"] == "Bearer another"


async def test_what_is_not_documented_passes_both_ways(
    recorded: AuthenticationClient, recorder: RecordingServer
) -> None:
    recorder.default = Answer({**OK, "data": [{"credential": 1}], "more": True})
    answer = await recorded.web_authn_register_finalize(body={"ticket": "t", "credential": {"id": "c"}})
    assert recorder.last.json == {"ticket": "t", "credential": {"id": "c"}}
    assert (answer.data, answer["more"]) == ([{"credential": 1}], True)
    recorder.default = Answer({"anything": [1]})
    bare = await recorded.list_subject_auth()
    assert bare["anything"] == [1]
    recorder.default = Answer({**OK, "data": {"totalCount": 1, "list": [{"id": "c"}]}})
    page = await recorded.list_credentials_by_page(body={"page": 2, "limit": 5})
    assert recorder.last.json == {"page": 2, "limit": 5}
    assert (page.total_count, page.list) == (1, [{"id": "c"}])


async def test_an_irregular_answer_is_read_as_the_others(
    recorded: AuthenticationClient, recorder: RecordingServer
) -> None:
    recorder.default = Answer({"access_token": "a", "expires_in": 60})
    assert (await recorded.register_new_user("key", "action")).expires_in == 60
    recorder.default = Answer({**OK, "data": {"access_token": "a", "expire_in": 60}})
    assert (await recorded.register_new_user("key", "action")).expires_in == 60
    recorder.default = Answer({**OK, "Data": {"verified": True}})
    credential = {
        "id": "i",
        "rawId": "r",
        "type": "public-key",
        "response": {"attestationObject": "", "clientDataJSON": ""},
    }
    assert (await recorded.verify_register("ticket", credential)).data.verified


async def test_passwords_of_a_sign_up_are_encrypted(make_client: MakeClient, emulator: Emulator) -> None:
    client = make_client()
    options = models.SignUpOptionsDto(password_encrypt_type="sm2")
    await client.sign_up_by_username_password("grace", "passw0rd-Canary", options=options)
    assert (await client.sign_in_by_username_password("grace", "passw0rd-Canary")).data.access_token
    await client.send_sms("CHANNEL_REGISTER", "13900000002")
    await client.sign_up_by_phone_passcode(
        "13900000002",
        emulator.inbox.code_for("13900000002"),
        options={"passwordForPhonePassCode": "passw0rd-Canary", "passwordEncryptType": "rsa"},
    )
    assert (await client.sign_in_by_phone_password("13900000002", "passw0rd-Canary")).data.access_token


@pytest.mark.parametrize("answer", [{"code": 1636, "message": "MFA", "data": {"mfaToken": "m"}}])
async def test_the_older_envelope_has_one_number(
    recorded: AuthenticationClient, recorder: RecordingServer, answer: dict[str, Any]
) -> None:
    recorder.default = Answer(answer)
    with pytest.raises(MFARequiredError) as caught:
        await recorded.complete_mfa_with_totp("token", "123456")
    assert (caught.value.status_code, caught.value.api_code, caught.value.mfa_token) == (1636, 1636, "m")
    recorder.default = Answer({"code": 200, "message": "ok", "data": {"token": "id", "access_token": "a", "id": "u"}})
    signed_in = await recorded.complete_mfa_with_totp(caught.value, "123456")
    assert recorder.last.headers["authorization"] == "Bearer m"
    assert (signed_in.status_code, signed_in.data.id_token, signed_in.data["id"]) == (200, "id", "u")
