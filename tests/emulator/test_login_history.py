from __future__ import annotations

from typing import Any

import httpx
import pytest

from genauth_async import (
    AuthenticationClient,
    InvalidArgumentError,
    InvalidOperationError,
    MFARequiredError,
    NotSignedInError,
)
from genauth_async.emulator import Clock, Emulator, User
from tests.emulator.emulator_types import Json, SignIn
from tests.emulator.passkey_device import registered

_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36"
)
_WRONG = {"account": "ada", "password": "wrong"}


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


def _history(http: httpx.Client, token: str, **query: object) -> Json:
    response = http.get("/api/v3/get-my-login-history", headers={"authorization": token}, params=_texts(query))
    answer: Json = response.json()
    return answer


def _texts(query: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in query.items()}


def test_a_sign_in_is_recorded_as_it_was(
    emulator: Emulator, user: User, http: httpx.Client, sign_in: SignIn, token: str
) -> None:
    http.headers["user-agent"] = _CHROME
    sign_in()
    data = _history(http, token)["data"]
    assert data["totalCount"] == 1
    [entry] = data["list"]
    assert entry.pop("loginAt").endswith("Z")
    assert entry == {
        "userId": user.id,
        "appId": emulator.app_id,
        "appName": emulator._state.default_app.display_name,
        "appLoginUrl": f"{emulator.url}/login",
        "appLogo": "",
        "clientIp": "127.0.0.1",
        "success": True,
        "userAgent": _CHROME,
        "parsedUserAgent": {"device": "Desktop", "name": "Chrome", "os": "Windows"},
        "loginMethod": "loginByAccount",
    }


@pytest.mark.parametrize(
    ("headers", "options", "address"),
    [
        ({}, {}, "127.0.0.1"),
        ({"x-real-ip": "203.0.113.1"}, {}, "203.0.113.1"),
        ({"x-real-ip": "203.0.113.1"}, {"clientIp": "203.0.113.2"}, "203.0.113.2"),
    ],
)
def test_the_address_is_what_the_caller_vouches_for(
    http: httpx.Client, sign_in: SignIn, token: str, headers: dict[str, str], options: Json, address: str
) -> None:
    http.headers.update(headers)
    sign_in(options=options)
    assert _history(http, token)["data"]["list"][0]["clientIp"] == address


def test_failures_say_why(user: User, http: httpx.Client, sign_in: SignIn, token: str) -> None:
    sign_in(passwordPayload=_WRONG)
    user.locked = True
    sign_in()
    locked, wrong = _history(http, token)["data"]["list"]
    assert (wrong["success"], wrong["errorMessage"]) == (False, "Account not exists or password is incorrect.")
    assert (locked["success"], locked["errorMessage"]) == (False, "the user is locked")


def test_a_try_for_an_unknown_account_is_not_recorded(
    emulator: Emulator, user: User, http: httpx.Client, sign_in: SignIn, token: str
) -> None:
    sign_in(passwordPayload={"account": "unknown", "password": "passw0rd"})
    assert _history(http, token)["data"] == {"totalCount": 0, "list": []}
    assert emulator.login_history.of(user) == []


def test_what_stops_half_way_says_why(emulator: Emulator, user: User, http: httpx.Client, sign_in: SignIn) -> None:
    emulator.factors.enroll(user, "OTP")
    user.password_reset_required = True
    sign_in()
    user.password_reset_required, user.mfa_required = False, True
    headers = {"authorization": sign_in()["data"]["mfaToken"]}
    for totp in ("wrong", emulator.factors.totp_for(user)):
        http.post("/api/v2/mfa/totp/verify", json={"totp": totp}, headers=headers)
    records = [(record.login_method, record.error_message) for record in reversed(emulator.login_history.of(user))]
    assert records == [
        ("loginByAccount", "a new password has to be set first"),
        ("loginByAccount", "a second factor is required"),
        ("loginByMfa", "the one-time password is wrong or was used"),
        ("loginByMfa", None),
    ]


@pytest.mark.anyio
async def test_passkeys_that_do_not_sign_in_are_recorded(
    client: AuthenticationClient, emulator: Emulator, user: User, token: str
) -> None:
    browser = await registered(client, emulator, token)

    async def use(challenge: str | None = None) -> None:
        begun = (await client.init_authentication_options()).data
        options: Any = begun.authentication_options
        options = options if challenge is None else options.evolve(challenge=challenge)
        await client.verify_authentication(begun.ticket, browser.get(options))

    with pytest.raises(InvalidOperationError):
        await use("AAAA")
    user.mfa_required = True
    with pytest.raises(MFARequiredError):
        await use()
    records = [(record.login_method, record.error_message) for record in reversed(emulator.login_history.of(user))]
    assert records == [
        ("loginByWebAuthn", "the passkey was not used as it should be"),
        ("loginByWebAuthn", "a second factor is required"),
    ]


def test_users_see_their_own_history(emulator: Emulator, http: httpx.Client, sign_in: SignIn, token: str) -> None:
    mallory = emulator.issue_tokens(emulator.add_user(username="mallory"))["access_token"]
    sign_in()
    assert _history(http, token)["data"]["totalCount"] == 1
    assert _history(http, mallory)["data"]["totalCount"] == 0


@pytest.mark.parametrize(
    ("connection", "payload", "method"),
    [
        ("PASSWORD", {"passwordPayload": {"email": "ada@example.com", "password": "passw0rd"}}, "loginByEmail"),
        ("PASSWORD", {"passwordPayload": {"username": "ada", "password": "passw0rd"}}, "loginByUsername"),
        ("PASSCODE", {"passCodePayload": {"email": "ada@example.com", "passCode": "000000"}}, "loginByEmailCode"),
        ("PASSCODE", {"passCodePayload": {"phone": "13800000000", "passCode": "000000"}}, "loginByPhoneCode"),
    ],
)
def test_the_method_is_recorded(
    http: httpx.Client, sign_in: SignIn, token: str, connection: str, payload: Json, method: str
) -> None:
    sign_in(**{"connection": connection, "passwordPayload": None} | payload)
    assert [entry["loginMethod"] for entry in _history(http, token)["data"]["list"]] == [method]


@pytest.mark.anyio
async def test_other_ways_of_signing_in_are_recorded_too(face: Any, emulator: Emulator, user: User) -> None:
    phone = emulator.issue_tokens(user)["access_token"]
    qrcode_id = (await face.gene_qr_code("MOBILE_APP")).data.qrcode_id
    emulator.qr_codes.scan(qrcode_id, user)
    emulator.qr_codes.confirm(qrcode_id)
    await face.exchange_token_set_with_qr_code_ticket((await face.check_qr_code_status(qrcode_id)).data.ticket)
    push_code_id = (await face.sign_in_by_push("ada")).data.push_code_id
    emulator.pushes.confirm(push_code_id)
    await face.check_push_code_status(push_code_id)
    info = (await face.gene_fastpass_qrcode_info(access_token=phone)).data
    await face.qr_code_app_login("APP_LOGIN", info.qrcode_id)
    emulator.add_social_code("github", "c0de", user)
    await face.sign_in_by_mobile("my-github", "github", github_payload={"code": "c0de"})

    history = (await face.get_login_history(access_token=phone)).data
    methods = [entry.login_method for entry in history.list]
    assert methods == ["loginBySocial", "loginByFastpass", "loginByPush", "loginByQrcode"]
    assert all(entry.success and entry.user_agent for entry in history.list)


def test_filters_narrow_it_down() -> None:
    clock = Clock(lambda: 1_700_000_000.0)
    with (
        Emulator(clock=clock) as emulator,
        httpx.Client(base_url=emulator.url, verify=False, trust_env=False) as http,
    ):
        other = emulator.add_app()
        token = emulator.issue_tokens(emulator.add_user(username="ada", password="passw0rd"))["access_token"]
        for app, password, address in (
            (emulator._state.default_app, "passw0rd", "203.0.113.1"),
            (emulator._state.default_app, "wrong", "203.0.113.2"),
            (other, "passw0rd", "203.0.113.2"),
        ):
            body = {
                "connection": "PASSWORD",
                "passwordPayload": {"account": "ada", "password": password},
                "client_id": app.app_id,
                "client_secret": app.app_secret,
            }
            http.post("/api/v3/signin", json=body, headers={"x-real-ip": address})
            clock.advance(1)

        def found(**query: object) -> list[str]:
            entries = _history(http, token, **query)["data"]["list"]
            return [entry["loginAt"][-7:] for entry in entries]  # such as 20.000Z

        first, second, third = "20.000Z", "21.000Z", "22.000Z"
        assert found() == [third, second, first]
        assert found(appId=other.app_id) == [third]
        assert found(clientIp="203.0.113.2") == [third, second]
        assert found(success="true") == [third, first]
        assert found(success="False") == [second]
        assert found(start=1_700_000_001_000) == [third, second]
        assert found(end=1_700_000_001_000) == [second, first]
        assert found(start=1_700_000_001_000, end=1_700_000_001_000) == [second]
        assert found(start=1_700_000_001_001, end=1_700_000_001_999) == []
        assert found(success="true", clientIp="203.0.113.2") == [third]
        assert found(limit=2) == [third, second]
        assert found(limit=2, page=2) == [first]
        assert found(limit=2, page=3) == []
        assert _history(http, token, limit=1, success="true")["data"]["totalCount"] == 2


@pytest.mark.anyio
async def test_refusals_name_the_argument(face: Any, emulator: Emulator, token: str) -> None:
    with pytest.raises(InvalidArgumentError, match="limit"):
        await face.get_login_history(limit=51, access_token=token)
    emulator.revoke_grant(token)
    with pytest.raises(NotSignedInError):
        await face.get_login_history(access_token=token)
