from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any

import httpx
import pytest
import zxingcpp
from PIL import Image

from genauth_async import (
    AccountLockedError,
    AuthenticationClient,
    ForbiddenError,
    InvalidArgumentError,
    InvalidClientError,
    InvalidOperationError,
    MFARequiredError,
    NotFoundError,
    NotSignedInError,
    PasswordResetRequiredError,
    ServerError,
)
from genauth_async.emulator import Emulator, User

pytestmark = pytest.mark.anyio


@pytest.fixture
def phone(emulator: Emulator, user: User) -> str:
    """The access token of the application on Ada's phone."""
    return emulator.issue_tokens(user)["access_token"]


async def new_code(client: Any, **arguments: object) -> str:
    qrcode_id: str = (await client.gene_qr_code("MOBILE_APP", **arguments)).data.qrcode_id
    return qrcode_id


async def status_of(client: Any, qrcode_id: str) -> str:
    status: str = (await client.check_qr_code_status(qrcode_id)).data.status
    return status


async def test_a_browser_signs_in_what_the_phone_confirms(face: Any, phone: str, user: User) -> None:
    code = (await face.gene_qr_code("MOBILE_APP")).data
    pending = (await face.check_qr_code_status(code.qrcode_id)).data
    assert pending.to_dict() == {"status": "PENDING"}

    await face.change_qr_code_status("SCAN", code.qrcode_id, access_token=phone)
    scanned = (await face.check_qr_code_status(code.qrcode_id)).data
    assert scanned.to_dict() == {"status": "SCANNED", "briefUserInfo": {"displayName": "Ada", "photo": ""}}

    await face.change_qr_code_status("CONFIRM", code.qrcode_id, access_token=phone)
    authorized = (await face.check_qr_code_status(code.qrcode_id)).data
    assert authorized.status == "AUTHORIZED"
    assert authorized.token_set is None
    tokens = (await face.exchange_token_set_with_qr_code_ticket(authorized.ticket)).data
    assert tokens.access_token != phone
    profile = (await face.get_profile(access_token=tokens.access_token)).data
    assert profile.user_id == user.id
    assert profile.logins_count == 2


async def test_the_calls_of_the_node_sdk_do_the_same(face: Any, phone: str) -> None:
    qrcode_id = await new_code(face)
    for action, status in (("SCAN", "SCANNED"), ("CONFIRM", "AUTHORIZED")):
        assert (
            await face.set_qr_code_status(action=action, qrcode_id=qrcode_id, access_token=phone)
        ).data.success is True
        assert (await face.get_login_qr_code_status(qrcode_id)).data.status == status


async def test_a_ticket_is_good_once(client: AuthenticationClient, emulator: Emulator, user: User) -> None:
    qrcode_id = await new_code(client)
    emulator.qr_codes.scan(qrcode_id, user)
    emulator.qr_codes.confirm(qrcode_id)
    ticket = (await client.check_qr_code_status(qrcode_id)).data.ticket
    assert ticket is not None
    await client.exchange_token_set_with_qr_code_ticket(ticket)
    with pytest.raises(InvalidArgumentError):
        await client.exchange_token_set_with_qr_code_ticket(ticket)
    with pytest.raises(InvalidArgumentError):
        await client.exchange_token_set_with_qr_code_ticket("made up")


@pytest.mark.parametrize(
    ("steps", "step"),
    [
        ("", "CONFIRM"),
        ("", "CANCEL"),
        ("SCAN", "SCAN"),
        ("SCAN CANCEL", "SCAN"),
        ("SCAN CANCEL", "CONFIRM"),
        ("SCAN CONFIRM", "CONFIRM"),
        ("SCAN CONFIRM", "CANCEL"),
    ],
)
async def test_steps_out_of_order_are_refused(client: AuthenticationClient, phone: str, steps: str, step: str) -> None:
    qrcode_id = await new_code(client)
    for action in steps.split():
        await client.change_qr_code_status(action, qrcode_id, access_token=phone)
    before = (await client.check_qr_code_status(qrcode_id)).data
    with pytest.raises(InvalidOperationError):
        await client.change_qr_code_status(step, qrcode_id, access_token=phone)
    assert (await client.check_qr_code_status(qrcode_id)).data == before


@pytest.mark.parametrize("action", ["SCAN", "CONFIRM", "CANCEL"])
async def test_who_scanned_is_the_only_one_to_decide(
    client: AuthenticationClient, emulator: Emulator, phone: str, action: str
) -> None:
    mallory = emulator.issue_tokens(emulator.add_user(username="mallory"))["access_token"]
    qrcode_id = await new_code(client)
    await client.change_qr_code_status("SCAN", qrcode_id, access_token=phone)
    with pytest.raises(ForbiddenError):
        await client.change_qr_code_status(action, qrcode_id, access_token=mallory)
    assert await status_of(client, qrcode_id) == "SCANNED"


async def test_only_the_signed_in_can_scan(client: AuthenticationClient, emulator: Emulator, phone: str) -> None:
    qrcode_id = await new_code(client)
    emulator.revoke_grant(phone)
    with pytest.raises(NotSignedInError):
        await client.change_qr_code_status("SCAN", qrcode_id, access_token=phone)
    assert await status_of(client, qrcode_id) == "PENDING"


@pytest.mark.parametrize("steps", ["", "SCAN"])
async def test_a_code_expires(client: AuthenticationClient, emulator: Emulator, phone: str, steps: str) -> None:
    qrcode_id = await new_code(client)
    emulator.clock.advance(119)
    for action in steps.split():
        await client.change_qr_code_status(action, qrcode_id, access_token=phone)
    emulator.clock.advance(1)
    assert (await client.check_qr_code_status(qrcode_id)).data.to_dict() == {"status": "EXPIRED"}
    for action in ("SCAN", "CONFIRM", "CANCEL"):
        with pytest.raises(InvalidOperationError):
            await client.change_qr_code_status(action, qrcode_id, access_token=phone)


async def test_a_ticket_outlives_its_code_and_then_expires(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    qrcode_id = await new_code(client)
    emulator.qr_codes.scan(qrcode_id, user)
    emulator.qr_codes.confirm(qrcode_id)
    emulator.clock.advance(299)
    ticket = (await client.check_qr_code_status(qrcode_id)).data.ticket
    assert ticket is not None
    emulator.clock.advance(1)
    assert await status_of(client, qrcode_id) == "EXPIRED"
    with pytest.raises(InvalidArgumentError):
        await client.exchange_token_set_with_qr_code_ticket(ticket)


async def test_a_ticket_is_for_the_application_that_made_the_code(
    client: AuthenticationClient, emulator: Emulator, user: User, make_client: Callable[..., AuthenticationClient]
) -> None:
    other = emulator.add_app()
    thief = make_client(app_id=other.app_id, app_secret=other.app_secret)
    forger = make_client(app_secret="wrong")
    qrcode_id = await new_code(client)
    emulator.qr_codes.scan(qrcode_id, user)
    emulator.qr_codes.confirm(qrcode_id)
    ticket = (await client.check_qr_code_status(qrcode_id)).data.ticket
    assert ticket is not None
    with pytest.raises(ForbiddenError):
        await thief.exchange_token_set_with_qr_code_ticket(ticket)
    with pytest.raises(InvalidClientError):
        await forger.exchange_token_set_with_qr_code_ticket(ticket)
    tokens = (await client.exchange_token_set_with_qr_code_ticket(ticket)).data  # none of them has used it up
    assert (await client.get_profile(access_token=tokens.access_token)).data.user_id == user.id


async def test_the_status_holds_the_tokens_where_that_is_set(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    emulator.qr_codes.tokens_in_status = True
    qrcode_id = await new_code(client)
    emulator.qr_codes.scan(qrcode_id, user)
    emulator.qr_codes.confirm(qrcode_id)
    first, second = [(await client.check_qr_code_status(qrcode_id)).data for _ in range(2)]
    assert first.ticket is None
    assert first.token_set is not None
    assert first.token_set == second.token_set
    assert len(emulator.grants) == 1
    assert (await client.get_profile(access_token=first.token_set.access_token)).data.user_id == user.id


async def test_custom_data_reaches_the_user_who_agrees(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    user.custom_data["cat"] = "Tom"
    refused, agreed = [await new_code(client, custom_data={"school": school}) for school in ("hust", "pku")]
    emulator.qr_codes.scan(refused, user)
    emulator.qr_codes.cancel(refused)
    assert user.custom_data == {"cat": "Tom"}
    emulator.qr_codes.scan(agreed, user)
    emulator.qr_codes.confirm(agreed)
    assert user.custom_data == {"cat": "Tom", "school": "pku"}


async def test_a_user_locked_meanwhile_gets_no_tokens(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    qrcode_id = await new_code(client)
    emulator.qr_codes.scan(qrcode_id, user)
    emulator.qr_codes.confirm(qrcode_id)
    ticket = (await client.check_qr_code_status(qrcode_id)).data.ticket
    assert ticket is not None
    user.locked = True
    with pytest.raises(AccountLockedError):
        await client.exchange_token_set_with_qr_code_ticket(ticket)
    assert len(emulator.grants) == 0


@pytest.mark.parametrize("kind", ["WECHAT_MINIPROGRAM", "WECHAT_OFFICIAL_ACCOUNT"])
async def test_wechat_is_not_modelled(client: AuthenticationClient, kind: str) -> None:
    with pytest.raises(ServerError, match="does not model"):
        await client.gene_qr_code(kind)


async def test_an_unknown_code_is_not_found(client: AuthenticationClient, phone: str) -> None:
    with pytest.raises(NotFoundError):
        await client.check_qr_code_status("unknown")
    with pytest.raises(NotFoundError):
        await client.change_qr_code_status("SCAN", "unknown", access_token=phone)


async def test_strangers_see_neither_address_nor_number(client: AuthenticationClient, emulator: Emulator) -> None:
    shy = emulator.add_user(email="shy@example.com", phone="13911111111")
    qrcode_id = await new_code(client)
    emulator.qr_codes.scan(qrcode_id, shy)
    brief = (await client.check_qr_code_status(qrcode_id)).data.brief_user_info
    assert brief is not None
    assert brief.display_name == shy.id


async def test_the_picture_can_be_scanned(
    client: AuthenticationClient, emulator: Emulator, ahttp: httpx.AsyncClient
) -> None:
    code = (await client.gene_qr_code("MOBILE_APP", custom_data={"school": "hust"})).data
    picture = await ahttp.get(code.url)
    assert picture.headers["content-type"] == "image/png"
    [read] = zxingcpp.read_barcodes(Image.open(BytesIO(picture.content)))
    content = json.loads(read.text)
    assert content["scene"] == "APP_AUTH"
    assert content["random"] == code.qrcode_id
    assert content["customData"] == {"school": "hust"}
    assert content["userPoolId"] == emulator._state.user_pool_id
    created, expires = (datetime.fromisoformat(content[name]) for name in ("createdAt", "expireAt"))
    assert (expires - created).total_seconds() == 120
    assert (await ahttp.get(code.url.replace(code.qrcode_id, "unknown"))).json()["statusCode"] == 404


async def test_the_phone_can_be_played_without_http(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    qrcode_id = await new_code(client)
    with pytest.raises(Exception, match="no user yet"):
        emulator.qr_codes.confirm(qrcode_id)
    seen = [emulator.qr_codes.status(qrcode_id)]
    emulator.qr_codes.scan(qrcode_id, user)
    seen.append(emulator.qr_codes.status(qrcode_id))
    emulator.qr_codes.cancel(qrcode_id, user)
    seen.append(emulator.qr_codes.status(qrcode_id))
    assert seen == ["PENDING", "SCANNED", "CANCELLED"]
    assert len(emulator.qr_codes) == 1
    assert qrcode_id not in repr(emulator.qr_codes.find(qrcode_id))


def test_the_vendors_own_sdk_signs_in(emulator: Emulator, phone: str, user: User) -> None:
    genauth = pytest.importorskip("genauth")
    client = genauth.AuthenticationClient(app_id=emulator.app_id, app_secret=emulator.app_secret, app_host=emulator.url)
    client.set_access_token(phone)
    qrcode_id = client.gene_qr_code(type="MOBILE_APP")["data"]["qrcodeId"]
    assert client.change_qr_code_status(action="SCAN", qrcode_id=qrcode_id)["statusCode"] == 200
    assert client.change_qr_code_status(action="CONFIRM", qrcode_id=qrcode_id)["statusCode"] == 200
    ticket = client.check_qr_code_status(qrcode_id=qrcode_id)["data"]["ticket"]
    answer = client.exchange_token_set_with_qr_code_ticket(
        ticket=ticket, client_id=emulator.app_id, client_secret=emulator.app_secret
    )
    assert client.get_user_info_by_access_token(answer["data"]["access_token"])["sub"] == user.id
    assert client.get_login_history()["data"]["totalCount"] == 1
    assert [device["online"] for device in client.list()["data"]] == [True]


@pytest.mark.parametrize("tokens_in_status", [False, True])
async def test_another_application_learns_nothing(
    client: AuthenticationClient,
    emulator: Emulator,
    user: User,
    make_client: Callable[..., AuthenticationClient],
    tokens_in_status: bool,
) -> None:
    emulator.qr_codes.tokens_in_status = tokens_in_status
    qrcode_id = await new_code(client)
    emulator.qr_codes.scan(qrcode_id, user)
    emulator.qr_codes.confirm(qrcode_id)
    other = emulator.add_app()
    elsewhere = make_client(app_id=other.app_id, app_secret=other.app_secret)
    for check in (elsewhere.check_qr_code_status, elsewhere.get_login_qr_code_status):
        with pytest.raises(NotFoundError):
            await check(qrcode_id)
    assert len(emulator.grants) == 0
    assert await status_of(client, qrcode_id) == "AUTHORIZED"


@pytest.mark.parametrize("tokens_in_status", [False, True])
async def test_what_the_user_has_to_do_first_is_not_passed_over(
    client: AuthenticationClient, emulator: Emulator, user: User, tokens_in_status: bool
) -> None:
    emulator.qr_codes.tokens_in_status = tokens_in_status
    emulator.factors.enroll(user, "OTP")

    async def sign_in() -> object:
        qrcode_id = await new_code(client)
        emulator.qr_codes.scan(qrcode_id, user)
        emulator.qr_codes.confirm(qrcode_id)
        answer = (await client.check_qr_code_status(qrcode_id)).data
        return answer.token_set or await client.exchange_token_set_with_qr_code_ticket(answer.ticket or "")

    user.mfa_required = user.password_reset_required = True
    with pytest.raises(PasswordResetRequiredError):
        await sign_in()
    user.password_reset_required = False
    with pytest.raises(MFARequiredError) as challenge:
        await sign_in()
    assert len(emulator.grants) == 0
    await client.complete_mfa_with_totp(challenge.value, emulator.factors.totp_for(user))
    assert len(emulator.grants) == 1
