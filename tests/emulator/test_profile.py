from __future__ import annotations

from typing import Any

import httpx
import pytest

from genauth_async import ConflictError, InvalidArgumentError, InvalidCredentialsError, NotSignedInError
from genauth_async.emulator import Emulator, User
from tests.emulator.emulator_types import Json, SignIn


def _profile(http: httpx.Client, authorization: str | None, **query: str) -> Json:
    headers = {} if authorization is None else {"authorization": authorization}
    response = http.get("/api/v3/get-profile", headers=headers, params=query)
    assert response.status_code == 200
    answer: Json = response.json()
    return answer


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer "])
def test_the_signed_in_user(http: httpx.Client, user: User, sign_in: SignIn, prefix: str) -> None:
    answer = _profile(http, prefix + sign_in()["data"]["access_token"])
    assert answer["statusCode"] == 200
    profile = answer["data"]
    assert profile["userId"] == user.id
    assert profile["username"] == "ada"
    assert profile["name"] == "Ada"
    assert profile["email"] == "ada@example.com"
    assert (profile["phone"], profile["phoneCountryCode"]) == ("13800000000", "+86")
    assert profile["loginsCount"] == 1
    assert profile["createdAt"].endswith("Z")
    required = {"createdAt", "updatedAt", "status", "workStatus", "gender", "emailVerified", "phoneVerified"}
    assert required | {"userSourceType"} <= set(profile)
    assert not {"customData", "identities"} & set(profile)


def test_what_is_asked_for(emulator: Emulator, http: httpx.Client) -> None:
    identity = {"identityId": "1", "provider": "github"}
    user = emulator.add_user(username="grace", custom_data={"cat": "Tom"}, identities=[identity])
    token = emulator.issue_tokens(user)["access_token"]
    # "True" is what the vendor's Python SDK makes of a boolean.
    profile = _profile(http, token, withCustomData="true", withIdentities="True")["data"]
    assert profile["customData"] == {"cat": "Tom"}
    assert profile["identities"] == [identity]
    assert "customData" not in _profile(http, token, withCustomData="false")["data"]
    answer = _profile(http, token, withIdentities="perhaps")
    assert answer["statusCode"] == 400
    assert "withIdentities" in answer["message"]


def test_the_scope_opens_the_fields(emulator: Emulator, http: httpx.Client) -> None:
    user = emulator.add_user(
        username="grace",
        email="grace@example.com",
        phone="13900000000",
        name="Grace",
        profile={"givenName": "Grace", "gender": "F", "city": "Arlington", "company": "Navy"},
    )

    def fields(scope: str) -> set[str]:
        token = emulator.issue_tokens(user, scope=scope)["access_token"]
        return set(_profile(http, token)["data"])

    always = fields("openid")
    assert fields("email") - always == {"email"}
    assert fields("phone") - always == {"phone", "phoneCountryCode"}
    assert fields("address") - always == {"city"}
    assert fields("username") - always == {"username"}
    assert fields("profile") - always == {"username", "name", "givenName", "company"}


def test_unknown_expired_and_revoked_tokens_are_2020(emulator: Emulator, user: User, http: httpx.Client) -> None:
    expired = emulator.issue_tokens(user)["access_token"]
    emulator.clock.advance(14 * 24 * 3600)
    fresh = emulator.issue_tokens(user)
    revoked = emulator.issue_tokens(user)["access_token"]
    emulator.revoke_grant(revoked)
    for token in (None, "", "Bearer", "Bearer x", "x", "Basic eDp5", expired, revoked, fresh["id_token"]):
        answer = _profile(http, token)
        assert (answer["statusCode"], answer["apiCode"]) == (401, 2020), token
    assert _profile(http, fresh["access_token"])["statusCode"] == 200


def test_the_system_is_bare_or_wrapped(emulator: Emulator, http: httpx.Client) -> None:
    wrapped = http.get("/api/v3/system").json()
    assert wrapped["statusCode"] == 200
    emulator.wrap_system = False
    bare = http.get("/api/v3/system").json()
    assert set(bare) == {"rsa", "sm2", "version", "publicIps"}
    assert set(bare["version"]) == {"server", "console", "login"}
    assert bare["rsa"]["publicKey"].startswith("-----BEGIN PUBLIC KEY-----")
    assert len(bare["sm2"]["publicKey"]) == 130
    assert wrapped["data"] == bare
    assert not Emulator(wrap_system=False).wrap_system
    emulator.rotate_keys()
    renewed = http.get("/api/v3/system").json()
    assert renewed["rsa"] != bare["rsa"]
    assert renewed["sm2"] != bare["sm2"]


def test_users_are_told_apart(emulator: Emulator) -> None:
    emulator.add_user(username="ada", email="ada@example.com")
    with pytest.raises(ValueError, match="email"):
        emulator.add_user(username="other", email="ADA@example.com")
    emulator.add_user(username="other")  # the failure above left nothing behind
    with pytest.raises(ValueError, match="needs a username"):
        emulator.add_user(password="passw0rd")
    with pytest.raises(ValueError, match="given_name"):
        emulator.add_user(username="x", profile={"given_name": "X"})


def test_a_user_hides_the_password(emulator: Emulator) -> None:
    user = emulator.add_user(username="ada", password="passw0rd")
    assert "passw0rd" not in repr(user)
    assert emulator.app_secret not in repr(emulator)
    assert "s3cret" not in repr(emulator.add_app(app_secret="s3cret"))


@pytest.mark.anyio
async def test_what_is_given_changes_and_the_rest_stays(face: Any, emulator: Emulator) -> None:
    user = emulator.add_user(
        username="grace",
        name="Grace",
        profile={"gender": "F", "city": "Arlington"},
        custom_data={"cat": "Tom", "dog": 1},
    )
    token = emulator.issue_tokens(user)["access_token"]
    emulator.clock.advance(1)
    answer = await face.update_profile(
        nickname="G", city="Washington", identity_number="1906", custom_data={"dog": 2}, access_token=token
    )
    profile = (await face.get_profile(with_custom_data=True, access_token=token)).data
    assert answer.data == profile
    assert (profile.name, profile.nickname, profile.gender, profile.city) == ("Grace", "G", "F", "Washington")
    assert profile.identity_number == "1906"
    assert profile.custom_data == {"cat": "Tom", "dog": 2}
    assert profile.updated_at > profile.created_at
    await face.update_profile(gender="U", name="", access_token=token)
    profile = (await face.get_profile(access_token=token)).data
    assert (profile.gender, profile.name, profile.nickname) == ("U", "", "G")


@pytest.mark.anyio
async def test_a_new_username_signs_in_instead_of_the_old_one(face: Any, emulator: Emulator, user: User) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    for _ in range(2):  # the second time it is the user's own
        assert (await face.update_profile(username="ada.l", access_token=token)).data.username == "ada.l"
    assert await face.sign_in_by_username_password("ada.l", "passw0rd")
    with pytest.raises(InvalidCredentialsError):
        await face.sign_in_by_username_password("ada", "passw0rd")
    assert emulator.add_user(username="ada")


@pytest.mark.anyio
@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("username", ["ada", "Ada@example.com", "13800000000"])
async def test_a_taken_username_is_2034_and_changes_nothing(face: Any, emulator: Emulator, username: str) -> None:
    grace = emulator.add_user(username="grace", name="Grace")
    token = emulator.issue_tokens(grace)["access_token"]
    with pytest.raises(ConflictError) as caught:
        await face.update_profile(username=username, name="Eve", access_token=token)
    assert (caught.value.status_code, caught.value.api_code) == (409, 2034)
    assert (grace.username, grace.name) == ("grace", "Grace")


@pytest.mark.anyio
async def test_a_wrong_profile_changes_nothing(
    face: Any, ahttp: httpx.AsyncClient, emulator: Emulator, user: User
) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    wrongs: list[Json] = [{"gender": "W"}, {"custom_data": []}, {"username": ""}]
    for wrong in wrongs:
        with pytest.raises(InvalidArgumentError):
            await face.update_profile(nickname="A", access_token=token, **wrong)
    number = await ahttp.post("/api/v3/update-profile", json={"photo": 7}, headers={"authorization": token})
    assert number.json()["statusCode"] == 400
    with pytest.raises(NotSignedInError):
        await face.update_profile(nickname="A", access_token="stale")
    assert (user.nickname, user.username) == (None, "ada")


@pytest.mark.anyio
async def test_the_security_level_follows_the_account(face: Any, emulator: Emulator) -> None:
    user = emulator.add_user(username="grace")
    token = emulator.issue_tokens(user)["access_token"]

    async def level() -> dict[str, object]:
        answer = await face.get_security_level(access_token=token)
        return dict(answer.to_dict()["data"])

    assert await level() == {
        "passwordSecurityLevel": 0,
        "mfaEnrolled": False,
        "passwordSet": False,
        "emailBinded": False,
        "phoneBinded": False,
        "securityScore": 0,
    }
    levels = []
    for password in ("secrets", "s3crets", "s3cr:ts"):
        user.password = password
        levels.append((await level())["passwordSecurityLevel"])
    assert levels == [1, 2, 3]
    emulator.remove_user(user)
    user = emulator.add_user(email="grace@example.com", phone="13900000000", password="s3cr:ts")
    emulator.factors.enroll(user, "OTP")
    token = emulator.issue_tokens(user)["access_token"]
    assert await level() == {
        "passwordSecurityLevel": 3,
        "mfaEnrolled": True,
        "passwordSet": True,
        "emailBinded": True,
        "phoneBinded": True,
        "securityScore": 100,
    }
