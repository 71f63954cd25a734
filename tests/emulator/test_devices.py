from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from genauth_async import NotFoundError, NotSignedInError
from genauth_async.emulator import Emulator, User
from tests.emulator.emulator_types import Json, SignIn

_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.1 Mobile/15E148 Safari/604.1"
)
_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 "
    "Safari/537.36"
)


@pytest.fixture
def sign_in_with(http: httpx.Client, sign_in: SignIn) -> Callable[[str], str]:
    """Signs in with a User-Agent header, and gives the access token."""

    def sign_in_with(user_agent: str) -> str:
        http.headers["user-agent"] = user_agent
        token: str = sign_in()["data"]["access_token"]
        return token

    return sign_in_with


def _devices(http: httpx.Client, token: str, **query: int) -> list[Json]:
    answer = http.get("/api/v3/mydevices/list", headers={"authorization": token}, params=query).json()
    assert answer["statusCode"] == 200, answer
    devices: list[Json] = answer["data"]
    return devices


@pytest.mark.usefixtures("user")
def test_each_user_agent_is_a_device(
    emulator: Emulator, http: httpx.Client, sign_in_with: Callable[[str], str]
) -> None:
    for user_agent in (_MAC, _IPHONE, "okhttp/4.9.0", _MAC):
        http.headers["x-real-ip"] = f"203.0.113.{emulator.requests['/api/v3/signin']}"
        token = sign_in_with(user_agent)
        emulator.clock.advance(1)
    mac, library, iphone = _devices(http, token)  # the latest first
    assert mac["device"].pop("deviceId")
    assert mac["lastLoginTime"].endswith("Z")
    assert (mac["lastIp"], mac["online"]) == ("203.0.113.3", True)
    assert mac["device"] == {
        "type": "Browser",
        "status": "activated",
        "userAgent": _MAC,
        "name": "Chrome",
        "version": "Mac OS X 10.15",
        "mod": "Mac",
        "os": "Mac OS X",
    }
    assert (iphone["device"]["os"], iphone["device"]["mod"]) == ("iOS", "iPhone")
    assert (library["device"]["type"], library["device"]["name"]) == ("Mobile", "okhttp")
    assert _devices(http, token, limit=2, page=2) == [iphone]


@pytest.mark.anyio
async def test_the_sdk_is_a_device(face: Any, user: User) -> None:
    answer = await face.sign_in_by_account_password("ada", "passw0rd")
    [device] = (await face.list(access_token=answer.data.access_token)).data
    assert device.device.type == "Desktop"
    assert device.online is True
    assert user.logins == 1


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "left"), [("revoke", 1), ("unbind", 0)])
async def test_signing_a_device_out_ends_its_sessions_and_no_others(
    face: Any, emulator: Emulator, user: User, method: str, left: int
) -> None:
    tokens = [(await face.sign_in_by_account_password("ada", "passw0rd")).data for _ in range(2)]
    elsewhere = emulator.issue_tokens(user)["access_token"]
    [device] = (await face.list(access_token=elsewhere)).data
    await getattr(face, method)(device.device.device_id, access_token=elsewhere)
    for issued in tokens:
        with pytest.raises(NotSignedInError):
            await face.get_profile(access_token=issued.access_token)
    remaining = (await face.list(access_token=elsewhere)).data
    assert [each.online for each in remaining] == [False] * left

    await face.sign_in_by_account_password("ada", "passw0rd")
    [again] = (await face.list(access_token=elsewhere)).data
    assert again.online is True
    assert (again.device.device_id == device.device.device_id) is bool(left)


@pytest.mark.anyio
@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("method", ["revoke", "unbind"])
async def test_a_device_can_sign_itself_out(face: Any, method: str) -> None:
    token = (await face.sign_in_by_account_password("ada", "passw0rd")).data.access_token
    [device] = (await face.list(access_token=token)).data
    await getattr(face, method)(device.device.device_id, access_token=token)
    with pytest.raises(NotSignedInError):
        await face.list(access_token=token)


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["revoke", "unbind"])
async def test_the_devices_of_others_are_out_of_reach(face: Any, emulator: Emulator, user: User, method: str) -> None:
    token = (await face.sign_in_by_account_password("ada", "passw0rd")).data.access_token
    [device] = emulator.devices.of(user)
    mallory = emulator.issue_tokens(emulator.add_user(username="mallory"))["access_token"]
    assert (await face.list(access_token=mallory)).data == []
    for device_id in (device.id, "unknown"):
        with pytest.raises(NotFoundError, match="you have no such device"):
            await getattr(face, method)(device_id, access_token=mallory)
    assert (await face.get_profile(access_token=token)).data.user_id == user.id


@pytest.mark.anyio
async def test_tokens_that_a_test_asks_for_come_from_no_device(emulator: Emulator, user: User) -> None:
    transport = httpx.ASGITransport(app=emulator.app)  # answers in the task of the test
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as client:
        await client.get("/api/v3/system")
    emulator.issue_tokens(user)
    assert emulator.devices.of(user) == []
    assert emulator.login_history.of(user) == []
