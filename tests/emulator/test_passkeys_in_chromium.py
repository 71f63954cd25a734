"""Registers a passkey and signs in with it in a real browser, whose authenticator is virtual."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from anyio import to_thread
from playwright.sync_api import Page

from genauth_async import AuthenticationClient, InvalidOperationError
from genauth_async.emulator import Emulator, User
from tests.browser import Browse
from tests.emulator.emulator_types import Json

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CREATE = """async options => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
    return (await navigator.credentials.create({ publicKey })).toJSON()
}"""
GET = """async options => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
    return (await navigator.credentials.get({ publicKey })).toJSON()
}"""
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


async def test_a_browser_registers_a_passkey_and_signs_in(
    browse: Browse, client: AuthenticationClient, emulator: Emulator, user: User
) -> None:
    page_url = f"http://localhost:{urlsplit(emulator.url).port}"
    emulator.passkeys.rp_id = "localhost"
    emulator.passkeys.origins.add(page_url)

    def open_page(page: Page) -> None:
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        page.goto(page_url)

    async def run(script: str, options: Any) -> Json:
        sent = options.to_dict()
        answer: Json = await to_thread.run_sync(browse, lambda page: page.evaluate(script, sent))
        return answer

    await to_thread.run_sync(browse, open_page)
    token = emulator.issue_tokens(user)["access_token"]
    begun = (await client.init_register_options(access_token=token)).data
    credential = await run(CREATE, begun.registration_options)
    assert (await client.verify_register(begun.ticket, credential, access_token=token)).data.verified

    asked = (await client.init_authentication_options()).data
    assertion = await run(GET, asked.authentication_options)
    assert assertion["response"]["userHandle"] == user.id
    tokens = (await client.verify_authentication(asked.ticket, assertion)).data.token_set
    assert tokens is not None
    assert (await client.get_profile(access_token=tokens.access_token)).data.user_id == user.id

    emulator.passkeys.remove_all(user, None)
    asked = (await client.init_authentication_options()).data
    assertion = await run(GET, asked.authentication_options)
    with pytest.raises(InvalidOperationError):
        await client.verify_authentication(asked.ticket, assertion)
