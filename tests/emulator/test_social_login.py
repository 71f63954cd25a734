from __future__ import annotations

from typing import Any

import pytest

from genauth_async import (
    AccountLockedError,
    InvalidArgumentError,
    InvalidClientError,
    MFARequiredError,
    NotFoundError,
)
from genauth_async.emulator import Emulator, User

pytestmark = pytest.mark.anyio

_NESTED: dict[str, object] = {"encryptedData": "x", "iv": "x", "code": "c0de"}
_PAYLOADS: dict[str, tuple[str, dict[str, object]]] = {
    "wechat": ("wechat_payload", {"code": "c0de"}),
    "linkedin": ("linked_in_payload", {"code": "c0de"}),
    "yidun": ("yidun_payload", {"token": "c0de", "accessToken": "x"}),
    "qq": ("qq_payload", {"access_token": "c0de"}),
    "baidu": ("baidu_payload", {"access_token": "c0de"}),
    "wechat_mini_program_phone": ("wechat_mini_program_phone_payload", _NESTED),
    "wechat_mini_program_code_and_phone": (
        "wechat_mini_program_code_and_phone_payload",
        {"wxLoginInfo": _NESTED, "wxPhoneInfo": {"code": "x"}},
    ),
}


@pytest.mark.parametrize("connection", _PAYLOADS)
async def test_a_registered_code_stands_for_its_user(
    face: Any, emulator: Emulator, user: User, connection: str
) -> None:
    emulator.add_social_code(connection, "c0de", user)
    payload, value = _PAYLOADS[connection]
    answer = await face.sign_in_by_mobile("my-connection", connection, **{payload: value})
    profile = await face.get_profile(access_token=answer.data.access_token)
    assert profile.data.user_id == user.id


@pytest.mark.parametrize(("connection", "times"), [("wechat", 1), ("qq", 2)])
async def test_codes_are_good_once_and_access_tokens_more_often(
    face: Any, emulator: Emulator, user: User, connection: str, times: int
) -> None:
    emulator.add_social_code(connection, "c0de", user)
    payload, value = _PAYLOADS[connection]
    for _ in range(times):
        await face.sign_in_by_mobile("my-connection", connection, **{payload: value})
    assert len(emulator.grants) == times
    if connection == "wechat":
        with pytest.raises(InvalidArgumentError, match="does not know this code"):
            await face.sign_in_by_mobile("my-connection", connection, **{payload: value})


async def test_a_code_is_worth_nothing_to_another_connection(face: Any, emulator: Emulator, user: User) -> None:
    emulator.add_social_code("github", "c0de", user)
    with pytest.raises(InvalidArgumentError):
        await face.sign_in_by_mobile("my-connection", "gitee", gitee_payload={"code": "c0de"})
    with pytest.raises(InvalidArgumentError):
        await face.sign_in_by_mobile("my-connection", "github", github_payload={"code": "other"})
    assert len(emulator.grants) == 0


async def test_locked_and_unfinished_users_are_stopped(face: Any, emulator: Emulator, user: User) -> None:
    emulator.add_social_code("qq", "token", user)
    user.mfa_required = True
    with pytest.raises(MFARequiredError):
        await face.sign_in_by_mobile("my-connection", "qq", qq_payload={"access_token": "token"})
    user.locked = True
    with pytest.raises(AccountLockedError):
        await face.sign_in_by_mobile("my-connection", "qq", qq_payload={"access_token": "token"})
    assert len(emulator.grants) == 0


async def test_the_application_has_to_prove_itself(emulator: Emulator, user: User, make_client: Any) -> None:
    emulator.add_social_code("qq", "token", user)
    forger = make_client(app_secret="wrong")
    with pytest.raises(InvalidClientError):
        await forger.sign_in_by_mobile("my-connection", "qq", qq_payload={"access_token": "token"})


async def test_connections_are_those_of_the_api(emulator: Emulator, user: User) -> None:
    with pytest.raises(ValueError, match="not 'myspace'"):
        emulator.add_social_code("myspace", "c0de", user)


async def test_the_connection_is_looked_at_where_there_are_any(client: Any, emulator: Emulator, user: User) -> None:
    other = emulator.add_app()
    emulator.add_social_code("qq", "c0de", user)
    emulator.ext_idps.add("my-connection", type="qq")
    emulator.ext_idps.add("theirs", type="qq", app_ids=[other.app_id])
    payload = {"access_token": "c0de"}
    for identifier in ("never-configured", "theirs"):
        with pytest.raises(NotFoundError, match="connection"):
            await client.sign_in_by_mobile(identifier, "qq", qq_payload=payload)
    assert await client.sign_in_by_mobile("my-connection", "qq", qq_payload=payload)
