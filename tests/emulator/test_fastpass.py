from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genauth_async import (
    AccountLockedError,
    AuthenticationClient,
    InvalidArgumentError,
    InvalidOperationError,
    MFARequiredError,
    NotFoundError,
    NotSignedInError,
    PasswordResetRequiredError,
)
from genauth_async.emulator import Emulator, User

pytestmark = pytest.mark.anyio


@pytest.fixture
def browser(emulator: Emulator, user: User) -> str:
    """The access token of Ada's browser."""
    return emulator.issue_tokens(user)["access_token"]


async def new_code(client: AuthenticationClient, browser: str, **arguments: Any) -> str:
    data = (await client.gene_fastpass_qrcode_info(**arguments, access_token=browser)).data
    assert data is not None
    return data.qrcode_id


async def test_who_scans_is_signed_in_as_who_shows(face: Any, emulator: Emulator, browser: str, user: User) -> None:
    info = (await face.gene_fastpass_qrcode_info(access_token=browser)).data
    assert (info.user.id, info.user.display_name) == (user.id, "Ada")
    assert (info.app_id, info.api_host) == (emulator.app_id, emulator.url)
    assert (await face.get_qr_code_status(info.qrcode_id)).data.to_dict() == {"status": "PENDING"}

    apps = (await face.get_fastpass_params(info.qrcode_id, info.app_id)).data.relation_apps
    assert [app.id for app in apps] == [emulator.app_id]
    scanned = (await face.get_qr_code_status(info.qrcode_id)).data
    assert (scanned.status, scanned.brief_user_info.display_name) == ("SCANNED", "Ada")

    tokens = (await face.qr_code_app_login("APP_LOGIN", info.qrcode_id)).data
    assert tokens.access_token != browser
    assert (await face.get_profile(access_token=tokens.access_token)).data.user_id == user.id
    done = (await face.get_qr_code_status(info.qrcode_id)).data
    assert (done.status, done.ticket, done.token_set) == ("AUTHORIZED", None, None)


async def test_a_code_is_good_once(client: AuthenticationClient, emulator: Emulator, browser: str) -> None:
    qrcode_id = await new_code(client, browser)
    await client.qr_code_app_login("APP_LOGIN", qrcode_id)
    with pytest.raises(InvalidOperationError):
        await client.qr_code_app_login("APP_LOGIN", qrcode_id)
    with pytest.raises(InvalidOperationError):
        await client.get_fastpass_params(qrcode_id, emulator.app_id)
    assert len(emulator.grants) == 2


async def test_a_code_expires(client: AuthenticationClient, emulator: Emulator, browser: str) -> None:
    qrcode_id = await new_code(client, browser)
    emulator.clock.advance(120)
    assert (await client.get_qr_code_status(qrcode_id)).data.to_dict() == {"status": "EXPIRED"}
    with pytest.raises(InvalidOperationError):
        await client.qr_code_app_login("APP_LOGIN", qrcode_id)


async def test_a_code_dies_with_the_session_that_shows_it(
    client: AuthenticationClient, emulator: Emulator, browser: str
) -> None:
    qrcode_id = await new_code(client, browser)
    emulator.revoke_grant(browser)
    with pytest.raises(InvalidOperationError):
        await client.qr_code_app_login("APP_LOGIN", qrcode_id)
    with pytest.raises(NotSignedInError):
        await new_code(client, browser)
    assert len(emulator.grants) == 1


async def test_a_locked_user_gets_no_tokens(
    client: AuthenticationClient, emulator: Emulator, browser: str, user: User
) -> None:
    qrcode_id = await new_code(client, browser)
    user.locked = True
    with pytest.raises(AccountLockedError):
        await client.qr_code_app_login("APP_LOGIN", qrcode_id)
    assert len(emulator.grants) == 1


async def test_options_decide_the_scope_and_the_custom_data(
    client: AuthenticationClient, browser: str, user: User
) -> None:
    qrcode_id = await new_code(client, browser, options={"scope": "openid", "customData": {"school": "pku"}})
    assert user.custom_data == {}
    tokens = (await client.qr_code_app_login("APP_LOGIN", qrcode_id)).data
    assert (tokens.scope, tokens.refresh_token) == ("openid", None)
    assert user.custom_data == {"school": "pku"}


async def test_tokens_are_for_the_application_that_scanned(
    client: AuthenticationClient, emulator: Emulator, browser: str, make_client: Callable[..., AuthenticationClient]
) -> None:
    other = emulator.add_app()
    phone = make_client(app_id=other.app_id, app_secret=other.app_secret)
    qrcode_id = await new_code(client, browser)
    tokens = (await phone.qr_code_app_login("APP_LOGIN", qrcode_id)).data
    grant = emulator.grants.find_by_token(tokens.access_token or "")
    assert grant is not None
    assert grant.app_id == other.app_id


async def test_codes_are_found_by_both_ids_only(client: AuthenticationClient, emulator: Emulator, browser: str) -> None:
    qrcode_id = await new_code(client, browser)
    login_code = (await client.gene_qr_code("MOBILE_APP")).data.qrcode_id
    for wrong_id, app_id in ((qrcode_id, "unknown"), ("unknown", emulator.app_id), (login_code, emulator.app_id)):
        with pytest.raises(NotFoundError):
            await client.get_fastpass_params(wrong_id, app_id)
    assert (await client.get_qr_code_status(qrcode_id)).data.status == "PENDING"
    with pytest.raises(NotFoundError):
        await client.qr_code_app_login("APP_LOGIN", login_code)


async def test_no_scope_is_wider_than_that_of_who_shows_the_code(
    client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    narrow = emulator.issue_tokens(user, scope="openid profile")["access_token"]
    tokens = (await client.qr_code_app_login("APP_LOGIN", await new_code(client, narrow))).data
    assert (tokens.scope, tokens.refresh_token) == ("openid profile", None)
    for scope in ("openid offline_access", "email"):
        with pytest.raises(InvalidArgumentError, match="scope"):
            await new_code(client, narrow, options={"scope": scope})
    tokens = (
        await client.qr_code_app_login("APP_LOGIN", await new_code(client, narrow, options={"scope": "profile"}))
    ).data
    assert tokens.scope == "profile"


async def test_what_the_user_has_to_do_first_is_not_passed_over(
    client: AuthenticationClient, emulator: Emulator, browser: str, user: User
) -> None:
    user.mfa_required = user.password_reset_required = True
    with pytest.raises(PasswordResetRequiredError):
        await client.qr_code_app_login("APP_LOGIN", await new_code(client, browser))
    user.password_reset_required = False
    with pytest.raises(MFARequiredError):
        await client.qr_code_app_login("APP_LOGIN", await new_code(client, browser))
    assert len(emulator.grants) == 1


async def test_only_the_application_of_a_code_can_read_its_status(
    client: AuthenticationClient, emulator: Emulator, browser: str, make_client: Callable[..., AuthenticationClient]
) -> None:
    qrcode_id = await new_code(client, browser)
    other = emulator.add_app()
    elsewhere = make_client(app_id=other.app_id, app_secret=other.app_secret)
    with pytest.raises(NotFoundError):
        await elsewhere.get_qr_code_status(qrcode_id)
    assert (await client.get_qr_code_status(qrcode_id)).data.status == "PENDING"
