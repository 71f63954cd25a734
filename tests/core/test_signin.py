from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, get_args

import pytest

from genauth_async import (
    AccountLockedError,
    ApplicationNotFoundError,
    AuthenticationClient,
    ConfigurationError,
    InvalidArgumentError,
    InvalidClientError,
    InvalidCredentialsError,
    InvalidPassCodeError,
    LoginTokenRespDto,
    MFARequiredError,
    NotSignedInError,
    PasswordResetRequiredError,
    RateLimitedError,
    SignInByPasswordPayloadDto,
    SignInOptionsDto,
)
from genauth_async.emulator import Emulator, User
from genauth_async.models.signin import PasswordEncryptType
from genauth_async.settings import ClientAuthMethod
from tests.conftest import PASSWORD, MakeClient
from tests.recording import Answer, RecordingServer

pytestmark = pytest.mark.anyio

ENCRYPT_TYPES = get_args(PasswordEncryptType)
AUTH_METHODS = get_args(ClientAuthMethod)
TOKENS = Answer({"statusCode": 200, "message": "ok", "data": {"access_token": "at", "token_type": "Bearer"}})

BY_PASSWORD: dict[str, Callable[[Any], Any]] = {
    "account": lambda c: lambda *a, **k: c.sign_in_by_account_password("ada@example.com", *a, **k),
    "username": lambda c: lambda *a, **k: c.sign_in_by_username_password("ada", *a, **k),
    "email": lambda c: lambda *a, **k: c.sign_in_by_email_password("ada@example.com", *a, **k),
    "phone": lambda c: lambda *a, **k: c.sign_in_by_phone_password("13800000000", *a, **k),
    "ldap": lambda c: lambda *a, **k: c.sign_in_by_ldap("ada.l", *a, **k),
    "ad": lambda c: lambda *a, **k: c.sign_in_by_ad("ada.l", *a, **k),
}


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("encrypt_type", ENCRYPT_TYPES)
@pytest.mark.parametrize("way", BY_PASSWORD)
async def test_every_password_under_every_encryption(face: Any, way: str, encrypt_type: PasswordEncryptType) -> None:
    sign_in = BY_PASSWORD[way](face)
    answer = await sign_in(PASSWORD, {"passwordEncryptType": encrypt_type})
    assert isinstance(answer, LoginTokenRespDto)
    assert answer.data.token_type == "Bearer"
    profile = await face.get_profile(access_token=answer.data.access_token)
    assert profile.data.username == "ada"
    with pytest.raises(InvalidCredentialsError):
        await sign_in(PASSWORD + "!", SignInOptionsDto(password_encrypt_type=encrypt_type))


@pytest.mark.usefixtures("user")
async def test_by_pass_code(face: Any, emulator: Emulator) -> None:
    await face.send_email("CHANNEL_LOGIN", "ada@example.com")
    code = emulator.inbox.code_for("ada@example.com")
    assert (await face.sign_in_by_email_passcode("ada@example.com", code)).status_code == 200
    with pytest.raises(InvalidPassCodeError):
        await face.sign_in_by_email_passcode("ada@example.com", code)

    await face.send_sms("CHANNEL_LOGIN", "13800000000", "+86")
    code = emulator.inbox.code_for("13800000000")
    assert (await face.sign_in_by_phone_passcode("13800000000", code, "+86")).status_code == 200


@pytest.mark.usefixtures("user")
async def test_an_expired_pass_code(client: AuthenticationClient, emulator: Emulator) -> None:
    await client.send_email("CHANNEL_LOGIN", "ada@example.com")
    code = emulator.inbox.code_for("ada@example.com")
    emulator.clock.advance(60)
    with pytest.raises(InvalidPassCodeError) as caught:
        await client.sign_in_by_email_passcode("ada@example.com", code)
    assert caught.value.api_code == 2300


@pytest.mark.usefixtures("user")
async def test_one_code_a_minute(client: AuthenticationClient, emulator: Emulator) -> None:
    await client.send_sms("CHANNEL_LOGIN", "13800000000")
    with pytest.raises(RateLimitedError):
        await client.send_sms("CHANNEL_LOGIN", "13800000000")
    emulator.clock.advance(61)
    await client.send_sms("CHANNEL_LOGIN", "13800000000")


@pytest.mark.parametrize("method", AUTH_METHODS)
async def test_the_application_proves_itself(method: ClientAuthMethod, make_client: MakeClient) -> None:
    with Emulator(token_endpoint_auth_method=method) as emulator:
        emulator.add_user(username="ada", password=PASSWORD)
        for other in AUTH_METHODS:
            client = make_client(
                emulator.url,
                app_id=emulator.app_id,
                app_secret=emulator.app_secret,
                token_endpoint_auth_method=other,
            )
            if method in {other, "none"}:
                assert (await client.sign_in_by_username_password("ada", PASSWORD)).status_code == 200
            else:
                with pytest.raises((InvalidClientError, InvalidArgumentError)):
                    await client.sign_in_by_username_password("ada", PASSWORD)


async def test_why_a_user_is_not_signed_in(
    client: AuthenticationClient, make_client: MakeClient, emulator: Emulator, user: User
) -> None:
    user.mfa_required = True
    with pytest.raises(MFARequiredError) as mfa:
        await client.sign_in_by_username_password("ada", PASSWORD)
    assert mfa.value.mfa_token
    assert "OTP" in mfa.value.factors
    user.mfa_required = False
    user.password_reset_required = True
    with pytest.raises(PasswordResetRequiredError):
        await client.sign_in_by_username_password("ada", PASSWORD)
    emulator.lock_user(user)
    with pytest.raises(AccountLockedError):
        await client.sign_in_by_username_password("ada", PASSWORD)
    with pytest.raises(InvalidCredentialsError) as unknown:
        await client.sign_in_by_username_password("unknown", PASSWORD)
    assert (unknown.value.status_code, unknown.value.api_code) == (403, 2333)
    assert unknown.value.request_id
    with pytest.raises(ApplicationNotFoundError):
        await make_client(app_id="f" * 24).sign_in_by_username_password("ada", PASSWORD)


OPTIONS = SignInOptionsDto(scope="openid", auto_register=False, custom_data={"x": None}, client_ip="203.0.113.1")
OPTIONS_JSON = {"scope": "openid", "autoRegister": False, "customData": {"x": None}, "clientIp": "203.0.113.1"}


@pytest.mark.parametrize(
    ("call", "payload"),
    [
        (
            lambda c: c.sign_in_by_account_password("a", "p", OPTIONS),
            {"connection": "PASSWORD", "passwordPayload": {"password": "p", "account": "a"}, "options": OPTIONS_JSON},
        ),
        (
            lambda c: c.sign_in_by_email_password("e", "p", OPTIONS_JSON),
            {"connection": "PASSWORD", "passwordPayload": {"password": "p", "email": "e"}, "options": OPTIONS_JSON},
        ),
        (
            lambda c: c.sign_in_by_phone_password("1", "p"),
            {"connection": "PASSWORD", "passwordPayload": {"password": "p", "phone": "1"}},
        ),
        (
            lambda c: c.sign_in_by_username_password("u", "密码 🔑", {"passwordEncryptType": "none"}),
            {
                "connection": "PASSWORD",
                "passwordPayload": {"password": "密码 🔑", "username": "u"},
                "options": {"passwordEncryptType": "none"},
            },
        ),
        (
            lambda c: c.sign_in_by_email_passcode("e", "123456"),
            {"connection": "PASSCODE", "passCodePayload": {"passCode": "123456", "email": "e"}},
        ),
        (
            lambda c: c.sign_in_by_phone_passcode("1", "123456", "+1"),
            {
                "connection": "PASSCODE",
                "passCodePayload": {"passCode": "123456", "phone": "1", "phoneCountryCode": "+1"},
            },
        ),
        (
            lambda c: c.sign_in_by_phone_passcode("1", "123456"),
            {"connection": "PASSCODE", "passCodePayload": {"passCode": "123456", "phone": "1"}},
        ),
        (
            lambda c: c.sign_in_by_ldap(sAMAccountName="l", password="p"),
            {"connection": "LDAP", "ldapPayload": {"password": "p", "sAMAccountName": "l"}},
        ),
        (
            lambda c: c.sign_in_by_ad(sAMAccountName="l", password="p"),
            {"connection": "AD", "adPayload": {"password": "p", "sAMAccountName": "l"}},
        ),
        (
            lambda c: c.sign_in_by_credentials(
                "PASSWORD", {"username": "u", "password": "p", "newField": 1}, client_id="other", client_secret="s2"
            ),
            {
                "connection": "PASSWORD",
                "passwordPayload": {"password": "p", "username": "u", "newField": 1},
                "client_id": "other",
                "client_secret": "s2",
            },
        ),
    ],
)
async def test_the_exact_payload(
    call: Any, payload: dict[str, Any], recorder: RecordingServer, make_client: MakeClient
) -> None:
    recorder.default = TOKENS
    for method in AUTH_METHODS:
        client = make_client(recorder.url, app_id="app", app_secret="secret", token_endpoint_auth_method=method)
        await call(client)
        sent = recorder.last
        assert (sent.method, sent.target) == ("POST", "/api/v3/signin")
        assert sent.headers["content-type"] == "application/json"
        ours = "client_id" not in payload
        credentials = {"client_id": "app", "client_secret": "secret"} if method == "client_secret_post" and ours else {}
        assert sent.json == {**credentials, **payload}
        expected = "Basic YXBwOnNlY3JldA==" if method == "client_secret_basic" and ours else None
        assert sent.headers.get("authorization") == expected


async def test_the_other_calls_on_the_wire(recorder: RecordingServer, make_client: MakeClient) -> None:
    client = make_client(recorder.url, access_token="client-token")
    await client.send_sms("CHANNEL_LOGIN", "1", "+1")
    assert (recorder.last.method, recorder.last.target) == ("POST", "/api/v3/send-sms")
    assert recorder.last.json == {"channel": "CHANNEL_LOGIN", "phoneNumber": "1", "phoneCountryCode": "+1"}
    await client.send_email("CHANNEL_SOMETHING_NEW", "e")
    assert (recorder.last.method, recorder.last.target) == ("POST", "/api/v3/send-email")
    assert recorder.last.json == {"channel": "CHANNEL_SOMETHING_NEW", "email": "e"}
    assert "authorization" not in recorder.last.headers

    recorder.default = Answer({"statusCode": 200, "data": {"userId": "u"}})
    await client.get_profile()
    assert (recorder.last.method, recorder.last.target) == ("GET", "/api/v3/get-profile")
    assert recorder.last.headers["authorization"] == "Bearer client-token"
    assert recorder.last.body == b""
    await client.get_profile(True, False, access_token="call-token")
    assert recorder.last.target == "/api/v3/get-profile?withCustomData=true&withIdentities=false"
    assert recorder.last.headers["authorization"] == "Bearer call-token"

    recorder.default = Answer({"rsa": {"publicKey": "r"}, "sm2": {"publicKey": "s"}})
    assert (await client.get_system_info()).sm2.public_key == "s"
    assert (recorder.last.method, recorder.last.target) == ("GET", "/api/v3/system")


@pytest.mark.parametrize("prefix", ["x-genauth", "x-authing"])
async def test_the_headers(prefix: Any, recorder: RecordingServer, make_client: MakeClient) -> None:
    client = make_client(
        recorder.url, app_id="app", header_prefix=prefix, lang="zh-CN", user_pool_id="pool", real_ip="203.0.113.9"
    )
    await client.send_email("CHANNEL_LOGIN", "e")
    ours = {name: value for name, value in recorder.last.headers.items() if name.startswith("x-")}
    version = ours.pop(f"{prefix}-sdk-version")
    assert version.startswith("python:")
    assert ours == {
        f"{prefix}-app-id": "app",
        f"{prefix}-request-from": "sdk",
        f"{prefix}-lang": "zh-CN",
        f"{prefix}-userpool-id": "pool",
        "x-real-ip": "203.0.113.9",
    }
    assert recorder.last.headers["user-agent"].startswith("genauth-async/")

    await client.with_options(lang="en-US", real_ip="203.0.113.7").send_email("CHANNEL_LOGIN", "e")
    assert recorder.last.headers[f"{prefix}-lang"] == "en-US"
    assert recorder.last.headers["x-real-ip"] == "203.0.113.7"


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda c: c.sign_in_by_credentials("PASSWORD"), "password_payload"),
        (lambda c: c.sign_in_by_credentials("LDAP", {"username": "u", "password": "p"}), "ldap_payload"),
        (lambda c: c.sign_in_by_credentials("password", {"password": "p"}), "connection"),
        (lambda c: c.sign_in_by_credentials("PASSWORD", {"username": "u"}), "password_payload"),
        (lambda c: c.sign_in_by_account_password("a", "canary", {"passwordEncryptType": "SM2"}), "options"),
        (lambda c: c.sign_in_by_account_password("a", "canary", "sm2"), "options"),
        (
            lambda c: c.sign_in_by_account_password("a", "canary", SignInOptionsDto(password_encrypt_type="SM2")),  # type: ignore[arg-type]
            "password_encrypt_type",
        ),
        (lambda c: c.sign_in_by_account_password("a", "canary", timeout=5000), "timeout"),
        (lambda c: c.sign_in_by_account_password("a", "canary", {"passwordEncryptType": "rsa"}, timeout=-1), "timeout"),
        (lambda c: c.sign_in_by_account_password("a", "canary", {"passwordEncryptionType": "sm2"}), "options"),
        (lambda c: c.sign_in_by_account_password("a", 5), "password"),
        (lambda c: c.get_new_access_token_by_refresh_token(None), "refresh_token"),
        (lambda c: c.revoke_token(""), "token"),
        (lambda c: c.get_profile(access_token=5), "access_token"),
        (lambda c: c.get_profile(), "access_token"),
        (lambda c: c.get_profile(access_token="two words canary"), "access_token"),
        (lambda c: c.get_profile(access_token="line\r\nbreak-canary"), "access_token"),
        (lambda c: c.get_user_info_by_access_token("cänary"), "access_token"),
    ],
)
async def test_bad_arguments_are_named_and_nothing_is_sent(
    call: Any, argument: str, client: AuthenticationClient, emulator: Emulator
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await call(client)
    assert caught.value.argument == argument
    assert "canary" not in str(caught.value)
    assert emulator.requests.total == 0


@pytest.mark.usefixtures("user")
async def test_the_callers_arguments_are_not_changed(client: AuthenticationClient) -> None:
    payload = SignInByPasswordPayloadDto(username="ada", password=PASSWORD)
    options = {"passwordEncryptType": "sm2"}
    as_dict = {"username": "ada", "password": PASSWORD}
    await client.sign_in_by_credentials("PASSWORD", payload, options=options)
    await client.sign_in_by_credentials("PASSWORD", as_dict, options=options)
    assert payload == SignInByPasswordPayloadDto(username="ada", password=PASSWORD)
    assert as_dict == {"username": "ada", "password": PASSWORD}
    assert json.dumps(options) == '{"passwordEncryptType": "sm2"}'


@pytest.mark.usefixtures("user")
async def test_set_access_token_as_scripts_do(face: Any) -> None:
    answer = await face.sign_in_by_username_password("ada", PASSWORD)
    face.set_access_token(answer.data.access_token)
    assert (await face.get_profile()).data.email == "ada@example.com"
    face.set_access_token("forged")
    with pytest.raises(NotSignedInError) as caught:
        await face.get_profile()
    assert (caught.value.status_code, caught.value.api_code) == (401, 2020)


@pytest.mark.usefixtures("user")
async def test_a_wrong_secret_is_the_applications_fault(make_client: MakeClient) -> None:
    client = make_client(app_secret="wrong")
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: client.sign_in_by_account_password("ada", "passw0rd"),
        lambda: client.sign_in_by_account_password("ada", "wrong as well"),
        lambda: client.get_access_token_by_code("code", redirect_uri="https://app.example/"),
        lambda: client.get_new_access_token_by_refresh_token("token"),
        lambda: client.introspect_token("token"),
        lambda: client.revoke_token("token"),
        lambda: client.exchange_token_set_with_qr_code_ticket("ticket"),
    ]
    for call in calls:
        with pytest.raises(InvalidClientError) as caught:
            await call()
        error = caught.value
        assert (error.error, error.is_transient) == ("invalid_client", False)
        assert error.endpoint.startswith("POST /")
        assert "wrong" not in str(error)
