from __future__ import annotations

from typing import Any

import pytest

from genauth_async import AccountLockedError, ForbiddenError
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


async def test_who_is_the_public_account_itself_gets_to_nobody(
    face: Any, emulator: Emulator, user: User, press: User
) -> None:
    token = emulator.issue_tokens(press)["access_token"]
    assert await listed(face, token) == {"publicAccounts": []}
    with pytest.raises(ForbiddenError):
        await switched(face, user, token)


async def test_nobody_switches_to_whom_they_may_not(
    face: Any, emulator: Emulator, own: str, user: User, press: User
) -> None:
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
    with pytest.raises(ValueError, match="themselves"):
        emulator.public_accounts.allow(user, user)


async def test_the_scope_is_as_asked_for_and_locked_accounts_are_refused(face: Any, own: str, press: User) -> None:
    tokens = await switched(face, press, own, options={"scope": "openid"})
    assert (tokens.scope, tokens.refresh_token) == ("openid", None)
    press.locked = True
    with pytest.raises(AccountLockedError):
        await switched(face, press, own)
