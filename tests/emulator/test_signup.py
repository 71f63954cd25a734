from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest

from genauth_async import (
    ConflictError,
    InvalidArgumentError,
    InvalidCredentialsError,
    InvalidPassCodeError,
    SignUpDisabledError,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import PASSWORD
from tests.emulator.emulator_types import Json
from tests.emulator.pass_codes import another, sent_code

pytestmark = pytest.mark.anyio

ENCRYPTIONS = ["none", "rsa", "sm2"]
EMAIL, PHONE = "grace@example.com", "13900000000"


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("kind", ["email", "username", "phone"])
async def test_who_signed_up_can_sign_in_with_the_password(
    face: Any, emulator: Emulator, kind: str, encryption: str
) -> None:
    options = {"passwordEncryptType": encryption}
    account = {"email": EMAIL, "username": "grace", "phone": PHONE}[kind]
    if kind == "email":
        answer = await face.sign_up_by_email_password(account, PASSWORD, options=options)
    elif kind == "username":
        answer = await face.sign_up_by_username_password(account, PASSWORD, options=options)
    else:
        code = await sent_code(face, emulator, account, "CHANNEL_REGISTER")
        options["passwordForPhonePassCode"] = PASSWORD
        answer = await face.sign_up_by_phone_passcode(account, code, options=options)
    assert answer["data"][kind] == account
    assert answer.data.user_source_type == "register"
    assert answer.data.password_last_set_at == answer.data.created_at
    user = emulator.find_user(**{kind: account})
    assert (user.id, user.password) == (answer.data.user_id, PASSWORD)
    assert len(emulator.grants) == 0  # signed up is not signed in
    signed_in = await face.sign_in_by_account_password(account, PASSWORD)
    profile = await face.get_profile(access_token=signed_in.data.access_token)
    assert profile.data.user_id == user.id
    with pytest.raises(InvalidCredentialsError):
        await face.sign_in_by_account_password(account, PASSWORD + "!")


@pytest.mark.parametrize("address", [EMAIL, PHONE])
async def test_a_pass_code_proves_the_address_and_is_used_up(face: Any, emulator: Emulator, address: str) -> None:
    code = await sent_code(face, emulator, address, "CHANNEL_REGISTER")
    sign_up = face.sign_up_by_email_passcode if "@" in address else face.sign_up_by_phone_passcode
    for wrong in (another(code), await sent_code(face, emulator, address, "CHANNEL_LOGIN")):
        with pytest.raises(InvalidPassCodeError):
            await sign_up(address, wrong)
    assert list(emulator._state.users) == []
    answer = await sign_up(address, code)
    assert (answer.data.email_verified, answer.data.phone_verified) == ("@" in address, "@" not in address)
    assert answer.data.password_last_set_at is None
    with pytest.raises(InvalidPassCodeError):
        await sign_up(address, code)
    with pytest.raises(InvalidCredentialsError):
        await face.sign_in_by_account_password(address, PASSWORD)  # the account has none


async def test_an_address_with_a_password_is_not_verified_by_it(face: Any) -> None:
    answer = await face.sign_up_by_email_password("Grace@Example.com", PASSWORD)
    assert answer.data.email == "Grace@Example.com"
    assert answer.data.email_verified is False
    assert await face.sign_in_by_email_password("grace@example.com", PASSWORD)


async def test_the_profile_is_kept(face: Any, emulator: Emulator) -> None:
    profile = {
        "name": "Grace",
        "nickname": "G",
        "givenName": "Grace",
        "gender": "F",
        "company": "Navy",
        "device": "mainframe",
        "region": "Virginia",
        "locality": "Arlington",
        "customData": {"rank": "Admiral"},
    }
    answer = await face.sign_up_by_username_password(
        "grace", PASSWORD, profile, {"context": {"rank": "Captain", "campaign": "spring"}, "clientIp": "10.0.0.1"}
    )
    data = answer.to_dict()["data"]
    assert {name: data.get(name) for name in profile} == profile | {
        "locality": None,  # which UserDto does not have
        "customData": {"rank": "Admiral", "campaign": "spring"},
    }
    assert emulator.find_user(username="grace").profile["locality"] == "Arlington"


@pytest.mark.parametrize("completed", [EMAIL, PHONE])
async def test_a_further_address_needs_its_own_pass_code(face: Any, emulator: Emulator, completed: str) -> None:
    kind, other = ("email", PHONE) if "@" in completed else ("phone", EMAIL)
    code = await sent_code(face, emulator, other, "CHANNEL_REGISTER")
    completion = await sent_code(face, emulator, completed, f"CHANNEL_COMPLETE_{kind.upper()}")
    sign_up = face.sign_up_by_email_passcode if "@" in other else face.sign_up_by_phone_passcode
    option = f"{kind}PassCodeForInformationCompletion"
    with pytest.raises(InvalidArgumentError, match=option):
        await sign_up(other, code, profile={kind: completed})
    with pytest.raises(InvalidPassCodeError):
        await sign_up(other, code, profile={kind: completed}, options={option: another(completion)})
    answer = await sign_up(other, code, profile={kind: completed}, options={option: completion})  # still good
    assert (answer.data.email, answer.data.phone) == (EMAIL, PHONE)
    assert answer.data.email_verified
    assert answer.data.phone_verified


async def test_a_country_code_is_kept(face: Any, emulator: Emulator) -> None:
    code = await sent_code(face, emulator, PHONE, "CHANNEL_REGISTER")
    answer = await face.sign_up_by_phone_passcode(PHONE, code, "+1")
    assert answer.data.phone_country_code == "+1"


@pytest.mark.usefixtures("user")
async def test_who_exists_already_is_2026(face: Any, emulator: Emulator) -> None:
    code = await sent_code(face, emulator, "13800000000", "CHANNEL_REGISTER")
    for sign_up in (
        face.sign_up_by_username_password("ada", PASSWORD),
        face.sign_up_by_email_password("ADA@example.com", PASSWORD),
        face.sign_up_by_phone_passcode("13800000000", code),
        face.sign_up_by_username_password("ada@example.com", PASSWORD),  # would catch her sign-ins
        face.sign_up_by_username_password("13800000000", PASSWORD),
    ):
        with pytest.raises(ConflictError) as caught:
            await sign_up
        assert (caught.value.status_code, caught.value.api_code) == (409, 2026)
    assert len(list(emulator._state.users)) == 1


async def test_one_of_many_at_once_gets_the_username(face: Any, emulator: Emulator) -> None:
    outcomes: list[bool] = []

    async def sign_up() -> None:
        try:
            await face.sign_up_by_username_password("grace", PASSWORD, options={"passwordEncryptType": "rsa"})
        except ConflictError:
            outcomes.append(False)
        else:
            outcomes.append(True)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(sign_up)
    assert sorted(outcomes) == [False] * 7 + [True]
    assert [user.username for user in emulator._state.users] == ["grace"]


async def test_a_disabled_sign_up_is_refused(face: Any, emulator: Emulator) -> None:
    emulator.account_rules.sign_up_enabled = False
    with pytest.raises(SignUpDisabledError) as caught:
        await face.sign_up_by_username_password("grace", PASSWORD)
    assert (caught.value.status_code, caught.value.api_code) == (403, 2031)
    emulator.account_rules.sign_up_enabled = True
    assert await face.sign_up_by_username_password("grace", PASSWORD)


@pytest.mark.parametrize(("length", "least"), [(5, 6), (11, 12)])
async def test_a_short_password_is_2029(face: Any, emulator: Emulator, length: int, least: int) -> None:
    emulator.account_rules.min_password_length = least
    with pytest.raises(InvalidArgumentError, match=str(least)) as caught:
        await face.sign_up_by_username_password("grace", "x" * length)
    assert caught.value.api_code == 2029
    assert await face.sign_up_by_username_password("grace", "x" * least)


def _password(**payload: object) -> Json:
    return {"connection": "PASSWORD", "passwordPayload": {"password": PASSWORD, **payload}}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "connection"),
        ({"connection": "LDAP"}, "connection"),
        ({"connection": "PASSWORD"}, "passwordPayload"),
        (_password(), "passwordPayload.email"),
        (_password(email="grace"), "email"),
        (_password(username="grace", password=None), "passwordPayload.password"),
        ({"connection": "PASSCODE", "passCodePayload": {"email": EMAIL}}, "passCodePayload.passCode"),
        ({"connection": "PASSCODE", "passCodePayload": {"passCode": "123456"}}, "passCodePayload.email"),
        ({"connection": "PASSCODE", "passCodePayload": {"passCode": "123456", "phone": "+1"}}, "phone"),
        ({**_password(username="grace"), "profile": {"gender": "W"}}, "profile.gender"),
        ({**_password(username="grace"), "profile": {"name": 7}}, "profile.name"),
        ({**_password(username="grace"), "profile": {"customData": []}}, "customData"),
        ({**_password(username="grace"), "options": {"passwordEncryptType": "rot13"}}, "passwordEncryptType"),
    ],
)
def test_a_wrong_argument_is_named(emulator: Emulator, http: httpx.Client, body: Json, named: str) -> None:
    answer = http.post("/api/v3/signup", json=body).json()
    assert answer["statusCode"] == 400
    assert named in answer["message"]
    assert list(emulator._state.users) == []


def test_a_ciphertext_for_another_key_is_2016(http: httpx.Client) -> None:
    body = {**_password(username="grace"), "options": {"passwordEncryptType": "sm2"}}
    answer = http.post("/api/v3/signup", json=body).json()
    assert (answer["statusCode"], answer["apiCode"]) == (499, 2016)


def test_an_unknown_application_is_2011(http: httpx.Client) -> None:
    headers = {"x-genauth-app-id": "unknown"}
    answer = http.post("/api/v3/signup", json=_password(username="grace"), headers=headers).json()
    assert answer["apiCode"] == "2011"


def test_users_are_found_by_what_they_are_known_by(emulator: Emulator, user: User) -> None:
    assert emulator.find_user(username="ada") is user
    assert emulator.find_user(email="ADA@example.com") is user
    assert emulator.find_user(phone="13800000000") is user
    for unknown in ({"username": "grace"}, {"email": "ada"}, {"phone": "ada"}, {}):
        with pytest.raises(LookupError):
            emulator.find_user(**unknown)
