"""Signing in and out through an independent provider's pages, in a real browser."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from anyio import to_thread
from playwright.sync_api import Page

from genauth_async import (
    AuthenticationClient,
    CallbackError,
    InvalidGrantError,
    OAuthError,
    OIDCTokenResponse,
    StateMismatchError,
)
from genauth_async.errors import TokenVerificationError, UnknownKeyError
from tests.browser import Browse
from tests.oidc_provider.conftest import Provider, sign_in
from tests.recording import RecordingServer

pytestmark = [pytest.mark.anyio, pytest.mark.backends("asyncio", "trio"), pytest.mark.slow]

OFFLINE = "openid profile email offline_access"
RESOURCE = "https://items.example"


async def signed_in(face: Any, browse: Browse, user: str, scope: str = OFFLINE) -> OIDCTokenResponse:
    login = face.begin_login(scope=scope)
    callback = await to_thread.run_sync(browse, lambda page: sign_in(page, login.url, user))
    tokens: OIDCTokenResponse = await face.finish_login(callback, login)
    return tokens


def came_back(page: Page, url: str) -> str:
    """Open a URL, and return the address that redirects alone lead to."""
    page.goto(url)
    return page.url


def key_id(token: str) -> object:
    return json.loads(urlsafe_b64decode(token.partition(".")[0] + "=="))["kid"]


async def test_a_user_signs_in(face: Any, browse: Browse) -> None:
    tokens = await signed_in(face, browse, "ada")
    assert tokens.id_token is not None
    claims = await face.verify_id_token(tokens.id_token, access_token=tokens.access_token)
    assert claims.sub == "ada"
    info = await face.get_user_info_by_access_token(tokens.access_token)
    assert (info.sub, info.email, info.preferred_username) == ("ada", "ada@example.com", "ada")


async def test_the_callback_of_another_browser_is_refused(face: Any, browse: Browse) -> None:
    mine, other = face.begin_login(), face.begin_login()
    callback = await to_thread.run_sync(browse, lambda page: sign_in(page, other.url, "ada"))
    with pytest.raises(StateMismatchError):
        await face.finish_login(callback, mine)


async def test_a_code_is_good_once(face: Any, browse: Browse) -> None:
    login = face.begin_login()
    callback = await to_thread.run_sync(browse, lambda page: sign_in(page, login.url, "ada"))
    await face.finish_login(callback, login)
    with pytest.raises(CallbackError):
        await face.finish_login(callback, login)
    (code,) = parse_qs(urlsplit(callback).query)["code"]
    with pytest.raises(InvalidGrantError):
        await face.get_access_token_by_code(code, login.code_verifier)


async def test_a_code_without_its_verifier_is_worth_nothing(face: Any, browse: Browse) -> None:
    login = face.begin_login()
    callback = await to_thread.run_sync(browse, lambda page: sign_in(page, login.url, "ada"))
    (code,) = parse_qs(urlsplit(callback).query)["code"]
    with pytest.raises(InvalidGrantError):
        await face.get_access_token_by_code(code, face.generate_code_challenge())


async def test_a_user_who_refuses_is_told_apart(face: Any, browse: Browse) -> None:
    login = face.begin_login()

    def cancel(page: Page) -> str:
        page.goto(login.url)
        page.get_by_role("link", name="Cancel").click()
        page.wait_for_url("**/callback?*")
        return page.url

    callback = await to_thread.run_sync(browse, cancel)
    with pytest.raises(OAuthError) as caught:
        await face.finish_login(callback, login)
    assert caught.value.error == "access_denied"


async def test_a_refresh_token_is_good_once(face: Any, browse: Browse) -> None:
    tokens = await signed_in(face, browse, "ada")
    assert tokens.refresh_token is not None
    session = face.session(tokens)
    new = await session.refresh()
    assert new.access_token != tokens.access_token
    assert new.refresh_token not in {None, tokens.refresh_token}
    assert (await face.get_user_info_by_access_token(await session.access_token())).sub == "ada"
    with pytest.raises(InvalidGrantError):
        await face.get_new_access_token_by_refresh_token(tokens.refresh_token)


async def test_introspection_and_revocation(face: Any, arguments: dict[str, Any], browse: Browse) -> None:
    tokens = await signed_in(face, browse, "ada")
    assert tokens.refresh_token is not None
    seen = await face.introspect_token(tokens.access_token)
    assert (seen.active, seen.sub, seen.client_id) == (True, "ada", arguments["app_id"])
    await face.session(tokens).logout()
    assert not (await face.introspect_token(tokens.refresh_token)).active
    with pytest.raises(InvalidGrantError):
        await face.get_new_access_token_by_refresh_token(tokens.refresh_token)


async def test_an_access_token_for_an_api_is_verified_offline(face: Any, browse: Browse) -> None:
    login = face.begin_login(scope="openid items:read", extra={"resource": RESOURCE})
    callback = await to_thread.run_sync(browse, lambda page: sign_in(page, login.url, "ada"))
    tokens = await face.finish_login(callback, login)
    claims = await face.verify_access_token(tokens.access_token, audience=RESOURCE, scopes=["items:read"])
    assert claims.sub == "ada"
    with pytest.raises(TokenVerificationError):
        await face.verify_access_token(tokens.access_token, audience="https://other.example")
    with pytest.raises(TokenVerificationError):
        await face.verify_access_token(tokens.access_token, audience=RESOURCE, scopes=["items:write"])


async def test_a_new_key_is_fetched_and_one_that_is_gone_refused(
    face: Any, arguments: dict[str, Any], provider: Provider, browse: Browse
) -> None:
    before = await signed_in(face, browse, "ada")
    provider.rotate_key()
    login = face.begin_login(scope="openid", prompt="none")  # the user's session with the provider has survived
    callback = await to_thread.run_sync(browse, lambda page: came_back(page, login.url))
    after = await face.finish_login(callback, login)
    assert before.id_token is not None
    assert after.id_token is not None
    assert key_id(after.id_token) != key_id(before.id_token)
    # One that has not verified the old token, as another process of the application.
    async with AuthenticationClient(**arguments) as other:
        assert (await other.verify_id_token(after.id_token)).sub == "ada"
        with pytest.raises(UnknownKeyError):
            await other.verify_id_token(before.id_token)


async def test_signing_out_ends_the_session_with_the_provider(face: Any, browse: Browse, app: RecordingServer) -> None:
    tokens = await signed_in(face, browse, "ada")
    silent = face.begin_login(scope="openid", prompt="none")

    # While the session lasts, no page is shown.
    callback = await to_thread.run_sync(browse, lambda page: came_back(page, silent.url))
    assert (await face.finish_login(callback, silent)).id_token is not None

    url = face.build_logout_url(id_token=tokens.id_token, state="the state")

    def sign_out(page: Page) -> str:
        page.goto(url)
        page.get_by_role("button", name="Yes, sign me out").click()
        page.wait_for_url("**/goodbye?*")
        return page.url

    assert await to_thread.run_sync(browse, sign_out) == f"{app.url}/goodbye?state=the+state"
    callback = await to_thread.run_sync(browse, lambda page: came_back(page, silent.url))
    with pytest.raises(OAuthError) as caught:
        await face.finish_login(callback, silent)
    assert caught.value.error == "login_required"
