from __future__ import annotations

from uuid import UUID

import httpx
import pytest

from genauth_async.emulator import Emulator
from tests.conftest import MakeClient


@pytest.mark.parametrize("path", ["/api/v3/get-captcha-code", "/api/v3/get-profile", "/api/v3/nothing"])
def test_a_request_id_is_a_uuid(http: httpx.Client, path: str) -> None:
    ids = [http.get(path).json()["requestId"] for _ in range(2)]
    assert [str(UUID(each)) for each in ids] == ids
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "操作成功"),
        ({"x-genauth-lang": "zh-CN"}, "操作成功"),
        ({"x-authing-lang": "ja-JP"}, "操作成功"),
        ({"x-genauth-lang": "en-US"}, "Operation successful"),
        ({"x-authing-lang": "EN"}, "Operation successful"),
    ],
)
def test_success_is_told_in_the_language_asked_for(http: httpx.Client, headers: dict[str, str], message: str) -> None:
    assert http.get("/api/v3/get-country-list", headers=headers).json()["message"] == message


@pytest.mark.anyio
async def test_the_sdk_asks_for_its_language(make_client: MakeClient) -> None:
    answers = [await make_client(lang=lang).get_country_list() for lang in (None, "en-US")]
    assert [answer.message for answer in answers] == ["操作成功", "Operation successful"]


def test_an_emulator_has_one_user_pool() -> None:
    pools = {Emulator()._state.user_pool_id for _ in range(2)}
    assert len(pools) == 2
    assert all(len(bytes.fromhex(pool)) == 12 for pool in pools)
