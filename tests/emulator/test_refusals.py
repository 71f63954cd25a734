"""Provokes every refusal of the table over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from genauth_async import GenAuthAPIError
from genauth_async._wire.error_codes import api_error_class
from genauth_async.emulator import Emulator, User
from genauth_async.emulator.state.errors import Refusal
from tests.emulator.emulator_types import Json

PUBLISHED = {
    Refusal.CAPTCHA_REQUIRED: (403, 2000, "Please enter captcha code for this login request."),
    Refusal.NO_SUCH_USER: (404, 2004, "User not exists."),
    Refusal.WRONG_PASSWORD: (403, 2006, "Password is incorrect."),
    Refusal.NO_SUCH_APP: (499, "2011", "应用不存在"),
    Refusal.UNDECRYPTABLE: (499, 2016, "Decrypt password failed, please check your encryption configuration."),
    Refusal.NOT_SIGNED_IN: (401, 2020, "尚未登录，无访问权限"),  # noqa: RUF001
    Refusal.SAME_PHONE: (422, 2230, "新手机号和旧手机号一样"),
    Refusal.WRONG_CREDENTIALS: (403, 2333, "Account not exists or password is incorrect."),
}


class Provoker:
    """Sends the requests that are refused."""

    def __init__(self, emulator: Emulator, http: httpx.Client, user: User) -> None:
        self.emulator, self.http, self.user = emulator, http, user

    def post(self, path: str, headers: dict[str, str] | None = None, /, **body: object) -> Json:
        answer: Json = self.http.post(path, json=body, headers=headers).json()
        return answer

    def post_as_user(self, path: str, /, **body: object) -> Json:
        return self.post(path, {"authorization": self.emulator.issue_tokens(self.user)["access_token"]}, **body)

    def post_with_mfa_token(self, path: str, /, **body: object) -> Json:
        self.user.mfa_required = True
        self.emulator.factors.enroll(self.user, "OTP")
        return self.post(path, {"authorization": self.sign_in()["data"]["mfaToken"]}, **body)

    def sign_in(self, **changes: object) -> Json:
        credentials = {"client_id": self.emulator.app_id, "client_secret": self.emulator.app_secret}
        password = {"connection": "PASSWORD", "passwordPayload": {"account": "ada", "password": "passw0rd"}}
        return self.post("/api/v3/signin", **{**credentials, **password, **changes})

    def sign_in_wrongly(self) -> Json:
        return self.sign_in(passwordPayload={"account": "ada", "password": "wrong"})

    def sign_in_by_code(self, code: str) -> Json:
        return self.sign_in(connection="PASSCODE", passCodePayload={"email": "ada@example.com", "passCode": code})

    def sign_up(self, **payload: object) -> Json:
        return self.post("/api/v3/signup", connection="PASSWORD", passwordPayload=payload)

    def code(self, channel: str, to: str = "ada@example.com") -> str:
        if "@" in to:
            self.post("/api/v3/send-email", email=to, channel=channel)
        else:
            self.post("/api/v3/send-sms", phoneNumber=to, channel=channel)
        return self.emulator.inbox.code_for(to, channel=channel)

    def update(self, kind: str, old: str, new: str) -> Json:
        suffix = "Email" if kind == "email" else "PhoneNumber"
        payload = {f"old{suffix}": old, f"new{suffix}": new, f"new{kind.capitalize()}PassCode": "000000"}
        return self.post_as_user(
            f"/api/v3/verify-update-{kind}-request",
            verifyMethod=f"{kind.upper()}_PASSCODE",
            **{f"{kind}PassCodePayload": payload},
        )


def _mfa_required(by: Provoker) -> Json:
    by.user.mfa_required = True
    return by.sign_in()


def _reset_required(by: Provoker) -> Json:
    by.user.password_reset_required = True
    return by.sign_in()


def _expired(by: Provoker) -> Json:
    by.user.password_expired = True
    return by.sign_in()


def _captcha_required(by: Provoker) -> Json:
    by.emulator.captchas.required_after = 0
    return by.sign_in()


def _wrong_captcha(by: Provoker) -> Json:
    token = by.http.get("/api/v3/get-captcha-code").json()["data"]["captchaToken"]
    return by.sign_in(options={"captchaToken": token, "captchaCode": "0000"})


def _no_such_user(by: Provoker) -> Json:
    code = by.code("CHANNEL_RESET_PASSWORD", "grace@example.com")
    payload = {"email": "grace@example.com", "passCode": code}
    path = "/api/v3/verify-reset-password-request"
    return by.post(path, verifyMethod="EMAIL_PASSCODE", emailPassCodePayload=payload)


def _locked(by: Provoker) -> Json:
    by.user.locked = True
    return by.sign_in()


def _locked_by_failures(by: Provoker) -> Json:
    for _ in range(5):
        by.sign_in_wrongly()
    return by.sign_in()


def _sign_up_disabled(by: Provoker) -> Json:
    by.emulator.account_rules.sign_up_enabled = False
    return by.sign_up(username="grace", password="passw0rd")


def _username_taken(by: Provoker) -> Json:
    by.emulator.add_user(username="grace")
    return by.post_as_user("/api/v3/update-profile", username="grace")


def _sent_twice(path: str, **body: object) -> Callable[[Provoker], Json]:
    def send(by: Provoker) -> Json:
        by.post(path, channel="CHANNEL_LOGIN", **body)
        return by.post(path, channel="CHANNEL_LOGIN", **body)

    return send


def _bind_taken(kind: str, name: str, to: str) -> Callable[[Provoker], Json]:
    def bind(by: Provoker) -> Json:
        code = by.code(f"CHANNEL_BIND_{kind.upper()}", to)
        by.user = by.emulator.add_user(username="grace")
        return by.post_as_user(f"/api/v3/bind-{kind}", passCode=code, **{name: to})

    return bind


def _wrong_old_password(by: Provoker) -> Json:
    token = _expired(by)["data"]["token"]
    variables = {"token": token, "oldPassword": "wrong", "newPassword": "passw1rd"}
    body: Json = by.post("/graphql/v2", query="resetPasswordByForceResetToken", variables=variables)
    error: Json = body["errors"][0]["message"]
    return error


def _expired_code(by: Provoker) -> Json:
    code = by.code("CHANNEL_LOGIN")
    by.emulator.clock.advance(24 * 3600)
    return by.sign_in_by_code(code)


PROVOKED: dict[Refusal, Callable[[Provoker], Json]] = {
    Refusal.MFA_REQUIRED: _mfa_required,
    Refusal.PASSWORD_RESET_REQUIRED: _reset_required,
    Refusal.CAPTCHA_REQUIRED: _captcha_required,
    Refusal.WRONG_CAPTCHA: _wrong_captcha,
    Refusal.WRONG_PASS_CODE: lambda by: by.sign_in_by_code("000000"),
    Refusal.NO_EMAIL_ADDRESS: lambda by: by.sign_up(email="ada", password="passw0rd"),
    Refusal.NO_SUCH_USER: _no_such_user,
    Refusal.LOCKED: _locked,
    Refusal.WRONG_PASSWORD: lambda by: by.post_as_user(
        "/api/v3/update-password", oldPassword="wrong", newPassword="passw1rd"
    ),
    Refusal.NO_SUCH_APP: lambda by: by.sign_in(client_id="unknown"),
    Refusal.UNDECRYPTABLE: lambda by: by.sign_in(options={"passwordEncryptType": "rsa"}),
    Refusal.NOT_SIGNED_IN: lambda by: by.post("/api/v3/update-profile"),
    Refusal.USER_EXISTS: lambda by: by.sign_up(username="ada", password="passw0rd"),
    Refusal.WEAK_PASSWORD: lambda by: by.sign_up(username="grace", password="x"),
    Refusal.SIGN_UP_DISABLED: _sign_up_disabled,
    Refusal.USERNAME_TAKEN: _username_taken,
    Refusal.NOT_THE_USERS_EMAIL: lambda by: by.update("email", "eve@example.com", "new@example.com"),
    Refusal.NOT_THE_USERS_PHONE: lambda by: by.update("phone", "13900000000", "13700000000"),
    Refusal.LOCKED_BY_FAILURES: _locked_by_failures,
    Refusal.PASSWORD_EXPIRED: _expired,
    Refusal.SENT_TOO_OFTEN_BY_EMAIL: _sent_twice("/api/v3/send-email", email="ada@example.com"),
    Refusal.SENT_TOO_OFTEN_BY_SMS: _sent_twice("/api/v3/send-sms", phoneNumber="13800000000"),
    Refusal.EMAIL_TAKEN: _bind_taken("email", "email", "ada@example.com"),
    Refusal.PHONE_TAKEN: _bind_taken("phone", "phoneNumber", "13800000000"),
    Refusal.WRONG_OLD_PASSWORD: _wrong_old_password,
    Refusal.SAME_PHONE: lambda by: by.update("phone", "13800000000", "13800000000"),
    Refusal.EXPIRED_PASS_CODE: _expired_code,
    Refusal.WRONG_CREDENTIALS: lambda by: by.sign_in_wrongly(),
    Refusal.WRONG_TOTP: lambda by: by.post_with_mfa_token("/api/v2/mfa/totp/verify", totp="wrong"),
    Refusal.NO_TOTP: lambda by: by.post_with_mfa_token("/api/v2/mfa/totp/verify"),
    Refusal.WRONG_RECOVERY_CODE: lambda by: by.post_with_mfa_token("/api/v2/mfa/totp/recovery", recoveryCode="wrong"),
    Refusal.NO_RECOVERY_CODE: lambda by: by.post_with_mfa_token("/api/v2/mfa/totp/recovery"),
}


@pytest.mark.parametrize("refusal", Refusal, ids=lambda refusal: refusal.name)
def test_it_is_sent_as_the_table_says(emulator: Emulator, http: httpx.Client, user: User, refusal: Refusal) -> None:
    answer = PROVOKED[refusal](Provoker(emulator, http, user))
    status_code, api_code, message = refusal.value
    if "code" in answer:  # of the older API
        assert answer["code"] == int(api_code)
    else:
        assert (answer["statusCode"], answer["apiCode"]) == (status_code, api_code)
        assert answer["requestId"]
    if refusal in PUBLISHED:
        assert answer["message"] == message
    assert answer["message"]


def test_the_published_ones_are_word_for_word() -> None:
    assert {refusal: refusal.value for refusal in PUBLISHED} == PUBLISHED


def test_no_two_have_the_same_number_and_text() -> None:
    assert len({refusal.value for refusal in Refusal}) == len(Refusal.__members__)  # else one were an alias


@pytest.mark.parametrize("refusal", Refusal, ids=lambda refusal: refusal.name)
def test_the_sdk_has_a_type_for_it(refusal: Refusal) -> None:
    status_code, api_code, _ = refusal.value
    assert api_error_class(status_code, int(api_code)) is not GenAuthAPIError


def test_wrong_passwords_say_how_many_tries_are_left(emulator: Emulator, http: httpx.Client, user: User) -> None:
    by = Provoker(emulator, http, user)
    assert [by.sign_in_wrongly()["data"]["remainCount"] for _ in range(5)] == [4, 3, 2, 1, 0]
    assert by.sign_in_wrongly()["apiCode"] == 2057
    unknown = by.sign_in(passwordPayload={"account": "unknown", "password": "wrong"})
    assert "data" not in unknown
