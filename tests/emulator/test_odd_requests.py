"""Requests that no client should send: each gets an envelope, and does no lasting harm."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from genauth_async.emulator import Emulator, User
from tests.emulator.emulator_types import Json, SignIn


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


def post(http: httpx.Client, path: str, body: str, token: str) -> Json:
    response = http.post(path, content=body, headers={"authorization": token})
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"customData": {"limit": NaN}}', "JSON"),
        ('{"customData": {"limit": -Infinity}}', "JSON"),
        ('{"customData": {"limit": 1e999}}', "JSON"),
        ('{"customData": {"limit": ' + "9" * 5000 + "}}", "JSON"),
        ('{"name": "\\ud800"}', "name"),
        ('{"customData": {"a": [{"b": "\\udfff"}]}}', "customData.a.b"),
        ('{"customData": {"a": {"\\ud800": 1}}}', "customData.a"),
        ('{"customData": {"password": "\\ud800"}}', "customData.password"),
        ('{"\\ud800": 1}', "body"),
        ("[" * 200_000, "JSON"),
        ('{"customData":' * 200_000, "JSON"),
        ('{"customData":' + '{"a":' * 500 + "1" + "}" * 501, "customData"),
        ('{"customData":' + '{"password":' * 500 + "1" + "}" * 501, "customData"),
    ],
    ids=range(13),
)
def test_what_no_answer_could_hold_is_refused(
    http: httpx.Client, user: User, token: str, body: str, named: str
) -> None:
    before = http.get("/api/v3/get-profile?withCustomData=true", headers={"authorization": token}).json()["data"]
    answer = post(http, "/api/v3/update-profile", body, token)
    assert answer["statusCode"] == 400
    assert named in answer["message"]
    assert user.custom_data == {}
    after = http.get("/api/v3/get-profile?withCustomData=true", headers={"authorization": token}).json()["data"]
    assert after == before


def test_whole_characters_of_two_halves_are_welcome(http: httpx.Client, user: User, token: str) -> None:
    assert post(http, "/api/v3/update-profile", '{"name": "\\ud83d\\ude00"}', token)["statusCode"] == 200
    assert user.name == "\N{GRINNING FACE}"


@pytest.mark.parametrize("name", ["page", "limit"])
@pytest.mark.parametrize("digits", [16, 5000])
@pytest.mark.parametrize("path", ["/api/v3/webauthn/credentials", "/api/v3/get-my-login-history"])
def test_numbers_of_too_many_digits_are_refused(
    http: httpx.Client, token: str, path: str, name: str, digits: int
) -> None:
    response = http.get(path, params={name: "9" * digits}, headers={"authorization": token})
    assert response.status_code == 200
    assert response.json()["statusCode"] == 400
    assert name in response.json()["message"]


def test_an_event_that_no_connection_could_carry(emulator: Emulator, http: httpx.Client, token: str) -> None:
    answer = post(http, "/api/v3/pub-userEvent", '{"eventType": "a", "eventData": "\\ud800"}', token)
    assert answer["statusCode"] == 400
    with pytest.raises(ValueError, match="surrogates"):
        emulator.events.publish("a", "\ud800")


def test_a_failure_of_the_emulator_is_enveloped_and_logged(
    http: httpx.Client, user: User, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    user.custom_data["broken"] = float("nan")  # as a test can do, and no request
    response = http.get("/api/v3/get-profile?withCustomData=true", headers={"authorization": token})
    assert response.status_code == 500
    assert response.json()["statusCode"] == 500
    assert response.json()["requestId"]
    assert "date" in response.headers
    assert "GET /api/v3/get-profile failed" in caplog.text
    assert "ValueError" in caplog.text


@pytest.mark.parametrize("name", ["username", "nickname"])
def test_a_user_removed_during_the_request_is_not_signed_in(
    emulator: Emulator, user: User, token: str, name: str
) -> None:
    address = urlsplit(emulator.url)
    body = json.dumps({name: "eve"}).encode()
    head = f"POST /api/v3/update-profile HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nConnection: close\r\n"
    with (
        emulator.faults.hold("/api/v3/get-profile") as hold,
        socket.create_connection((address.hostname or "", address.port or 0)) as connection,
        socket.create_connection((address.hostname or "", address.port or 0)) as other,
    ):
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
        # The server has taken up the first request when it has taken up a later one.
        other.sendall(b"GET /api/v3/get-profile HTTP/1.1\r\nHost: x\r\n\r\n")
        hold.wait_arrived_blocking()
        emulator.remove_user(user)
        connection.sendall(body[5:])
        with connection.makefile("rb") as answer:
            head_and_body = answer.read().partition(b"\r\n\r\n")
    assert head_and_body[0].startswith(b"HTTP/1.1 200")
    assert json.loads(head_and_body[2])["apiCode"] == 2020
    assert (user.username, user.nickname) == ("ada", None)


def test_a_user_who_is_gone_cannot_be_changed(emulator: Emulator, user: User) -> None:
    emulator.remove_user(user)
    with pytest.raises(LookupError, match="removed"):
        emulator._state.users.change(user, "username", "eve")


def test_auto_registration_does_not_take_the_name_of_another(
    emulator: Emulator, http: httpx.Client, sign_in: SignIn
) -> None:
    phone = "13900000000"
    emulator.add_user(username=phone)
    http.post("/api/v3/send-sms", json={"channel": "CHANNEL_LOGIN", "phoneNumber": phone})
    payload: dict[str, Any] = {"phone": phone, "passCode": emulator.inbox.code_for(phone)}
    answer = sign_in(
        connection="PASSCODE", passwordPayload=None, passCodePayload=payload, options={"autoRegister": True}
    )
    assert (answer["statusCode"], answer["apiCode"]) == (409, 2026)


@pytest.mark.parametrize(("length", "status"), [(2689, 200), (2690, 400), (10_000, 400)])
def test_custom_data_has_to_fit_into_the_qr_code(http: httpx.Client, length: int, status: int) -> None:
    body = {"type": "MOBILE_APP", "customData": {"data": "x" * length}}
    answer = http.post("/api/v3/gene-qrcode", json=body).json()
    assert answer["statusCode"] == status
    if status == 200:
        picture = http.get(answer["data"]["url"])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    else:
        assert "customData" in answer["message"]


@pytest.mark.parametrize("name", ["x" * 4000, "\N{GRINNING FACE}" * 4000])
def test_a_user_with_a_long_name_can_enrol_one_time_passwords(
    emulator: Emulator, http: httpx.Client, name: str
) -> None:
    token = emulator.issue_tokens(emulator.add_user(username=name))["access_token"]
    answer = post(http, "/api/v3/send-enroll-factor-request", '{"factorType": "OTP", "profile": {}}', token)
    assert answer["data"]["otpData"]["qrCodeDataUrl"].startswith("data:image/png")
