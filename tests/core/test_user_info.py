"""Answers of the userinfo endpoint, with expected and unexpected types."""

from __future__ import annotations

from typing import Any

import pytest

from genauth_async import InvalidResponseError
from genauth_async.emulator import Emulator

pytestmark = pytest.mark.anyio


async def test_a_claim_of_another_type_is_none_and_kept_as_it_came(face: Any, emulator: Emulator) -> None:
    said = {"sub": "u", "email_verified": "true", "locale": ["de"], "name": 7, "hobby": {"a": 1}}
    emulator.faults.add("/oidc/me", status=200, body=said)
    user = await face.get_user_info_by_access_token("a-token")
    assert (user.sub, user.email_verified, user.locale, user.name) == ("u", None, None, "7")
    assert user.extra == {"email_verified": "true", "locale": ["de"], "hobby": {"a": 1}}
    assert user["email_verified"] == "true"


@pytest.mark.parametrize("said", [{"name": "Ada"}, {"sub": ["u"]}, {"sub": None, "email": {}}])
async def test_without_the_users_id_nothing_is_believed(face: Any, emulator: Emulator, said: dict[str, Any]) -> None:
    emulator.faults.add("/oidc/me", status=200, body=said)
    with pytest.raises(InvalidResponseError, match="sub"):
        await face.get_user_info_by_access_token("a-token")


async def test_what_is_no_object_inside_its_frame_is_refused(face: Any, emulator: Emulator) -> None:
    emulator.faults.add("/oidc/me", status=200, body={"statusCode": 200, "data": ["u"]})
    with pytest.raises(InvalidResponseError, match="expected an object"):
        await face.get_user_info_by_access_token("a-token")
