from __future__ import annotations

from typing import Any

import pytest

from genauth_async import (
    InvalidArgumentError,
    InvalidCredentialsError,
    InvalidGrantError,
    InvalidOperationError,
    InvalidPassCodeError,
    NotSignedInError,
    OAuthError,
)
from genauth_async.emulator import Emulator, User
from tests.emulator.pass_codes import another, sent_code

pytestmark = pytest.mark.anyio

EMAIL, PHONE, PASSWORD = "ada@example.com", "13800000000", "passw0rd"
CHANNEL = "CHANNEL_DELETE_ACCOUNT"


async def _verify(face: Any, token: str, method: str, address: str | None = None, secret: str = PASSWORD) -> str:
    payloads: dict[str, dict[str, dict[str, object]]] = {
        "EMAIL_PASSCODE": {"email_pass_code_payload": {"email": address, "passCode": secret}},
        "PHONE_PASSCODE": {"phone_pass_code_payload": {"phoneNumber": address, "passCode": secret}},
        "PASSWORD": {"password_payload": {"password": secret, "passwordEncryptType": address or "none"}},
    }
    answer = await face.verify_delete_account_request(method, **payloads[method], access_token=token)
    assert answer.data.token_expires_in == 60
    return str(answer.data.delete_account_token)


async def _verified(face: Any, emulator: Emulator, token: str) -> str:
    return await _verify(face, token, "EMAIL_PASSCODE", EMAIL, await sent_code(face, emulator, EMAIL, CHANNEL))


@pytest.mark.parametrize(("method", "address"), [("EMAIL_PASSCODE", EMAIL), ("PHONE_PASSCODE", PHONE)])
async def test_a_deleted_user_is_gone(face: Any, emulator: Emulator, user: User, method: str, address: str) -> None:
    tokens, others = emulator.issue_tokens(user), emulator.issue_tokens(user)
    token = tokens["access_token"]
    delete_token = await _verify(face, token, method, address, await sent_code(face, emulator, address, CHANNEL))
    assert emulator.find_user(username="ada") is user  # nothing happens before the second step
    assert (await face.delete_account(delete_token, access_token=token)).data.success is True
    for held in (tokens, others):
        with pytest.raises(NotSignedInError):
            await face.get_profile(access_token=held["access_token"])
        with pytest.raises(InvalidGrantError):
            await face.get_new_access_token_by_refresh_token(held["refresh_token"])
        assert (await face.introspect_token(held["access_token"])).active is False
    with pytest.raises(InvalidCredentialsError) as caught:
        await face.sign_in_by_account_password("ada", PASSWORD)
    assert caught.value.api_code == 2333  # as for one who never was
    with pytest.raises(LookupError):
        emulator.find_user(username="ada")


@pytest.mark.parametrize("encryption", ["none", "rsa", "sm2"])
async def test_who_receives_no_codes_gives_the_password(face: Any, emulator: Emulator, encryption: str) -> None:
    user = emulator.add_user(username="grace", password=PASSWORD)
    token = emulator.issue_tokens(user)["access_token"]
    with pytest.raises(InvalidCredentialsError) as caught:
        await _verify(face, token, "PASSWORD", encryption, "guess")
    assert caught.value.api_code == 2006
    await face.delete_account(await _verify(face, token, "PASSWORD", encryption), access_token=token)
    assert list(emulator._state.users) == []


async def test_who_receives_codes_does_not_give_the_password(face: Any, emulator: Emulator, user: User) -> None:
    with pytest.raises(InvalidOperationError):
        await _verify(face, emulator.issue_tokens(user)["access_token"], "PASSWORD")


async def test_the_username_and_addresses_are_free_again(face: Any, emulator: Emulator, user: User) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    await face.delete_account(await _verified(face, emulator, token), access_token=token)
    await face.sign_up_by_email_password(EMAIL, PASSWORD)
    successor = emulator.add_user(username="ada", phone=PHONE)
    assert emulator.find_user(phone=PHONE) is successor
    assert emulator.find_user(email=EMAIL).id not in {user.id, successor.id}


async def test_the_code_has_to_be_the_users_own(face: Any, emulator: Emulator, user: User) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    for method, address in (("EMAIL_PASSCODE", "thief@example.com"), ("PHONE_PASSCODE", "13900000000")):
        code = await sent_code(face, emulator, address, CHANNEL)
        with pytest.raises(InvalidArgumentError):
            await _verify(face, token, method, address, code)
    code = await sent_code(face, emulator, EMAIL, CHANNEL)
    with pytest.raises(InvalidPassCodeError):
        await _verify(face, token, "EMAIL_PASSCODE", EMAIL, another(code))
    assert await _verify(face, token, "EMAIL_PASSCODE", None, code)  # the address goes without saying
    with pytest.raises(InvalidPassCodeError):
        await _verify(face, token, "EMAIL_PASSCODE", None, code)


async def test_a_token_is_for_one_user_and_soon(face: Any, emulator: Emulator, user: User) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    grace = emulator.add_user(username="grace")
    delete_token = await _verified(face, emulator, token)
    with pytest.raises(InvalidArgumentError):
        await face.delete_account(delete_token, access_token=emulator.issue_tokens(grace)["access_token"])
    emulator.clock.advance(60)
    with pytest.raises(InvalidArgumentError):
        await face.delete_account(delete_token, access_token=token)
    assert set(emulator._state.users) == {user, grace}


async def test_strangers_cannot_delete_an_account(face: Any, emulator: Emulator, user: User) -> None:
    delete_token = await _verified(face, emulator, emulator.issue_tokens(user)["access_token"])
    with pytest.raises(NotSignedInError):
        await face.delete_account(delete_token, access_token="stale")
    with pytest.raises(NotSignedInError):
        await _verify(face, "stale", "PASSWORD")
    assert emulator.find_user(username="ada") is user


async def test_nothing_is_issued_to_who_was_removed(face: Any, emulator: Emulator, user: User) -> None:
    emulator.remove_user(user)
    emulator.remove_user(user)  # once more does no harm
    tokens = emulator.issue_tokens(user)
    with pytest.raises(NotSignedInError):
        await face.get_profile(access_token=tokens["access_token"])
    with pytest.raises(OAuthError):
        await face.get_user_info_by_access_token(tokens["access_token"])
    with pytest.raises(InvalidGrantError):
        await face.get_new_access_token_by_refresh_token(tokens["refresh_token"])
    assert emulator.grants.alive == 0
