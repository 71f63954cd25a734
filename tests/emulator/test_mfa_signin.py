"""Finishes sign-ins with the second factor."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey
from pyotp.totp import TOTP

from genauth_async import MFARequiredError
from genauth_async.emulator import Emulator, Factor, User
from genauth_async.errors import (
    AccountLockedError,
    GenAuthAPIError,
    InvalidPassCodeError,
    NotSignedInError,
    PasswordResetRequiredError,
    TOTPError,
)
from tests.emulator.emulator_types import Json, SignIn

pytestmark = pytest.mark.anyio

ADDRESSES = {"SMS": "13800000000", "EMAIL": "ada@example.com"}
TOTP_PATHS = ["/api/v2/mfa/totp/verify", "/api/v2/applications/mfa/totp/verify"]
RECOVERY_PATHS = ["/api/v2/mfa/totp/recovery", "/api/v2/applications/mfa/totp/recovery"]
SMS_PATH = "/api/v2/applications/mfa/sms/verify"
EMAIL_PATH = "/api/v2/applications/mfa/email/verify"


@pytest.fixture(autouse=True)
def _needs_a_second_factor(user: User) -> None:
    user.mfa_required = True


async def required(face: Any, **options: object) -> MFARequiredError:
    with pytest.raises(MFARequiredError) as caught:
        await face.sign_in_by_username_password("ada", "passw0rd", options)
    return caught.value


async def send(face: Any, kind: str, address: str) -> None:
    if kind == "SMS":
        await face.send_sms("CHANNEL_VERIFY_MFA", address)
    else:
        await face.send_email("CHANNEL_VERIFY_MFA", address)


async def complete(face: Any, kind: str, challenge: object, address: str, code: str) -> Any:
    if kind == "SMS":
        return await face.complete_mfa_with_phone_code(challenge, address, code)
    return await face.complete_mfa_with_email_code(challenge, address, code)


async def is_signed_in(face: Any, answer: Any, user: User) -> bool:
    profile = await face.get_profile(access_token=answer.data.access_token)
    return bool(profile.data.user_id == user.id)


async def test_by_the_one_time_password_of_an_app(face: Any, emulator: Emulator, user: User) -> None:
    app = TOTP(emulator.factors.enroll(user, "OTP").secret or "")
    challenge = await required(face)
    assert challenge.api_code == 1636
    assert challenge.factors == ("OTP", "SMS", "EMAIL")  # the application's
    code = app.at(int(emulator.clock.now()))
    answer = await face.complete_mfa_with_totp(challenge, code)
    assert await is_signed_in(face, answer, user)
    assert answer.data.refresh_token
    assert emulator.grants.alive == 1
    with pytest.raises(NotSignedInError):  # the mfa_token is used up
        await face.complete_mfa_with_totp(challenge, emulator.factors.totp_for(user))
    with pytest.raises(TOTPError):  # and so is the code
        await face.complete_mfa_with_totp(await required(face), code)
    assert emulator.grants.alive == 1


async def test_by_the_recovery_code_once(face: Any, emulator: Emulator, user: User) -> None:
    factor = emulator.factors.enroll(user, "OTP")
    first = factor.recovery_code
    assert await is_signed_in(face, await face.complete_mfa_with_recovery_code(await required(face), first), user)
    challenge = await required(face)
    with pytest.raises(TOTPError):
        await face.complete_mfa_with_recovery_code(challenge, first)
    assert factor.recovery_code != first
    answer = await face.complete_mfa_with_recovery_code(challenge, factor.recovery_code)
    assert await is_signed_in(face, answer, user)


@pytest.mark.parametrize("is_enrolled", [True, False])
@pytest.mark.parametrize("kind", ADDRESSES)
async def test_by_a_pass_code(face: Any, emulator: Emulator, user: User, kind: Any, is_enrolled: bool) -> None:
    if is_enrolled:
        emulator.factors.enroll(user, kind)
    challenge = await required(face)
    address = ADDRESSES[kind]
    await send(face, kind, address)
    code = emulator.inbox.code_for(address, channel="CHANNEL_VERIFY_MFA")
    assert await is_signed_in(face, await complete(face, kind, challenge.mfa_token, address, code), user)
    with pytest.raises(InvalidPassCodeError):
        await complete(face, kind, await required(face), address, code)


@pytest.mark.parametrize("kind", ADDRESSES)
async def test_a_pass_code_that_went_elsewhere_proves_nothing(
    client: Any, emulator: Emulator, user: User, kind: Any
) -> None:
    emulator.factors.enroll(user, kind)
    elsewhere = {"SMS": "13999999999", "EMAIL": "mallory@example.com"}[kind]
    challenge = await required(client)
    await send(client, kind, elsewhere)
    with pytest.raises(GenAuthAPIError, match="not the user's factor"):
        await complete(client, kind, challenge, elsewhere, emulator.inbox.code_for(elsewhere))
    assert len(emulator.grants) == 0


@pytest.mark.parametrize("kind", ADDRESSES)
async def test_an_address_for_a_factor_that_is_switched_off_is_none(
    client: Any, emulator: Emulator, user: User, kind: str
) -> None:
    emulator.factors.offered = ("OTP",)
    emulator.factors.enroll(user, "OTP")
    challenge = await required(client)
    await send(client, kind, ADDRESSES[kind])
    with pytest.raises(GenAuthAPIError, match="not the user's factor"):
        await complete(client, kind, challenge, ADDRESSES[kind], emulator.inbox.code_for(ADDRESSES[kind]))
    assert len(emulator.grants) == 0


async def test_a_pass_code_for_something_else_is_wrong(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "EMAIL")
    await client.send_email("CHANNEL_LOGIN", "ada@example.com")
    code = emulator.inbox.code_for("ada@example.com")
    with pytest.raises(InvalidPassCodeError):
        await client.complete_mfa_with_email_code(await required(client), "ada@example.com", code)


async def test_the_country_code_counts_where_it_is_given(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "SMS")
    challenge = await required(client)
    await client.send_sms("CHANNEL_VERIFY_MFA", "13800000000")
    code = emulator.inbox.code_for("13800000000")
    with pytest.raises(GenAuthAPIError, match="country code"):
        await client.complete_mfa_with_phone_code(challenge, "13800000000", code, "+49")
    answer = await client.complete_mfa_with_phone_code(challenge, "13800000000", code, "+86")
    assert await is_signed_in(client, answer, user)


async def test_five_wrong_codes_end_the_sign_in(client: Any, emulator: Emulator, user: User) -> None:
    factor = emulator.factors.enroll(user, "OTP")
    emulator.factors.enroll(user, "EMAIL")
    challenge = await required(client)
    wrong = [
        client.complete_mfa_with_totp(challenge, "wrong"),
        client.complete_mfa_with_recovery_code(challenge, "wrong"),
        client.complete_mfa_with_email_code(challenge, "ada@example.com", "wrong"),
        client.complete_mfa_with_email_code(challenge, "mallory@example.com", "wrong"),
        client.complete_mfa_with_phone_code(challenge, "13800000000", "wrong"),
    ]
    for call in wrong:
        assert (await client.verify_mfa_token(challenge.mfa_token)).active
        with pytest.raises(GenAuthAPIError):
            await call
    assert not (await client.verify_mfa_token(challenge.mfa_token)).active
    with pytest.raises(NotSignedInError):
        await client.complete_mfa_with_totp(challenge, emulator.factors.totp_for(user))
    with pytest.raises(NotSignedInError):
        await client.complete_mfa_with_recovery_code(challenge, factor.recovery_code)


async def test_four_wrong_codes_do_not(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "OTP")
    challenge = await required(client)
    for _ in range(4):
        with pytest.raises(TOTPError):
            await client.complete_mfa_with_totp(challenge, "wrong")
    answer = await client.complete_mfa_with_totp(challenge, emulator.factors.totp_for(user))
    assert await is_signed_in(client, answer, user)


async def test_an_mfa_token_is_good_for_six_minutes(face: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "OTP")
    challenge = await required(face)
    verified = await face.verify_mfa_token(challenge.mfa_token)
    assert (verified.active, verified.user_id, verified.exp - verified.iat) == (True, user.id, 360)
    assert verified.user_pool_id == emulator._state.user_pool_id
    emulator.clock.advance(360)
    assert not (await face.verify_mfa_token(challenge.mfa_token)).active
    with pytest.raises(NotSignedInError):
        await face.complete_mfa_with_totp(challenge, emulator.factors.totp_for(user))


async def test_an_mfa_token_is_for_one_application(
    make_client: Any, client: Any, emulator: Emulator, user: User
) -> None:
    emulator.factors.enroll(user, "OTP")
    challenge = await required(client)
    other = emulator.add_app()
    stranger = make_client(app_id=other.app_id, app_secret=other.app_secret)
    assert not (await stranger.verify_mfa_token(challenge.mfa_token)).active
    with pytest.raises(NotSignedInError):
        await stranger.complete_mfa_with_totp(challenge, emulator.factors.totp_for(user))
    assert (await client.verify_mfa_token(challenge.mfa_token)).active


async def test_a_user_who_is_locked_meanwhile_stays_out(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "OTP")
    challenge = await required(client)
    emulator.lock_user(user)
    with pytest.raises(AccountLockedError):
        await client.complete_mfa_with_totp(challenge, emulator.factors.totp_for(user))
    assert len(emulator.grants) == 0


async def test_the_scope_is_what_the_sign_in_asked_for(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "OTP")
    challenge = await required(client, scope="openid")
    answer = await client.complete_mfa_with_totp(challenge, emulator.factors.totp_for(user))
    assert answer.data.scope == "openid"
    assert answer.data.refresh_token is None


async def test_a_user_without_the_factor_is_told(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "EMAIL")
    challenge = await required(client)
    with pytest.raises(TOTPError, match="not enrolled"):
        await client.complete_mfa_with_totp(challenge, "123456")


async def test_an_enrolled_address_stands_for_the_bound_one(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.add(Factor(user_id=user.id, type="EMAIL", address="second@example.com"))
    challenge = await required(client)
    for address in ("ada@example.com", "second@example.com"):
        await send(client, "EMAIL", address)
    codes = [emulator.inbox.code_for(to) for to in ("ada@example.com", "second@example.com")]
    with pytest.raises(GenAuthAPIError, match="not the user's factor"):
        await client.complete_mfa_with_email_code(challenge, "ada@example.com", codes[0])
    answer = await client.complete_mfa_with_email_code(challenge, "second@example.com", codes[1])
    assert await is_signed_in(client, answer, user)


NOTHING = {
    "nickname": None,
    "email": None,
    "phone": None,
    "phoneCountryCode": None,
    "username": "aaa",
    "avatar": None,
    "mfaPhone": None,
    "mfaEmail": None,
    "mfaPhoneCountryCode": None,
    "faceMfaEnabled": False,
    "totpMfaEnabled": False,
    "applicationMfa": [
        {"mfaPolicy": kind, "status": 1, "sort": sort} for sort, kind in enumerate(("OTP", "SMS", "EMAIL"))
    ],
    "passwordStrength": 0,
}


def test_the_refusal_has_every_member_of_the_published_one(emulator: Emulator, sign_in: SignIn) -> None:
    def refusal() -> Json:
        answer = sign_in(passwordPayload={"account": "aaa", "password": "passw0rd"})
        assert (answer["statusCode"], answer["apiCode"]) == (403, 1636)
        data: Json = answer["data"]
        assert data.pop("mfaToken")
        return data

    user = emulator.add_user(username="aaa", password="passw0rd")
    user.mfa_required = True
    assert refusal() == NOTHING
    emulator.factors.offered = ("EMAIL", "OTP")
    offered = [{"mfaPolicy": kind, "status": 1, "sort": sort} for sort, kind in enumerate(("EMAIL", "OTP"))]
    assert refusal() == NOTHING | {"applicationMfa": offered}
    emulator.factors.enroll(user, "OTP")
    factor = Factor(user_id=user.id, type="SMS", address="13911112222", phone_country_code="+49")
    emulator.factors.add(factor)
    enrolled = {"totpMfaEnabled": True, "mfaPhone": "13911112222", "mfaPhoneCountryCode": "+49"}
    assert refusal() == NOTHING | {"applicationMfa": offered} | enrolled


def test_what_is_bound_is_in_the_refusal_too(user: User, sign_in: SignIn) -> None:
    user.nickname, user.profile = "Countess", {"photo": "https://example.com/ada.png"}
    data = sign_in()["data"]
    assert data.pop("mfaToken")
    assert data == NOTHING | {
        "username": "ada",
        "nickname": "Countess",
        "avatar": "https://example.com/ada.png",
        "email": "ada@example.com",
        "phone": "13800000000",
        "phoneCountryCode": "+86",
    }


def test_an_mfa_token_is_a_jwt(emulator: Emulator, user: User, sign_in: SignIn) -> None:
    tokens = [sign_in()["data"]["mfaToken"] for _ in range(5)]
    assert len(set(tokens)) == 5
    read = jws.extract_compact(tokens[0].encode())
    assert read.headers() == {"alg": "HS256", "typ": "JWT"}
    claims = json.loads(read.payload)
    pool = emulator._state.user_pool_id
    arn = f"arn:cn:authing:{pool}:user:{user.id}"
    assert claims == {
        "data": {"userPoolId": pool, "userId": user.id, "arn": arn, "stage": 1},
        "iat": claims["iat"],
        "exp": claims["iat"] + 360,
    }
    assert abs(claims["iat"] - emulator.clock.now()) < 60


async def test_signin_can_ignore_second_factors(make_client: Any) -> None:
    with Emulator(mfa_at_signin="ignore") as emulator:
        client = make_client(emulator.url, app_id=emulator.app_id, app_secret=emulator.app_secret)
        user = emulator.add_user(username="ada", email="ada@example.com", password="passw0rd")
        user.mfa_required = True
        by_password = await client.sign_in_by_username_password("ada", "passw0rd")
        await client.send_email("CHANNEL_LOGIN", "ada@example.com")
        by_code = await client.sign_in_by_email_passcode("ada@example.com", emulator.inbox.code_for("ada@example.com"))
        for answer in (by_password, by_code):
            assert await is_signed_in(client, answer, user)
            assert (await client.get_new_access_token_by_refresh_token(answer.data.refresh_token)).access_token
        emulator.add_social_code("github", "code", user)
        with pytest.raises(MFARequiredError):
            await client.sign_in_by_mobile(
                connection="github", ext_idp_connidentifier="x", github_payload={"code": "code"}
            )


class TestOlderEnvelope:
    """The answer on the wire."""

    @pytest.fixture
    def post(self, http: httpx.Client, sign_in: SignIn) -> Any:
        token = sign_in()["data"]["mfaToken"]

        def post(path: str, body: object, authorization: str = f"Bearer {token}") -> Json:
            response = http.post(path, json=body, headers={"authorization": authorization})
            assert response.status_code == 200
            answer: Json = response.json()
            return answer

        return post

    @pytest.mark.parametrize("path", TOTP_PATHS)
    def test_totp(self, emulator: Emulator, user: User, post: Any, path: str) -> None:
        emulator.factors.enroll(user, "OTP")
        answer = post(path, {"totp": emulator.factors.totp_for(user)})
        assert (answer["code"], answer["message"]) == (200, "二次验证成功")
        data = answer["data"]
        assert data["userId"] == data["id"] == user.id
        assert data["email"] == "ada@example.com"
        assert data["userPoolId"] == emulator._state.user_pool_id
        token = jwt.decode(data["token"], OctKey.import_key(emulator.app_secret), algorithms=["HS256"])
        lifetime = token.claims["exp"] - token.claims["iat"]
        assert (token.claims["sub"], lifetime) == (user.id, 15 * 24 * 3600)
        assert datetime.fromisoformat(data["tokenExpiredAt"]).timestamp() == token.claims["exp"]
        assert {"access_token", "refresh_token", "token_type", "expires_in", "scope"} <= set(data)

    @pytest.mark.parametrize("path", RECOVERY_PATHS)
    def test_recovery(self, emulator: Emulator, user: User, post: Any, path: str) -> None:
        factor = emulator.factors.enroll(user, "OTP")
        answer = post(path, {"recoveryCode": factor.recovery_code})
        assert answer["code"] == 200
        assert answer["recoveryCode"] == factor.recovery_code

    @pytest.mark.parametrize(
        ("path", "body", "code"),
        [
            (TOTP_PATHS[0], {"totp": "wrong"}, 6001),
            (RECOVERY_PATHS[0], {"recoveryCode": "wrong"}, 6002),
            (SMS_PATH, {"phone": "13800000000", "code": "wrong"}, 2001),
            (EMAIL_PATH, {"email": "ada@example.com", "code": "wrong"}, 2001),
            (TOTP_PATHS[0], {}, 6003),
            (TOTP_PATHS[0], {"totp": 123456}, 400),
            (TOTP_PATHS[0], [], 400),
            (RECOVERY_PATHS[0], {}, 6004),
            (SMS_PATH, {"phone": "13800000000"}, 400),
            (EMAIL_PATH, {"code": "123456"}, 400),
        ],
    )
    def test_refusals(self, emulator: Emulator, user: User, post: Any, path: str, body: object, code: int) -> None:
        for kind in ("OTP", "SMS", "EMAIL"):
            emulator.factors.enroll(user, kind)
        answer = post(path, body)
        assert set(answer) == {"code", "message", "data"}
        assert (answer["code"], answer["data"]) == (code, None)

    @pytest.mark.parametrize("path", [*TOTP_PATHS, *RECOVERY_PATHS, SMS_PATH, EMAIL_PATH])
    @pytest.mark.parametrize("authorization", ["", "Bearer unknown"])
    def test_without_an_mfa_token(self, post: Any, path: str, authorization: str) -> None:
        assert post(path, {}, authorization)["code"] == 2020

    def test_an_access_token_is_no_mfa_token(self, emulator: Emulator, user: User, post: Any) -> None:
        emulator.factors.enroll(user, "OTP")
        body = {"totp": emulator.factors.totp_for(user)}
        assert post(TOTP_PATHS[0], body, f"Bearer {emulator.issue_tokens(user)['access_token']}")["code"] == 2020


def test_introspection_needs_a_token_in_a_form(http: httpx.Client) -> None:
    path = "/mfa/token/introspection"
    assert http.post(path, data={"token": "unknown"}).json() == {"active": False}
    assert http.post(path, data={"other": "x"}).json()["error"] == "invalid_request"
    assert http.post(path, json={"token": "unknown"}).json()["error"] == "invalid_request"


async def test_a_required_password_reset_ends_the_pending_sign_in(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.enroll(user, "OTP")
    challenge = await required(client)
    user.password_reset_required = True
    with pytest.raises(PasswordResetRequiredError) as caught:
        await client.complete_mfa_with_totp(challenge, emulator.factors.totp_for(user))
    assert caught.value.reset_token
    assert len(emulator.grants) == 0
