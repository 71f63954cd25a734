from __future__ import annotations

from typing import Any

import httpx
import pytest

from genauth_async import InvalidPassCodeError
from genauth_async.emulator import Emulator
from genauth_async.emulator.endpoints.messages import EMAIL_CHANNELS, SMS_CHANNELS
from tests.emulator.pass_codes import another, sent_code


@pytest.mark.parametrize("channel", EMAIL_CHANNELS)
def test_emails_arrive(emulator: Emulator, http: httpx.Client, channel: str) -> None:
    answer = http.post("/api/v3/send-email", json={"email": "ada@example.com", "channel": channel}).json()
    assert answer["statusCode"] == 200
    assert "data" not in answer
    (message,) = emulator.inbox
    assert (message.kind, message.channel, message.to) == ("email", channel, "ada@example.com")
    assert emulator.inbox.code_for("Ada@Example.com", channel=channel) == message.code
    assert len(message.code) == 6


@pytest.mark.parametrize("channel", SMS_CHANNELS)
def test_text_messages_arrive(emulator: Emulator, http: httpx.Client, channel: str) -> None:
    body = {"phoneNumber": "5551234", "phoneCountryCode": "+1", "channel": channel}
    assert http.post("/api/v3/send-sms", json=body).json()["statusCode"] == 200
    (message,) = emulator.inbox
    assert (message.kind, message.to, message.phone_country_code) == ("sms", "5551234", "+1")
    assert message.code.isdigit()


def test_a_code_is_never_shown(emulator: Emulator, http: httpx.Client) -> None:
    http.post("/api/v3/send-email", json={"email": "ada@example.com", "channel": "CHANNEL_LOGIN"})
    (message,) = emulator.inbox
    assert "code='***'" in repr(message)


def test_no_code_is_an_error(emulator: Emulator) -> None:
    with pytest.raises(LookupError, match="unknown"):
        emulator.inbox.code_for("unknown@example.com")


def test_one_a_minute_for_each_address_and_channel(emulator: Emulator, http: httpx.Client) -> None:
    def send(email: str, channel: str) -> httpx.Response:
        response = http.post("/api/v3/send-email", json={"email": email, "channel": channel})
        assert response.status_code == 200
        return response

    assert send("ada@example.com", "CHANNEL_LOGIN").json()["statusCode"] == 200
    emulator.clock.advance(18.5)
    throttled = send("ada@example.com", "CHANNEL_LOGIN")
    assert throttled.json()["statusCode"] == 429
    wait = int(throttled.headers["retry-after"])
    assert 1 <= wait <= 42
    assert f"{wait} seconds" in throttled.json()["message"]
    assert send("ada@example.com", "CHANNEL_RESET_PASSWORD").json()["statusCode"] == 200
    assert send("grace@example.com", "CHANNEL_LOGIN").json()["statusCode"] == 200
    assert len(emulator.inbox) == 3
    emulator.clock.advance(wait)
    assert send("ada@example.com", "CHANNEL_LOGIN").json()["statusCode"] == 200


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/api/v3/send-email", {"channel": "CHANNEL_LOGIN"}, "email"),
        ("/api/v3/send-email", {"email": "ada", "channel": "CHANNEL_LOGIN"}, "email"),
        ("/api/v3/send-email", {"email": "ada@example.com"}, "channel"),
        ("/api/v3/send-email", {"email": "ada@example.com", "channel": "CHANNEL_BIND_PHONE"}, "channel"),
        ("/api/v3/send-sms", {"channel": "CHANNEL_LOGIN"}, "phoneNumber"),
        ("/api/v3/send-sms", {"phoneNumber": "+86 138", "channel": "CHANNEL_LOGIN"}, "phoneNumber"),
        ("/api/v3/send-sms", {"phoneNumber": "138", "channel": "CHANNEL_BIND_EMAIL"}, "channel"),
        ("/api/v3/send-sms", {"phoneNumber": "138", "phoneCountryCode": 86, "channel": "CHANNEL_LOGIN"}, "Country"),
    ],
)
def test_a_wrong_argument_is_named(
    emulator: Emulator, http: httpx.Client, path: str, body: dict[str, object], named: str
) -> None:
    answer = http.post(path, json=body).json()
    assert answer["statusCode"] == 400
    assert named in answer["message"]
    assert len(emulator.inbox) == 0


@pytest.mark.anyio
@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(("kind", "to"), [("email", "ada@example.com"), ("phone", "13800000000")])
async def test_a_code_is_checked_without_being_used_up(face: Any, emulator: Emulator, kind: str, to: str) -> None:
    code = await sent_code(face, emulator, to, "CHANNEL_LOGIN")

    async def check(code: str, channel: str = "CHANNEL_LOGIN") -> tuple[bool, str | None]:
        payload = {kind: to, "passCode": code, "channel": channel}
        if kind == "email":
            answer = await face.pre_check_code("EMAIL", email_code_payload=payload)
        else:
            answer = await face.pre_check_code("SMS", sms_code_payload=payload)
        return answer.data.is_valid, answer.data.message

    assert await check(code) == (True, None)
    assert await check(another(code)) == (False, "the pass code is wrong")
    assert (await check(code, "CHANNEL_REGISTER"))[0] is False
    assert (await check(code))[0] is True
    await getattr(face, f"sign_in_by_{kind}_passcode")(to, code)
    assert (await check(code))[0] is False
    emulator.clock.advance(60)
    later = await sent_code(face, emulator, to, "CHANNEL_LOGIN")
    emulator.clock.advance(60)
    assert await check(later) == (False, "the pass code has expired")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "codeType"),
        ({"codeType": "SMS"}, "smsCodePayload"),
        ({"codeType": "EMAIL", "emailCodePayload": {"email": "a@b.c", "passCode": "1"}}, "emailCodePayload.channel"),
        ({"codeType": "SMS", "smsCodePayload": {"phone": "1", "channel": "CHANNEL_LOGIN"}}, "smsCodePayload.passCode"),
    ],
)
def test_a_check_without_its_arguments(http: httpx.Client, body: dict[str, object], named: str) -> None:
    answer = http.post("/api/v3/pre-check-code", json=body).json()
    assert answer["statusCode"] == 400
    assert named in answer["message"]


@pytest.mark.anyio
@pytest.mark.usefixtures("user")
async def test_five_wrong_codes_make_the_right_one_worthless(client: Any, emulator: Emulator) -> None:
    code = await sent_code(client, emulator, "ada@example.com", "CHANNEL_LOGIN")
    other = await sent_code(client, emulator, "ada@example.com", "CHANNEL_RESET_PASSWORD")
    for wrong in range(5):
        assert emulator.inbox.code_for("ada@example.com", channel="CHANNEL_LOGIN") == code
        with pytest.raises(InvalidPassCodeError):
            await client.sign_in_by_email_passcode("ada@example.com", f"wrong{wrong}")
    with pytest.raises(InvalidPassCodeError):
        await client.sign_in_by_email_passcode("ada@example.com", code)
    with pytest.raises(LookupError):
        emulator.inbox.code_for("ada@example.com", channel="CHANNEL_LOGIN")
    assert emulator.inbox.code_for("ada@example.com") == other
    emulator.clock.advance(60)
    later = await sent_code(client, emulator, "ada@example.com", "CHANNEL_LOGIN")
    assert await client.sign_in_by_email_passcode("ada@example.com", later)


@pytest.mark.anyio
@pytest.mark.usefixtures("user")
async def test_the_inbox_gives_no_code_that_is_dead(client: Any, emulator: Emulator) -> None:
    await sent_code(client, emulator, "ada@example.com", "CHANNEL_LOGIN")
    emulator.clock.advance(60)
    second = await sent_code(client, emulator, "ada@example.com", "CHANNEL_LOGIN")
    await client.sign_in_by_email_passcode("ada@example.com", second)
    with pytest.raises(LookupError):  # the first one died when the second was sent
        emulator.inbox.code_for("ada@example.com")
    emulator.clock.advance(60)
    third = await sent_code(client, emulator, "ada@example.com", "CHANNEL_LOGIN")
    emulator.clock.advance(59)
    assert emulator.inbox.code_for("ada@example.com") == third
    emulator.clock.advance(1)
    with pytest.raises(LookupError):
        emulator.inbox.code_for("ada@example.com")


@pytest.mark.anyio
async def test_lifetime_and_tries_of_a_code_can_be_set(make_client: Any) -> None:
    with Emulator(pass_code_lifetime=100, pass_code_attempts=2) as emulator:
        emulator.add_user(email="ada@example.com")
        client = make_client(emulator.url, app_id=emulator.app_id, app_secret=emulator.app_secret)
        code = await sent_code(client, emulator, "ada@example.com", "CHANNEL_LOGIN")
        with pytest.raises(InvalidPassCodeError):
            await client.sign_in_by_email_passcode("ada@example.com", another(code))
        emulator.clock.advance(99)
        await client.sign_in_by_email_passcode("ada@example.com", code)
        code = await sent_code(client, emulator, "ada@example.com", "CHANNEL_LOGIN")
        for wrong in (another(code), another(code), code):
            with pytest.raises(InvalidPassCodeError):
                await client.sign_in_by_email_passcode("ada@example.com", wrong)
        emulator.clock.advance(60)
        code = await sent_code(client, emulator, "ada@example.com", "CHANNEL_LOGIN")
        emulator.clock.advance(100)
        with pytest.raises(InvalidPassCodeError, match="expired"):
            await client.sign_in_by_email_passcode("ada@example.com", code)
