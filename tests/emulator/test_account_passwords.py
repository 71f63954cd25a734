from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest

from genauth_async import (
    AccountLockedError,
    CaptchaRequiredError,
    ConfigurationError,
    GenAuthAPIError,
    InvalidArgumentError,
    InvalidCredentialsError,
    InvalidGrantError,
    InvalidPassCodeError,
    NotSignedInError,
    PasswordResetRequiredError,
    UserNotFoundError,
)
from genauth_async.emulator import Emulator, User
from tests.conftest import PASSWORD
from tests.emulator.pass_codes import another, sent_code

pytestmark = pytest.mark.anyio

OLD = "passw0rd"
ENCRYPTIONS = ["none", "rsa", "sm2"]
ADDRESSES = ["ada@example.com", "13800000000"]


async def _reset_token(face: Any, emulator: Emulator, address: str = ADDRESSES[0], code: str | None = None) -> str:
    sent = await sent_code(face, emulator, address, "CHANNEL_RESET_PASSWORD")
    if "@" in address:
        answer = await face.verify_reset_password_request(
            "EMAIL_PASSCODE", email_pass_code_payload={"email": address, "passCode": code or sent}
        )
    else:
        answer = await face.verify_reset_password_request(
            "PHONE_PASSCODE", phone_pass_code_payload={"phoneNumber": address, "passCode": code or sent}
        )
    assert answer.data.token_expires_in == 60
    return str(answer.data.password_reset_token)


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
async def test_a_new_password_replaces_the_old_one(face: Any, emulator: Emulator, user: User, encryption: str) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    emulator.clock.advance(1)
    await face.update_password(PASSWORD, OLD, encryption, access_token=token)
    assert await face.sign_in_by_username_password("ada", PASSWORD)
    with pytest.raises(InvalidCredentialsError):
        await face.sign_in_by_username_password("ada", OLD)
    profile = await face.get_profile(access_token=token)
    assert profile.data.password_last_set_at == profile.data.updated_at > profile.data.created_at


async def test_other_sign_ins_end_with_the_old_password(face: Any, emulator: Emulator, user: User) -> None:
    mine, others = emulator.issue_tokens(user), emulator.issue_tokens(user)
    strangers = emulator.issue_tokens(emulator.add_user(username="grace"))
    await face.update_password(PASSWORD, OLD, access_token=mine["access_token"])
    assert (emulator.grants.alive, emulator.grants.revoked) == (2, 1)
    for tokens in (mine, strangers):
        await face.get_profile(access_token=tokens["access_token"])
        await face.get_new_access_token_by_refresh_token(tokens["refresh_token"])
    with pytest.raises(NotSignedInError):
        await face.get_profile(access_token=others["access_token"])
    with pytest.raises(InvalidGrantError):
        await face.get_new_access_token_by_refresh_token(others["refresh_token"])


async def test_guessing_the_old_password_locks_the_user(face: Any, emulator: Emulator, user: User) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    for _ in range(5):
        with pytest.raises(InvalidCredentialsError) as caught:
            await face.update_password(PASSWORD, "guess", access_token=token)
        assert caught.value.api_code == 2006
    with pytest.raises(AccountLockedError):
        await face.update_password(PASSWORD, OLD, access_token=token)
    assert user.password == OLD


async def test_the_old_password_is_asked_for(face: Any, emulator: Emulator, user: User) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    with pytest.raises(InvalidArgumentError, match="oldPassword"):
        await face.update_password(PASSWORD, access_token=token)
    with pytest.raises(NotSignedInError):
        await face.update_password(PASSWORD, OLD, access_token="stale")
    assert user.password == OLD


async def test_who_has_no_password_sets_one(face: Any, emulator: Emulator) -> None:
    user = emulator.add_user(username="grace")
    token = emulator.issue_tokens(user)["access_token"]
    with pytest.raises(InvalidArgumentError) as caught:
        await face.update_password("short", access_token=token)
    assert caught.value.api_code == 2029
    assert user.password_set_at is None
    await face.update_password(PASSWORD, access_token=token)
    assert await face.sign_in_by_username_password("grace", PASSWORD)


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_forgotten_password_is_reset(
    face: Any, emulator: Emulator, user: User, address: str, encryption: str
) -> None:
    tokens = emulator.issue_tokens(user)
    reset_token = await _reset_token(face, emulator, address)
    assert (await face.reset_password(PASSWORD, reset_token, encryption)).data.success is True
    assert await face.sign_in_by_username_password("ada", PASSWORD)
    with pytest.raises(InvalidCredentialsError):
        await face.sign_in_by_username_password("ada", OLD)
    with pytest.raises(NotSignedInError):
        await face.get_profile(access_token=tokens["access_token"])
    with pytest.raises(InvalidArgumentError):
        await face.reset_password("another one", reset_token)  # a second use
    assert user.password == PASSWORD


async def test_a_reset_unlocks_and_does_what_was_required(face: Any, emulator: Emulator, user: User) -> None:
    user.password_reset_required = True
    with pytest.raises(PasswordResetRequiredError):
        await face.sign_in_by_username_password("ada", OLD)
    for _ in range(5):
        with pytest.raises(InvalidCredentialsError):
            await face.sign_in_by_username_password("ada", "guess")
    with pytest.raises(AccountLockedError):
        await face.sign_in_by_username_password("ada", OLD)
    await face.reset_password(PASSWORD, await _reset_token(face, emulator))
    assert await face.sign_in_by_username_password("ada", PASSWORD)
    assert user.failed_passwords == 0


async def test_a_reset_token_serves_update_password_without_a_user(face: Any, emulator: Emulator, user: User) -> None:
    emulator.issue_tokens(user)
    await face.update_password(
        PASSWORD, password_encrypt_type="rsa", password_reset_token=await _reset_token(face, emulator)
    )
    assert user.password == PASSWORD
    assert emulator.grants.alive == 0


async def test_a_weak_password_leaves_the_reset_token_good(face: Any, emulator: Emulator, user: User) -> None:
    reset_token = await _reset_token(face, emulator)
    with pytest.raises(InvalidArgumentError) as caught:
        await face.reset_password("short", reset_token)
    assert (caught.value.api_code, user.password) == (2029, OLD)
    await face.reset_password(PASSWORD, reset_token)
    assert user.password == PASSWORD


async def test_a_reset_token_expires(face: Any, emulator: Emulator, user: User) -> None:
    reset_token = await _reset_token(face, emulator)
    emulator.clock.advance(60)
    with pytest.raises(InvalidArgumentError):
        await face.reset_password(PASSWORD, reset_token)
    assert user.password == OLD


async def test_the_password_of_a_removed_user_cannot_be_reset(face: Any, emulator: Emulator, user: User) -> None:
    reset_token = await _reset_token(face, emulator)
    emulator.remove_user(user)
    with pytest.raises(InvalidArgumentError):
        await face.reset_password(PASSWORD, reset_token)
    assert user.password == OLD


@pytest.mark.usefixtures("user")
async def test_a_reset_needs_the_code_of_a_known_address(face: Any, emulator: Emulator) -> None:
    code = await sent_code(face, emulator, ADDRESSES[0], "CHANNEL_LOGIN")
    with pytest.raises(InvalidPassCodeError):
        await _reset_token(face, emulator, code=another(code))
    stranger = "grace@example.com"
    with pytest.raises(InvalidPassCodeError):  # who cannot read its messages learns nothing of its account
        await face.verify_reset_password_request(
            "EMAIL_PASSCODE", email_pass_code_payload={"email": stranger, "passCode": "123456"}
        )
    with pytest.raises(UserNotFoundError):
        await _reset_token(face, emulator, stranger)


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("account", [{"username": "ada"}, {"email": "Ada@example.com"}, {"phone": "13800000000"}])
async def test_a_password_is_validated(face: Any, encryption: str, account: dict[str, str]) -> None:
    for password, valid in ((OLD, True), (PASSWORD, False)):
        answer = await face.validate_password(password=password, password_encrypt_type=encryption, **account)
        assert answer.data.valid is valid


async def test_validation_is_no_place_to_guess(face: Any, user: User) -> None:
    for _ in range(5):
        assert (await face.validate_password(username="ada", password="guess")).data.valid is False
    with pytest.raises(AccountLockedError):
        await face.validate_password(username="ada", password=OLD)
    assert user.locked
    assert (await face.validate_password(username="unknown", password=OLD)).data.valid is False


async def test_validation_does_not_forget_failures(client: Any, user: User) -> None:
    user.failed_passwords = 4
    assert (await client.validate_password(username="ada", password=OLD)).data.valid is True
    assert user.failed_passwords == 4
    assert (await client.validate_password(username="ada", password="guess")).data.valid is False
    assert user.locked


async def test_validation_is_no_way_around_the_captcha(client: Any, emulator: Emulator, user: User) -> None:
    emulator.captchas.required_after = 2
    token = emulator.issue_tokens(user)["access_token"]
    for account in ({"username": "ada"}, {"access_token": token}):
        user.failed_passwords = 2
        for password in (OLD, "guess"):
            with pytest.raises(CaptchaRequiredError):
                await client.validate_password(password=password, **account)
        assert user.failed_passwords == 2


@pytest.mark.parametrize("guesses", [0, 5])
async def test_a_reset_does_not_undo_what_an_administrator_has_locked(
    client: Any, emulator: Emulator, user: User, guesses: int
) -> None:
    for _ in range(guesses):
        with pytest.raises(InvalidCredentialsError):
            await client.sign_in_by_username_password("ada", "guess")
    emulator.lock_user(user)
    await client.reset_password(PASSWORD, await _reset_token(client, emulator))
    assert user.locked
    with pytest.raises(AccountLockedError):
        await client.sign_in_by_username_password("ada", PASSWORD)
    user.locked = False
    assert await client.sign_in_by_username_password("ada", PASSWORD)


async def test_an_administrator_unlocks_after_wrong_passwords(client: Any, user: User) -> None:
    for _ in range(5):
        with pytest.raises(InvalidCredentialsError):
            await client.sign_in_by_username_password("ada", "guess")
    assert (user.locked, user.locked_by_administrator) == (True, False)
    user.locked = False
    assert await client.sign_in_by_username_password("ada", OLD)


async def _required(face: Any, password: str = OLD) -> PasswordResetRequiredError:
    with pytest.raises(PasswordResetRequiredError) as caught:
        await face.sign_in_by_username_password("ada", password)
    return caught.value


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
async def test_a_first_password_is_replaced(face: Any, emulator: Emulator, user: User, encryption: str) -> None:
    emulator.issue_tokens(user)
    user.password_reset_required = True
    required = await _required(face)
    assert required.api_code == 1639
    with pytest.raises(GenAuthAPIError) as weak:
        await face.reset_password_by_first_login_token(required, "short", encryption)
    assert weak.value.api_code == 2029
    assert (await face.reset_password_by_first_login_token(required, PASSWORD, encryption)).status_code == 200
    assert emulator.grants.alive == 0
    assert await face.sign_in_by_username_password("ada", PASSWORD)
    with pytest.raises(InvalidArgumentError):  # a second use
        await face.reset_password_by_first_login_token(required.reset_token, "another one", encryption)
    assert user.password == PASSWORD


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
async def test_an_expired_password_is_replaced(face: Any, user: User, encryption: str) -> None:
    user.password_expired = True
    required = await _required(face)
    assert required.api_code == 2058
    with pytest.raises(InvalidCredentialsError) as wrong:
        await face.reset_password_by_force_reset_token(required, "guess", PASSWORD, encryption)
    assert (wrong.value.api_code, wrong.value.endpoint) == (2203, "POST /graphql/v2")
    answer = await face.reset_password_by_force_reset_token(required, OLD, PASSWORD, encryption)
    assert (answer.status_code, user.password_expired) == (200, False)
    assert await face.sign_in_by_username_password("ada", PASSWORD)
    with pytest.raises(InvalidArgumentError):  # a second use
        await face.reset_password_by_force_reset_token(required, PASSWORD, OLD, encryption)


async def test_the_tokens_of_both_resets_are_not_interchangeable(client: Any, emulator: Emulator, user: User) -> None:
    user.password_reset_required = True
    first = await _required(client)
    user.password_reset_required, user.password_expired = False, True
    rotation = await _required(client)
    for token in (rotation, "made-up", await _reset_token(client, emulator)):
        with pytest.raises(InvalidArgumentError):
            await client.reset_password_by_first_login_token(token, PASSWORD)
    for token in (first, "made-up"):
        with pytest.raises(InvalidArgumentError):
            await client.reset_password_by_force_reset_token(token, OLD, PASSWORD)
    emulator.clock.advance(300)
    with pytest.raises(InvalidArgumentError):
        await client.reset_password_by_force_reset_token(rotation, OLD, PASSWORD)
    assert user.password == OLD


async def test_a_pickled_error_cannot_reset(client: Any, user: User) -> None:
    user.password_reset_required = True
    required = pickle.loads(pickle.dumps(await _required(client)))
    for call in (client.reset_password_by_first_login_token, client.reset_password_by_force_reset_token):
        for challenge in (required, "", None, ValueError("canary")):
            with pytest.raises(ConfigurationError, match="challenge") as caught:
                await call(challenge, OLD, PASSWORD)
            assert "canary" not in str(caught.value)


async def test_another_mutation_is_not_modelled(emulator: Emulator) -> None:
    async with httpx.AsyncClient(base_url=emulator.url) as http:
        headers = {"x-genauth-app-id": emulator.app_id}
        answer = await http.post("/graphql/v2", json={"query": "mutation other { x }"}, headers=headers)
    assert answer.json()["errors"][0]["message"]["code"] == 501
