from __future__ import annotations

from typing import Any

import pytest

from genauth_async import (
    AccountLockedError,
    ForbiddenError,
    MFARequiredError,
    NotSignedInError,
    PasswordResetRequiredError,
)
from genauth_async.emulator import Emulator, User

pytestmark = pytest.mark.anyio


@pytest.fixture
def press(emulator: Emulator, user: User) -> User:
    """A public account that Ada may use."""
    press = emulator.add_user(username="press", nickname="Press", profile={"photo": "https://example.com/press.png"})
    emulator.public_accounts.allow(user, press)
    return press


@pytest.fixture
def own(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


async def switched(client: Any, target: User, token: str, **arguments: object) -> Any:
    return (await client.switch_login_by_user(target.id, **arguments, access_token=token)).data


async def listed(client: Any, token: str, **arguments: object) -> Any:
    [answer] = (await client.list_public_accounts_for_switch_logged_in(**arguments, access_token=token)).data
    return answer.to_dict()


async def test_a_user_switches_to_a_public_account(face: Any, own: str, user: User, press: User) -> None:
    assert await listed(face, own) == {
        "publicAccounts": [
            {
                "userId": press.id,
                "avatar": "https://example.com/press.png",
                "displayName": "Press",
                "usertype": "2",
            }
        ]
    }
    tokens = await switched(face, press, own)
    assert (await face.get_profile(access_token=tokens.access_token)).data.user_id == press.id
    assert (await face.get_profile(access_token=own)).data.user_id == user.id


async def test_from_there_the_way_leads_back(face: Any, own: str, user: User, press: User) -> None:
    there = (await switched(face, press, own)).access_token
    origin = (await listed(face, there, with_origin_user=True))["originUser"]
    assert (origin["userId"], origin["usertype"]) == (user.id, "1")
    back = (await switched(face, user, there)).access_token
    assert (await face.get_profile(access_token=back)).data.user_id == user.id


async def test_the_public_account_itself_cannot_switch(face: Any, emulator: Emulator, user: User, press: User) -> None:
    token = emulator.issue_tokens(press)["access_token"]
    assert await listed(face, token) == {"publicAccounts": []}
    with pytest.raises(ForbiddenError):
        await switched(face, user, token)


async def test_a_switch_needs_permission(face: Any, emulator: Emulator, own: str, user: User, press: User) -> None:
    stranger = emulator.add_user(username="stranger")
    with pytest.raises(ForbiddenError):
        await switched(face, stranger, own)
    with pytest.raises(ForbiddenError):
        await switched(face, user, own)  # that is who they are
    there = (await switched(face, press, own)).access_token
    with pytest.raises(ForbiddenError):
        await switched(face, stranger, there)


async def test_a_permission_can_be_taken_back(face: Any, emulator: Emulator, own: str, user: User, press: User) -> None:
    emulator.public_accounts.forbid(user, press)
    with pytest.raises(ForbiddenError):
        await switched(face, press, own)
    assert await listed(face, own) == {"publicAccounts": []}
    with pytest.raises(LookupError):
        emulator.public_accounts.forbid(user, press)
    with pytest.raises(ValueError, match="another user"):
        emulator.public_accounts.allow(user, user)


async def test_the_scope_is_as_requested_and_locked_accounts_refused(face: Any, own: str, press: User) -> None:
    tokens = await switched(face, press, own, options={"scope": "openid"})
    assert (tokens.scope, tokens.refresh_token) == ("openid", None)
    press.locked = True
    with pytest.raises(AccountLockedError):
        await switched(face, press, own)


async def test_what_the_target_has_to_do_first_is_not_passed_over(client: Any, own: str, press: User) -> None:
    press.mfa_required = press.password_reset_required = True
    with pytest.raises(PasswordResetRequiredError):
        await switched(client, press, own)
    press.password_reset_required = False
    with pytest.raises(MFARequiredError):
        await switched(client, press, own)


async def test_after_the_second_factor_it_is_known_who_has_switched(
    client: Any, emulator: Emulator, own: str, user: User, press: User
) -> None:
    press.mfa_required = True
    emulator.factors.enroll(press, "OTP")
    with pytest.raises(MFARequiredError) as challenge:
        await switched(client, press, own)
    tokens = (await client.complete_mfa_with_totp(challenge.value, emulator.factors.totp_for(press))).data
    answer = await listed(client, tokens.access_token, with_origin_user=True)
    assert answer["originUser"]["userId"] == user.id
    emulator.remove_user(user)
    with pytest.raises(NotSignedInError):
        await client.get_profile(access_token=tokens.access_token)


async def test_removing_the_user_ends_the_mfa_token_of_a_switch(
    client: Any, emulator: Emulator, own: str, user: User, press: User
) -> None:
    press.mfa_required = True
    with pytest.raises(MFARequiredError) as challenge:
        await switched(client, press, own)
    emulator.remove_user(user)
    assert not (await client.verify_mfa_token(challenge.value.mfa_token)).active


async def test_after_a_switch_back_a_password_change_keeps_the_session(
    client: Any, emulator: Emulator, own: str, user: User, press: User
) -> None:
    there = (await switched(client, press, own)).access_token
    back = (await switched(client, user, there)).access_token
    await client.update_password("brand-new-pw", "passw0rd", access_token=back)
    assert (await client.get_profile(access_token=back)).data.user_id == user.id
    assert emulator.grants.alive == 1


def test_who_is_removed_while_they_switch_gets_nothing(emulator: Emulator, user: User, press: User) -> None:
    grant = emulator.grants.find_by_token(emulator.issue_tokens(press)["access_token"])
    assert grant is not None
    emulator.remove_user(user)
    assert not grant.revoked
    emulator.public_accounts.note(grant, user)
    assert grant.revoked
