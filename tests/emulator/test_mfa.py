"""Enrols, shows and resets second factors."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from pyotp import parse_uri
from pyotp.totp import TOTP

from genauth_async import MFARequiredError
from genauth_async.emulator import Clock, Emulator, User
from genauth_async.errors import (
    ConflictError,
    ForbiddenError,
    GenAuthAPIError,
    InvalidOperationError,
    InvalidPassCodeError,
    NotFoundError,
    NotSignedInError,
    ServerError,
    TOTPError,
)

pytestmark = pytest.mark.anyio

ADDRESSES: dict[str, dict[str, str]] = {
    "SMS": {"phoneNumber": "13911112222", "phoneCountryCode": "+49"},
    "EMAIL": {"email": "Second@example.com"},
}
SHOWN = {
    "SMS": {"phoneNumber": "139****2222", "phoneCountryCode": "+49"},
    "EMAIL": {"email": "S***@example.com"},
}


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


def authenticator_app(begun: Any) -> TOTP:
    app = parse_uri(begun.otp_data.qr_code_uri)
    assert isinstance(app, TOTP)
    return app


async def enrolled(face: Any, token: str) -> list[str]:
    answer = await face.list_enrolled_factors(access_token=token)
    return [factor.factor_type for factor in answer.data]


async def mfa_token(face: Any) -> str:
    with pytest.raises(MFARequiredError) as caught:
        await face.sign_in_by_username_password("ada", "passw0rd")
    assert caught.value.mfa_token is not None
    return caught.value.mfa_token


async def test_one_time_passwords_from_enrolment_to_reset(face: Any, emulator: Emulator, token: str) -> None:
    begun = (await face.send_enroll_factor_request({}, "OTP", access_token=token)).data
    app = authenticator_app(begun)
    assert app.name == "ada@example.com"
    assert await enrolled(face, token) == ["SMS", "EMAIL"]

    code = app.at(int(emulator.clock.now()))
    await face.enroll_factor({"passCode": code}, begun.enrollment_token, "OTP", access_token=token)
    factor, *bound = (await face.list_enrolled_factors(access_token=token)).data
    assert (factor.factor_type, factor.profile) == ("OTP", {})
    assert [each.factor_type for each in bound] == ["SMS", "EMAIL"]
    assert (await face.get_factor(factor.factor_id, access_token=token)).data == factor

    assert not (await face.mfa_otp_verify(code, access_token=token)).data.verified  # it was used for the enrolment
    emulator.clock.advance(30)
    code = app.at(int(emulator.clock.now()))
    assert (await face.mfa_otp_verify(code, access_token=token)).data.verified
    assert not (await face.mfa_otp_verify(code, access_token=token)).data.verified

    await face.reset_factor(factor.factor_id, access_token=token)
    assert await enrolled(face, token) == ["SMS", "EMAIL"]
    with pytest.raises(NotFoundError):
        await face.get_factor(factor.factor_id, access_token=token)
    with pytest.raises(TOTPError):
        await face.mfa_otp_verify(code, access_token=token)


async def test_the_picture_is_the_uri(client: Any, token: str) -> None:
    data = (await client.send_enroll_factor_request({}, "OTP", access_token=token)).data.otp_data
    head, _, encoded = data.qr_code_data_url.partition(",")
    assert head == "data:image/png;base64"
    with Image.open(BytesIO(b64decode(encoded))) as image:
        (read,) = zxingcpp.read_barcodes(image)
    assert read.text == data.qr_code_uri


@pytest.mark.parametrize("kind", ADDRESSES)
async def test_pass_codes_from_enrolment_to_reset(face: Any, emulator: Emulator, token: str, kind: str) -> None:
    profile = ADDRESSES[kind]
    begun = (await face.send_enroll_factor_request(profile, kind, access_token=token)).data
    assert begun.otp_data is None
    address = profile.get("email") or profile["phoneNumber"]
    code = emulator.inbox.code_for(address, channel="CHANNEL_BIND_MFA")
    await face.enroll_factor({"passCode": code}, begun.enrollment_token, kind, access_token=token)
    factor, other = (await face.list_enrolled_factors(access_token=token)).data
    assert (factor.factor_type, factor.profile) == (kind, SHOWN[kind])
    assert {kind, other.factor_type} == {"SMS", "EMAIL"}  # what is enrolled stands for what is bound
    with pytest.raises(ConflictError):
        await face.send_enroll_factor_request(profile, kind, access_token=token)
    await face.reset_factor(factor.factor_id, access_token=token)
    assert await enrolled(face, token) == ["SMS", "EMAIL"]


async def test_what_is_bound_is_a_factor_that_cannot_be_reset(face: Any, user: User, token: str) -> None:
    sms, email = (await face.list_enrolled_factors(access_token=token)).data
    assert (sms.factor_type, sms.profile) == ("SMS", {"phoneNumber": "138****0000", "phoneCountryCode": "+86"})
    assert (email.factor_type, email.profile) == ("EMAIL", {"email": "a***@example.com"})
    for factor in (sms, email):
        assert (await face.get_factor(factor.factor_id, access_token=token)).data == factor
        with pytest.raises(InvalidOperationError, match="unbound"):
            await face.reset_factor(factor.factor_id, access_token=token)
    assert user.email == "ada@example.com"


async def test_what_is_left_to_enrol(face: Any, emulator: Emulator, user: User, token: str) -> None:
    async def left() -> list[str]:
        return [factor.factor_type for factor in (await face.list_factors_to_enroll(access_token=token)).data]

    assert await left() == ["OTP", "SMS", "EMAIL"]
    emulator.factors.enroll(user, "SMS")
    assert await left() == ["OTP", "EMAIL"]


async def test_faces_are_not_modelled(client: Any, token: str) -> None:
    with pytest.raises(ServerError, match="FACE"):
        await client.send_enroll_factor_request({}, "FACE", access_token=token)


@pytest.mark.parametrize(
    ("profile", "kind"),
    [({}, "SMS"), ({}, "EMAIL"), ({"phoneNumber": "+49139"}, "SMS"), ({"email": "nowhere"}, "EMAIL"), ({}, "PIGEON")],
)
async def test_a_wrong_address_begins_nothing(
    client: Any, emulator: Emulator, token: str, profile: dict[str, str], kind: str
) -> None:
    with pytest.raises(GenAuthAPIError) as caught:
        await client.send_enroll_factor_request(profile, kind, access_token=token)
    assert caught.value.status_code == 400
    assert len(emulator.inbox) == 0


@pytest.mark.parametrize(("kind", "error"), [("OTP", TOTPError), ("EMAIL", InvalidPassCodeError)])
async def test_five_wrong_codes_end_an_enrolment(
    client: Any, emulator: Emulator, token: str, kind: str, error: type[Exception]
) -> None:
    begun = (await client.send_enroll_factor_request(ADDRESSES.get(kind, {}), kind, access_token=token)).data
    right = (
        authenticator_app(begun).at(int(emulator.clock.now()))
        if kind == "OTP"
        else emulator.inbox.code_for(ADDRESSES[kind]["email"])
    )
    for _ in range(5):
        with pytest.raises(error):
            await client.enroll_factor({"passCode": "wrong"}, begun.enrollment_token, kind, access_token=token)
    with pytest.raises(GenAuthAPIError, match="enroll-factor token"):
        await client.enroll_factor({"passCode": right}, begun.enrollment_token, kind, access_token=token)
    assert len(emulator.factors) == 0


async def test_an_enrolment_is_for_one_user_one_type_and_a_minute(
    client: Any, emulator: Emulator, user: User, token: str
) -> None:
    begun = (await client.send_enroll_factor_request({}, "OTP", access_token=token)).data
    app = authenticator_app(begun)
    mallory = emulator.add_user(username="mallory")
    others = emulator.issue_tokens(mallory)["access_token"]

    async def enroll(kind: str, access_token: str) -> None:
        code = app.at(int(emulator.clock.now()))
        await client.enroll_factor({"passCode": code}, begun.enrollment_token, kind, access_token=access_token)

    with pytest.raises(GenAuthAPIError, match="another user"):
        await enroll("OTP", others)
    with pytest.raises(GenAuthAPIError, match="another type"):
        await enroll("EMAIL", token)
    emulator.clock.advance(60)
    with pytest.raises(GenAuthAPIError, match="has expired"):
        await enroll("OTP", token)
    assert emulator.factors.of(user) == emulator.factors.of(mallory) == []


async def test_an_enrolment_is_done_once(client: Any, emulator: Emulator, user: User, token: str) -> None:
    begun = (await client.send_enroll_factor_request({}, "OTP", access_token=token)).data
    app = authenticator_app(begun)

    async def enroll() -> None:
        emulator.clock.advance(30)
        code = app.at(int(emulator.clock.now()))
        await client.enroll_factor({"passCode": code}, begun.enrollment_token, "OTP", access_token=token)

    await enroll()
    emulator.factors.remove(user, emulator.factors.of(user)[0].id)
    with pytest.raises(GenAuthAPIError, match="was used"):
        await enroll()
    assert emulator.factors.of(user) == []


async def test_factors_of_others_look_like_none(client: Any, emulator: Emulator, user: User) -> None:
    factor = emulator.factors.enroll(user, "OTP")
    others = emulator.issue_tokens(emulator.add_user(username="mallory"))["access_token"]
    for call in (client.get_factor, client.reset_factor):
        with pytest.raises(NotFoundError):
            await call(factor.id, access_token=others)
    assert await enrolled(client, others) == []
    assert emulator.factors.of(user) == [factor]


async def test_a_first_factor_is_enrolled_within_the_sign_in(face: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.offered = ("OTP",)
    user.mfa_required = True
    waiting = await mfa_token(face)
    begun = (await face.send_enroll_factor_request({}, "OTP", access_token=waiting)).data
    app = authenticator_app(begun)
    code = app.at(int(emulator.clock.now()))
    await face.enroll_factor({"passCode": code}, begun.enrollment_token, "OTP", access_token=waiting)
    emulator.clock.advance(30)
    answer = await face.complete_mfa_with_totp(waiting, app.at(int(emulator.clock.now())))
    assert await enrolled(face, answer.data.access_token) == ["OTP"]


async def test_knowing_the_password_is_not_enough_to_add_a_factor(client: Any, emulator: Emulator, user: User) -> None:
    emulator.factors.offered = ("OTP",)
    user.mfa_required = True
    early = await mfa_token(client)
    begun = (await client.send_enroll_factor_request({}, "OTP", access_token=early)).data
    emulator.factors.enroll(user, "EMAIL")
    code = authenticator_app(begun).at(int(emulator.clock.now()))
    for waiting in (early, await mfa_token(client)):
        with pytest.raises(ForbiddenError):
            await client.send_enroll_factor_request({}, "OTP", access_token=waiting)
        with pytest.raises(ForbiddenError):
            await client.enroll_factor({"passCode": code}, begun.enrollment_token, "OTP", access_token=waiting)
    assert [factor.type for factor in emulator.factors.of(user)] == ["EMAIL"]


async def test_a_bound_address_is_a_factor_already(client: Any, user: User) -> None:
    user.mfa_required = True
    with pytest.raises(ForbiddenError):
        await client.send_enroll_factor_request({}, "OTP", access_token=await mfa_token(client))


async def test_an_mfa_token_opens_nothing_else(client: Any, emulator: Emulator, user: User) -> None:
    user.mfa_required = True
    factor = emulator.factors.enroll(user, "OTP")
    waiting = await mfa_token(client)
    calls = [
        client.get_profile(access_token=waiting),
        client.list_enrolled_factors(access_token=waiting),
        client.reset_factor(factor.id, access_token=waiting),
        client.mfa_otp_verify(emulator.factors.totp_for(user), access_token=waiting),
    ]
    for call in calls:
        with pytest.raises(NotSignedInError):
            await call


@pytest.mark.parametrize("token", ["unknown", "revoked"])
async def test_factors_are_not_enrolled_without_a_sign_in(
    client: Any, emulator: Emulator, user: User, token: str
) -> None:
    if token == "revoked":
        token = emulator.issue_tokens(user)["access_token"]
        emulator.revoke_grant(token)
    with pytest.raises(NotSignedInError):
        await client.send_enroll_factor_request({}, "OTP", access_token=token)


class TestFactors:
    """`emulator.factors`, with which a user's tests drive factors."""

    def test_enrolls_what_the_user_has(self, emulator: Emulator, user: User) -> None:
        otp, sms, email = (emulator.factors.enroll(user, kind) for kind in ("OTP", "SMS", "EMAIL"))
        assert otp.secret is not None
        assert otp.recovery_code is not None
        assert otp.secret not in repr(otp)
        assert otp.recovery_code not in repr(otp)
        assert (sms.address, email.address) == ("13800000000", "ada@example.com")
        assert emulator.factors.of(user) == [otp, sms, email]
        with pytest.raises(ValueError, match="already"):
            emulator.factors.enroll(user, "OTP")

    @pytest.mark.parametrize("kind", ["SMS", "EMAIL"])
    def test_needs_an_address(self, emulator: Emulator, kind: Any) -> None:
        with pytest.raises(ValueError, match="no address"):
            emulator.factors.enroll(emulator.add_user(username="grace"), kind)

    def test_tells_codes_until_those_of_the_time_are_used_up(self) -> None:
        emulator = Emulator(clock=Clock(lambda: 1_000_000_000))
        user = emulator.add_user(username="grace")
        with pytest.raises(LookupError):
            emulator.factors.totp_for(user)
        emulator.factors.enroll(user, "OTP")
        for _ in range(2):  # the current one, and the next within the skew
            assert emulator.factors.accept_totp(user, emulator.factors.totp_for(user))
        with pytest.raises(LookupError, match="advance"):
            emulator.factors.totp_for(user)
        emulator.clock.advance(30)
        assert emulator.factors.accept_totp(user, emulator.factors.totp_for(user))

    @pytest.mark.parametrize(("step", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
    def test_takes_the_codes_of_one_step_around(self, step: int, accepted: bool) -> None:
        now = 1_000_000_000
        emulator = Emulator(clock=Clock(lambda: now))
        user = emulator.add_user(username="grace")
        secret = emulator.factors.enroll(user, "OTP").secret
        assert secret is not None
        assert emulator.factors.accept_totp(user, TOTP(secret).at(now + 30 * step)) is accepted

    def test_does_not_go_back_behind_a_code_that_was_used(self) -> None:
        now = 1_000_000_000
        emulator = Emulator(clock=Clock(lambda: now))
        user = emulator.add_user(username="grace")
        app = TOTP(emulator.factors.enroll(user, "OTP").secret or "")
        assert emulator.factors.accept_totp(user, app.at(now))
        assert not emulator.factors.accept_totp(user, app.at(now - 30))

    @pytest.mark.parametrize("code", ["", "0", "\ud800", "\uff11\uff12\uff13\uff14\uff15\uff16", "000000000000"])
    def test_strange_codes_are_wrong(self, emulator: Emulator, user: User, code: str) -> None:
        emulator.factors.enroll(user, "OTP")
        assert not emulator.factors.accept_totp(user, code)
        assert emulator.factors.accept_recovery_code(user, code) is None
