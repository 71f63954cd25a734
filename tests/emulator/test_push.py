from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genauth_async import (
    AccountLockedError,
    AuthenticationClient,
    ForbiddenError,
    InvalidOperationError,
    NotFoundError,
    PasswordResetRequiredError,
    UserNotFoundError,
)
from genauth_async.emulator import Emulator, User

pytestmark = pytest.mark.anyio


@pytest.fixture
def phone(emulator: Emulator, user: User) -> str:
    """The access token of the application on Ada's phone."""
    return emulator.issue_tokens(user)["access_token"]


async def new_push(client: Any, account: str = "ada", **arguments: object) -> str:
    push_code_id: str = (await client.sign_in_by_push(account, **arguments)).data.push_code_id
    return push_code_id


@pytest.mark.parametrize("account", ["ada", "ADA@example.com", "13800000000"])
async def test_the_phone_confirms_and_the_browser_is_signed_in(
    face: Any, emulator: Emulator, phone: str, user: User, account: str
) -> None:
    push = (await face.sign_in_by_push(account)).data
    assert push.expire_time == 120
    assert (await face.check_push_code_status(push.push_code_id)).data.to_dict() == {"status": "PUSHED"}
    assert emulator.pushes.pending(user) == [push.push_code_id]

    await face.change_push_code_status("CONFIRM", push.push_code_id, access_token=phone)
    answer = (await face.check_push_code_status(push.push_code_id)).data
    assert answer.status == "AUTHORIZED"
    profile = (await face.get_profile(access_token=answer.token_set.access_token)).data
    assert profile.user_id == user.id
    assert emulator.pushes.pending(user) == []


async def test_the_call_of_the_node_sdk_does_the_same(face: Any, phone: str) -> None:
    push_code_id = await new_push(face)
    answer = await face.set_push_code_status(action="CANCEL", push_code_id=push_code_id, access_token=phone)
    assert answer.data.success is True
    assert (await face.check_push_code_status(push_code_id)).data.to_dict() == {"status": "CANCELLED"}


@pytest.mark.usefixtures("user")
async def test_asking_twice_gives_the_same_tokens(client: AuthenticationClient, emulator: Emulator) -> None:
    push_code_id = await new_push(client)
    emulator.pushes.confirm(push_code_id)
    first, second = [(await client.check_push_code_status(push_code_id)).data.token_set for _ in range(2)]
    assert first == second
    assert len(emulator.grants) == 1


@pytest.mark.parametrize("action", ["CONFIRM", "CANCEL"])
async def test_other_users_cannot_decide(
    client: AuthenticationClient, emulator: Emulator, user: User, action: str
) -> None:
    mallory = emulator.add_user(username="mallory")
    token = emulator.issue_tokens(mallory)["access_token"]
    push_code_id = await new_push(client)
    with pytest.raises(ForbiddenError):
        await client.change_push_code_status(action, push_code_id, access_token=token)
    with pytest.raises(Exception, match="another user"):
        emulator.pushes.confirm(push_code_id, mallory)
    assert emulator.pushes.pending(user) == [push_code_id]
    assert emulator.pushes.pending(mallory) == []


@pytest.mark.parametrize("decided", ["confirm", "cancel", "expire"])
@pytest.mark.parametrize("action", ["CONFIRM", "CANCEL"])
async def test_what_is_decided_stays_so(
    client: AuthenticationClient, emulator: Emulator, phone: str, decided: str, action: str
) -> None:
    push_code_id = await new_push(client)
    if decided == "expire":
        emulator.clock.advance(120)
    else:
        getattr(emulator.pushes, decided)(push_code_id)
    before = emulator.pushes.status(push_code_id)
    with pytest.raises(InvalidOperationError):
        await client.change_push_code_status(action, push_code_id, access_token=phone)
    assert emulator.pushes.status(push_code_id) == before


@pytest.mark.parametrize("confirmed", [False, True])
async def test_a_push_expires_whether_confirmed_or_not(
    client: AuthenticationClient, emulator: Emulator, user: User, confirmed: bool
) -> None:
    push_code_id = await new_push(client)
    if confirmed:
        emulator.pushes.confirm(push_code_id)
    emulator.clock.advance(120)
    assert (await client.check_push_code_status(push_code_id)).data.to_dict() == {"status": "EXPIRED"}
    assert emulator.pushes.pending(user) == []
    assert len(emulator.grants) == 0


async def test_options_decide_the_scope_and_the_custom_data(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    push_code_id = await new_push(client, options={"scope": "openid", "customData": {"school": "pku"}})
    assert user.custom_data == {}
    emulator.pushes.confirm(push_code_id)
    tokens = (await client.check_push_code_status(push_code_id)).data.token_set
    assert tokens is not None
    assert (tokens.scope, tokens.refresh_token) == ("openid", None)
    assert user.custom_data == {"school": "pku"}


async def test_unknown_and_locked_accounts_are_refused(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    with pytest.raises(UserNotFoundError):
        await new_push(client, "unknown")
    push_code_id = await new_push(client)
    emulator.pushes.confirm(push_code_id)
    user.locked = True
    with pytest.raises(AccountLockedError):
        await new_push(client)
    with pytest.raises(AccountLockedError):  # who was locked after confirming
        await client.check_push_code_status(push_code_id)
    assert len(emulator.grants) == 0


async def test_every_application_may_confirm(
    client: AuthenticationClient,
    emulator: Emulator,
    phone: str,
    make_client: Callable[..., AuthenticationClient],
) -> None:
    other = emulator.add_app()
    push_code_id = await new_push(client)
    answer = await client.get_push_login_relation_apps(emulator.app_id, push_code_id, access_token=phone)
    assert answer.data.app_ids == [emulator.app_id, other.app_id]
    with pytest.raises(NotFoundError):  # the push came from another one
        await client.get_push_login_relation_apps(other.app_id, push_code_id, access_token=phone)
    mallory = emulator.issue_tokens(emulator.add_user(username="mallory"))["access_token"]
    with pytest.raises(NotFoundError):
        await client.get_push_login_relation_apps(emulator.app_id, push_code_id, access_token=mallory)
    elsewhere = make_client(app_id=other.app_id, app_secret=other.app_secret)
    emulator.pushes.confirm(push_code_id)
    with pytest.raises(NotFoundError):  # nor does it give its tokens to any other
        await elsewhere.check_push_code_status(push_code_id)
    assert len(emulator.grants) == 2
    assert (await client.check_push_code_status(push_code_id)).data.token_set is not None


async def test_an_unknown_push_is_not_found(client: AuthenticationClient) -> None:
    with pytest.raises(NotFoundError):
        await client.check_push_code_status("unknown")


async def test_a_push_is_a_second_factor_but_no_new_password(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    user.mfa_required = user.password_reset_required = True
    push_code_id = await new_push(client)
    emulator.pushes.confirm(push_code_id)
    with pytest.raises(PasswordResetRequiredError):
        await client.check_push_code_status(push_code_id)
    user.password_reset_required = False
    assert (await client.check_push_code_status(push_code_id)).data.token_set is not None
