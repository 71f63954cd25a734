"""Revocation by a new password and by the end of an account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from genauth_async import (
    AuthenticationClient,
    ForbiddenError,
    GenAuthAPIError,
    InvalidArgumentError,
    InvalidGrantError,
    InvalidOperationError,
    MFARequiredError,
    NotSignedInError,
)
from genauth_async.emulator import Emulator, User
from tests.emulator.pass_codes import sent_code
from tests.emulator.passkey_device import registered

pytestmark = pytest.mark.anyio

EMAIL, PHONE = "ada@example.com", "13800000000"
NEW = "brand-new-pw"
Step = Callable[[], Awaitable[object]]


async def update(client: Any, emulator: Emulator, user: User) -> None:
    await client.update_password(NEW, "passw0rd", access_token=emulator.issue_tokens(user)["access_token"])


async def reset(client: Any, emulator: Emulator, _user: User) -> None:
    await client.reset_password(NEW, await reset_token(client, emulator, EMAIL))


async def removal(_client: Any, emulator: Emulator, user: User) -> None:
    emulator.remove_user(user)


ENDS = [update, reset, removal]
end_of_all = pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)


async def reset_token(client: Any, emulator: Emulator, address: str) -> str:
    code = await sent_code(client, emulator, address, "CHANNEL_RESET_PASSWORD")
    if address == EMAIL:
        payload = {"email_pass_code_payload": {"email": address, "passCode": code}}
        answer = await client.verify_reset_password_request("EMAIL_PASSCODE", **payload)
    else:
        payload = {"phone_pass_code_payload": {"phoneNumber": address, "passCode": code}}
        answer = await client.verify_reset_password_request("PHONE_PASSCODE", **payload)
    token: str = answer.data.password_reset_token
    return token


@end_of_all
async def test_a_sign_in_that_waits_for_its_second_factor(
    client: AuthenticationClient, emulator: Emulator, user: User, end: Any
) -> None:
    user.mfa_required = True
    with pytest.raises(MFARequiredError) as waiting:
        await client.sign_in_by_username_password("ada", "passw0rd")
    mfa_token = waiting.value.mfa_token or ""
    assert (await client.verify_mfa_token(mfa_token)).active
    await end(client, emulator, user)
    assert not (await client.verify_mfa_token(mfa_token)).active
    with pytest.raises(NotSignedInError):  # nor can an attacker who knew the old password enrol a factor
        await client.send_enroll_factor_request({}, "OTP", access_token=mfa_token)


@end_of_all
async def test_a_second_reset(client: AuthenticationClient, emulator: Emulator, user: User, end: Any) -> None:
    token = await reset_token(client, emulator, PHONE)
    await end(client, emulator, user)
    with pytest.raises(InvalidArgumentError):
        await client.reset_password("thief's own", token)
    assert user.password != "thief's own"


async def test_a_deletion_and_a_change_of_address(client: AuthenticationClient, emulator: Emulator, user: User) -> None:
    kept = emulator.issue_tokens(user)["access_token"]
    code = await sent_code(client, emulator, EMAIL, "CHANNEL_DELETE_ACCOUNT")
    payload = {"email": EMAIL, "passCode": code}
    deletion = (
        await client.verify_delete_account_request("EMAIL_PASSCODE", email_pass_code_payload=payload, access_token=kept)
    ).data.delete_account_token
    codes = [await sent_code(client, emulator, to, "CHANNEL_UPDATE_EMAIL") for to in ("eve@example.com", EMAIL)]
    change_payload = {
        "newEmail": "eve@example.com",
        "newEmailPassCode": codes[0],
        "oldEmail": EMAIL,
        "oldEmailPassCode": codes[1],
    }
    change = (
        await client.verify_update_email_request(change_payload, "EMAIL_PASSCODE", access_token=kept)
    ).data.update_email_token
    await client.update_password(NEW, "passw0rd", access_token=kept)
    with pytest.raises(InvalidArgumentError):
        await client.delete_account(deletion, access_token=kept)
    with pytest.raises(InvalidArgumentError):
        await client.update_email(change, access_token=kept)
    assert (user.email, emulator.find_user(username="ada")) == (EMAIL, user)


async def qr_code(client: Any, emulator: Emulator, user: User) -> Step:
    qrcode_id = (await client.gene_qr_code("MOBILE_APP")).data.qrcode_id
    emulator.qr_codes.scan(qrcode_id, user)
    emulator.qr_codes.confirm(qrcode_id)
    ticket = (await client.check_qr_code_status(qrcode_id)).data.ticket
    return lambda: client.exchange_token_set_with_qr_code_ticket(ticket)


async def scanned_qr_code(client: Any, emulator: Emulator, user: User) -> Step:
    qrcode_id = (await client.gene_qr_code("MOBILE_APP")).data.qrcode_id
    emulator.qr_codes.scan(qrcode_id, user)

    async def confirm() -> None:
        # The user may be signed in again after the reset; that decides nothing about what was scanned before.
        token = emulator.issue_tokens(user)["access_token"]
        await client.change_qr_code_status("CONFIRM", qrcode_id, access_token=token)

    return confirm


async def push(client: Any, emulator: Emulator, _user: User) -> Step:
    push_code_id = (await client.sign_in_by_push("ada")).data.push_code_id
    emulator.pushes.confirm(push_code_id)

    async def collect() -> None:
        answer = (await client.check_push_code_status(push_code_id)).data
        assert answer.token_set is None
        raise AssertionError(answer.status)

    return collect


async def fastpass(client: Any, emulator: Emulator, user: User) -> Step:
    browser = emulator.issue_tokens(user)["access_token"]
    qrcode_id = (await client.gene_fastpass_qrcode_info(access_token=browser)).data.qrcode_id
    return lambda: client.qr_code_app_login("APP_LOGIN", qrcode_id)


@end_of_all
@pytest.mark.parametrize("begun", [qr_code, scanned_qr_code, push, fastpass], ids=lambda begun: begun.__name__)
async def test_codes_that_were_scanned_shown_or_confirmed(
    client: AuthenticationClient, emulator: Emulator, user: User, begun: Any, end: Any
) -> None:
    collect = await begun(client, emulator, user)
    await end(client, emulator, user)
    alive = emulator.grants.alive
    if begun is push:
        with pytest.raises(AssertionError, match="CANCELLED"):
            await collect()
    else:
        with pytest.raises((InvalidArgumentError, InvalidOperationError, NotSignedInError)):
            await collect()
    assert emulator.grants.alive <= alive + (begun is scanned_qr_code)


@end_of_all
async def test_sessions_to_which_the_user_has_switched(
    client: AuthenticationClient, emulator: Emulator, user: User, end: Any
) -> None:
    press = emulator.add_user(username="press")
    emulator.public_accounts.allow(user, press)
    own = emulator.issue_tokens(press)["access_token"]
    begun = (await client.switch_login_by_user(press.id, access_token=emulator.issue_tokens(user)["access_token"])).data
    await client.get_profile(access_token=begun.access_token)
    await end(client, emulator, user)
    with pytest.raises(NotSignedInError):
        await client.get_profile(access_token=begun.access_token)
    with pytest.raises(InvalidGrantError):
        await client.get_new_access_token_by_refresh_token(begun.refresh_token or "")
    await client.get_profile(access_token=own)  # of a sign-in to the public account itself


async def test_what_others_have_begun_goes_on(client: AuthenticationClient, emulator: Emulator, user: User) -> None:
    grace = emulator.add_user(username="grace", password="passw0rd")
    push_code_id = (await client.sign_in_by_push("grace")).data.push_code_id
    unknown = (await client.gene_qr_code("MOBILE_APP")).data.qrcode_id
    await reset(client, emulator, user)
    emulator.pushes.confirm(push_code_id)
    assert (await client.check_push_code_status(push_code_id)).data.token_set is not None
    emulator.qr_codes.scan(unknown, grace)
    assert emulator.qr_codes.status(unknown) == "SCANNED"


async def test_who_is_removed_leaves_nothing_behind(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    grace = emulator.add_user(username="grace")
    token = emulator.issue_tokens(user)["access_token"]
    browser = await registered(client, emulator, token)
    credential_id = emulator.passkeys.of(user)[0].id
    emulator.factors.enroll(user, "OTP")
    await client.sign_in_by_username_password("ada", "passw0rd")
    emulator.public_accounts.allow(grace, user)
    assert emulator.devices.of(user)
    emulator.remove_user(user)

    assert (emulator.passkeys.of(user), emulator.factors.of(user), emulator.devices.of(user)) == ([], [], [])
    assert (await client.check_valid_credentials_by_cred_ids(body={"credentialIds": [credential_id]})).data == []
    begun = (await client.init_authentication_options()).data
    credential = browser.get(begun.authentication_options)
    with pytest.raises(GenAuthAPIError) as caught:
        await client.verify_authentication(begun.ticket, credential)
    assert caught.value.status_code == 431
    assert emulator.public_accounts.of(grace) == []
    graces = emulator.issue_tokens(grace)["access_token"]
    with pytest.raises(ForbiddenError):
        await client.switch_login_by_user(user.id, access_token=graces)
    for pair in ((grace, user), (user, grace)):
        with pytest.raises(ValueError, match="removed"):
            emulator.public_accounts.allow(*pair)


async def test_a_passkey_that_is_gone_is_not_used(client: AuthenticationClient, emulator: Emulator, user: User) -> None:
    await registered(client, emulator, emulator.issue_tokens(user)["access_token"])
    [passkey] = emulator.passkeys.of(user)
    assert emulator.passkeys.use(passkey, 1)
    emulator.remove_user(user)
    assert not emulator.passkeys.use(passkey, 2)
    assert passkey.sign_count == 1


async def test_a_code_that_is_cancelled_while_its_tokens_are_asked_for(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    push_code_id = (await client.sign_in_by_push("ada")).data.push_code_id or ""
    emulator.pushes.confirm(push_code_id)
    seen = emulator.pushes.find(push_code_id)
    emulator.pushes.cancel_all_of(user)
    with pytest.raises(Exception, match="CANCELLED"):
        emulator.pushes.collect(seen, lambda: emulator.issue_tokens(user))
    assert len(emulator.grants) == 0
