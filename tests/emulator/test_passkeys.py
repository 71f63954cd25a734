"""Registers passkeys, and signs in with them."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any

import cbor2
import httpx
import pytest

from genauth_async import MFARequiredError
from genauth_async.emulator import Emulator, User
from genauth_async.errors import (
    AccountLockedError,
    GenAuthAPIError,
    InvalidOperationError,
    NotFoundError,
    NotSignedInError,
)
from tests.emulator.emulator_types import Json
from tests.emulator.passkey_device import Browser, encoded, raw, registered

pytestmark = pytest.mark.anyio


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


async def sign_in(face: Any, browser: Browser, options: object = None) -> Any:
    begun = (await face.init_authentication_options()).data
    answer = await face.verify_authentication(begun.ticket, browser.get(begun.authentication_options), options)
    assert answer.data.verified
    assert answer.data.token_set is not None
    return answer.data


async def refused(call: Awaitable[object]) -> None:
    with pytest.raises(InvalidOperationError):
        await call


async def test_a_passkey_signs_its_user_in(face: Any, emulator: Emulator, user: User, token: str) -> None:
    browser = await registered(face, emulator, token, authenticator_code="fingerprint")
    (passkey,) = emulator.passkeys.of(user)
    assert (passkey.authenticator_code, passkey.sign_count, passkey.last_used_at) == ("fingerprint", 0, None)
    for count in (1, 2):
        tokens = (await sign_in(face, browser)).token_set
        profile = await face.get_profile(access_token=tokens.access_token)
        assert profile.data.user_id == user.id
        assert passkey.sign_count == count
        assert passkey.last_used_at is not None
        assert tokens.refresh_token


async def test_the_options_are_what_a_browser_takes(client: Any, emulator: Emulator, user: User, token: str) -> None:
    browser = await registered(client, emulator, token)
    options = (await client.init_register_options(access_token=token)).data.registration_options
    assert (options.rp.id, options.user.id) == ("127.0.0.1", user.id)
    sent = options.to_dict()
    assert sent["attestation"] == "none"
    selection = {"userVerification": "preferred", "residentKey": "required", "requireResidentKey": True}
    assert sent["authenticatorSelection"] == selection
    assert [entry.id for entry in options.exclude_credentials] == [encoded(browser.device.credential_id)]
    assert len(raw(options.challenge)) == 32
    options = (await client.init_authentication_options()).data.authentication_options
    assert (options.rp_id, options.allow_credentials) == ("127.0.0.1", [])
    assert options.to_dict()["userVerification"] == "preferred"


async def test_both_forms_of_a_user_handle_are_taken(client: Any, emulator: Emulator, user: User, token: str) -> None:
    browser = await registered(client, emulator, token)
    for handle in (user.id, encoded(user.id.encode())):  # a browser's, and that of the vendor's Android SDK
        begun = (await client.init_authentication_options()).data
        assertion = browser.get(begun.authentication_options)
        assertion["response"]["userHandle"] = handle
        assert (await client.verify_authentication(begun.ticket, assertion)).data.verified


async def test_the_scope_is_what_the_options_say(client: Any, emulator: Emulator, token: str) -> None:
    browser = await registered(client, emulator, token)
    tokens = (await sign_in(client, browser, {"scope": "openid"})).token_set
    assert tokens.scope == "openid"
    assert tokens.refresh_token is None


async def test_a_page_of_another_origin_may_be_let_in(client: Any, emulator: Emulator, token: str) -> None:
    emulator.passkeys.rp_id = "localhost"
    emulator.passkeys.origins.add("http://localhost:3000")
    browser = Browser("http://localhost:3000")
    begun = (await client.init_register_options(access_token=token)).data
    credential = browser.create(begun.registration_options)
    assert browser.device.rp_id == "localhost"
    assert (await client.verify_register(begun.ticket, credential, access_token=token)).data.verified
    assert (await sign_in(client, browser)).verified
    emulator.passkeys.origins.clear()
    await refused(sign_in(client, browser))


class TestRefusedSignIns:
    """Sign-ins that an attacker might try."""

    async def test_an_unregistered_passkey(self, client: Any, emulator: Emulator, token: str) -> None:
        await registered(client, emulator, token)
        stranger = Browser(emulator.url)
        stranger.device.cred_init("127.0.0.1", b"stranger")
        await refused(sign_in(client, stranger))

    async def test_another_key_under_a_registered_id(self, client: Any, emulator: Emulator, token: str) -> None:
        browser, forger = await registered(client, emulator, token), Browser(emulator.url)
        forger.device.cred_init("127.0.0.1", browser.device.user_handle)
        forger.device.credential_id = browser.device.credential_id
        await refused(sign_in(client, forger))
        assert (await sign_in(client, browser)).verified

    async def test_a_passkey_for_another_user(self, client: Any, emulator: Emulator, token: str) -> None:
        browser = await registered(client, emulator, token)
        browser.device.user_handle = emulator.add_user(username="grace").id.encode()
        await refused(sign_in(client, browser))

    async def test_a_page_of_another_origin(self, client: Any, emulator: Emulator, token: str) -> None:
        browser = await registered(client, emulator, token)
        browser.origin = "https://phishing.example"
        await refused(sign_in(client, browser))

    async def test_another_relying_party(self, client: Any, emulator: Emulator, token: str) -> None:
        browser = await registered(client, emulator, token)
        browser.device.rp_id = "phishing.example"
        begun = (await client.init_authentication_options()).data
        options = begun.authentication_options.evolve(rp_id="phishing.example")
        await refused(client.verify_authentication(begun.ticket, browser.get(options)))

    async def test_a_copied_authenticator(self, client: Any, emulator: Emulator, token: str) -> None:
        browser = await registered(client, emulator, token)
        copied = browser.clone()
        assert (await sign_in(client, browser)).verified
        await refused(sign_in(client, copied))  # it says to have signed once, as the first did before

    async def test_one_count_in_two_assertions_at_once(
        self, client: Any, emulator: Emulator, user: User, token: str
    ) -> None:
        await registered(client, emulator, token)
        (passkey,) = emulator.passkeys.of(user)
        assert [emulator.passkeys.use(passkey, count) for count in (1, 1, 0, 2)] == [True, False, False, True]

    async def test_an_assertion_sent_twice(self, client: Any, emulator: Emulator, token: str) -> None:
        browser = await registered(client, emulator, token)
        begun = (await client.init_authentication_options()).data
        assertion = browser.get(begun.authentication_options)
        assert (await client.verify_authentication(begun.ticket, assertion)).data.verified
        with pytest.raises(GenAuthAPIError, match="was used"):
            await client.verify_authentication(begun.ticket, assertion)
        other = (await client.init_authentication_options()).data
        await refused(client.verify_authentication(other.ticket, assertion))

    async def test_a_second_try_on_one_challenge(self, client: Any, emulator: Emulator, token: str) -> None:
        browser = await registered(client, emulator, token)
        begun = (await client.init_authentication_options()).data
        assertion = browser.get(begun.authentication_options)
        wrong = {**assertion, "response": {**assertion["response"], "userHandle": encoded(b"stranger")}}
        await refused(client.verify_authentication(begun.ticket, wrong))
        with pytest.raises(GenAuthAPIError, match="was used"):
            await client.verify_authentication(begun.ticket, assertion)

    async def test_an_old_challenge(self, client: Any, emulator: Emulator, token: str) -> None:
        browser = await registered(client, emulator, token)
        begun = (await client.init_authentication_options()).data
        emulator.clock.advance(300)
        with pytest.raises(GenAuthAPIError, match="has expired"):
            await client.verify_authentication(begun.ticket, browser.get(begun.authentication_options))

    async def test_the_challenge_of_a_registration(self, client: Any, emulator: Emulator, token: str) -> None:
        browser = await registered(client, emulator, token)
        begun = (await client.init_register_options(access_token=token)).data
        options = (await client.init_authentication_options()).data.authentication_options
        assertion = browser.get(options.evolve(challenge=begun.registration_options.challenge))
        with pytest.raises(GenAuthAPIError, match="webauthn-authentication token is wrong"):
            await client.verify_authentication(begun.ticket, assertion)

    @pytest.mark.parametrize("remove", ["remove_credential", "remove_all_credentials", "delete_web_authn_credential"])
    async def test_a_removed_passkey(self, face: Any, emulator: Emulator, user: User, token: str, remove: str) -> None:
        browser = await registered(face, emulator, token)
        ids = [] if remove == "remove_all_credentials" else [encoded(browser.device.credential_id)]
        await getattr(face, remove)(*ids, access_token=token)
        assert emulator.passkeys.of(user) == []
        await refused(sign_in(face, browser))

    @pytest.mark.parametrize("twice", [False, True])
    async def test_a_removed_account(
        self, client: Any, emulator: Emulator, user: User, token: str, twice: bool
    ) -> None:
        browser = await registered(client, emulator, token)
        emulator.remove_user(user)
        begun = (await client.init_authentication_options()).data
        assertion = browser.get(begun.authentication_options)
        if twice:
            assertion["response"]["userHandle"] = encoded(user.id.encode())
        with pytest.raises(GenAuthAPIError) as caught:
            await client.verify_authentication(begun.ticket, assertion)
        assert caught.value.status_code == 431

    async def test_a_user_who_may_not(self, client: Any, emulator: Emulator, user: User, token: str) -> None:
        browser = await registered(client, emulator, token)
        user.mfa_required = True
        with pytest.raises(MFARequiredError):
            await sign_in(client, browser)
        emulator.lock_user(user)
        with pytest.raises(AccountLockedError):
            await sign_in(client, browser)


class TestRefusedRegistrations:
    """Credentials that must not become a passkey."""

    async def test_for_a_user_who_is_not_signed_in(self, client: Any, emulator: Emulator, token: str) -> None:
        begun = (await client.init_register_options(access_token=token)).data
        credential = Browser(emulator.url).create(begun.registration_options)
        emulator.revoke_grant(token)
        with pytest.raises(NotSignedInError):
            await client.init_register_options(access_token=token)
        with pytest.raises(NotSignedInError):
            await client.verify_register(begun.ticket, credential, access_token=token)

    async def test_with_the_ticket_of_another_user(
        self, client: Any, emulator: Emulator, user: User, token: str
    ) -> None:
        mallory = emulator.add_user(username="mallory")
        begun = (await client.init_register_options(access_token=token)).data
        credential = Browser(emulator.url).create(begun.registration_options)
        others = emulator.issue_tokens(mallory)["access_token"]
        with pytest.raises(GenAuthAPIError, match="another user"):
            await client.verify_register(begun.ticket, credential, access_token=others)
        assert len(emulator.passkeys) == 0
        assert (await client.verify_register(begun.ticket, credential, access_token=token)).data.verified
        assert len(emulator.passkeys.of(user)) == 1

    async def test_twice(self, client: Any, emulator: Emulator, token: str) -> None:
        begun = (await client.init_register_options(access_token=token)).data
        credential = Browser(emulator.url).create(begun.registration_options)
        assert (await client.verify_register(begun.ticket, credential, access_token=token)).data.verified
        with pytest.raises(GenAuthAPIError, match="was used"):
            await client.verify_register(begun.ticket, credential, access_token=token)
        again = (await client.init_register_options(access_token=token)).data
        await refused(client.verify_register(again.ticket, credential, access_token=token))

    async def test_under_the_id_of_another(self, client: Any, emulator: Emulator, user: User, token: str) -> None:
        browser = await registered(client, emulator, token)
        mallory = emulator.add_user(username="mallory")
        others = emulator.issue_tokens(mallory)["access_token"]
        begun = (await client.init_register_options(access_token=others)).data
        thief = Browser(emulator.url)
        prepare = thief.device.cred_init

        def prepare_with_stolen_id(rp_id: str, user_handle: bytes) -> None:
            prepare(rp_id, user_handle)
            thief.device.credential_id = browser.device.credential_id

        thief.device.cred_init = prepare_with_stolen_id
        credential = thief.create(begun.registration_options)
        await refused(client.verify_register(begun.ticket, credential, access_token=others))
        assert emulator.passkeys.of(mallory) == []
        assert (await sign_in(client, browser)).verified
        assert len(emulator.passkeys.of(user)) == 1

    async def test_on_a_page_of_another_origin(self, client: Any, emulator: Emulator, token: str) -> None:
        begun = (await client.init_register_options(access_token=token)).data
        credential = Browser("https://phishing.example").create(begun.registration_options)
        await refused(client.verify_register(begun.ticket, credential, access_token=token))
        assert len(emulator.passkeys) == 0

    async def test_of_an_unknown_authenticator_code(self, client: Any, emulator: Emulator, token: str) -> None:
        begun = (await client.init_register_options(access_token=token)).data
        credential = Browser(emulator.url).create(begun.registration_options)
        with pytest.raises(GenAuthAPIError, match="authenticatorCode"):
            await client.verify_register(begun.ticket, credential, "nose", access_token=token)


class TestManagement:
    """Lists, names and removes them."""

    @pytest.fixture
    async def ids(self, client: Any, emulator: Emulator, token: str) -> list[str]:
        codes = ("FINGERPRINT", "face", None)  # upper case in the vendor's Python SDK
        browsers = [await registered(client, emulator, token, authenticator_code=code) for code in codes]
        return [encoded(browser.device.credential_id) for browser in browsers]

    async def test_pages(self, face: Any, ids: list[str], token: str) -> None:
        async def listed(body: object = None) -> tuple[int, list[str]]:
            answer = await face.list_credentials_by_page(body=body, access_token=token)
            return answer.total_count, [entry["credentialId"] for entry in answer.list]

        assert await listed() == (3, ids)
        assert await listed({"page": 2, "limit": 2}) == (3, ids[2:])
        assert await listed({"authenticatorCode": "face"}) == (1, ids[1:2])
        with pytest.raises(GenAuthAPIError, match="limit"):
            await listed({"limit": 0})

    async def test_names(self, face: Any, ids: list[str], token: str) -> None:
        await face.update_web_authn_credential(ids[0], "Yubi", access_token=token)
        answer = await face.list_web_authn_credentials(page=1, limit=2, access_token=token)
        assert answer["data"]["totalCount"] == 3
        assert [entry["name"] for entry in answer["data"]["list"]] == ["Yubi", "Passkey 2"]
        assert [entry["authenticatorCode"] for entry in answer["data"]["list"]] == ["fingerprint", "face"]

    async def test_which_are_still_good(self, face: Any, ids: list[str], token: str) -> None:
        async def good(body: object) -> list[str]:
            answer = await face.check_valid_credentials_by_cred_ids(body=body, access_token=token)
            return list(answer.data)

        assert await good({"credentialIds": [ids[2], "unknown", ids[0]]}) == [ids[2], ids[0]]
        assert await good({"credentialIds": ids, "authenticatorCode": "other"}) == ids[2:]
        assert await good({}) == []

    async def test_removal_by_authenticator_code(
        self, face: Any, emulator: Emulator, user: User, ids: list[str], token: str
    ) -> None:
        answer = await face.remove_all_credentials(body={"authenticatorCode": "face"}, access_token=token)
        assert answer.data.success
        assert [passkey.id for passkey in emulator.passkeys.of(user)] == [ids[0], ids[2]]

    async def test_those_of_others_look_like_none(
        self, client: Any, emulator: Emulator, user: User, ids: list[str]
    ) -> None:
        others = emulator.issue_tokens(emulator.add_user(username="mallory"))["access_token"]
        calls = [
            client.remove_credential(ids[0], access_token=others),
            client.delete_web_authn_credential(ids[0], access_token=others),
            client.update_web_authn_credential(ids[0], "mine", access_token=others),
        ]
        for call in calls:
            with pytest.raises(NotFoundError):
                await call
        await client.remove_all_credentials(access_token=others)
        assert (await client.list_credentials_by_page(access_token=others)).total_count == 0
        assert [passkey.id for passkey in emulator.passkeys.of(user)] == ids
        assert emulator.passkeys.of(user)[0].name == "Passkey 1"


DAMAGE: list[object] = [None, 7, "", "!", "\ud800", "AAAA", "A", {}, [], encoded(b"{}"), encoded(b"\xa0" * 50)]
ASSERTION = ("authenticatorData", "clientDataJSON", "signature", "userHandle")
ATTESTATION = ("attestationObject", "clientDataJSON")


@pytest.mark.parametrize("damage", DAMAGE, ids=repr)
async def test_damaged_credentials_get_an_envelope(
    client: Any, http: httpx.Client, emulator: Emulator, token: str, damage: object
) -> None:
    browser = await registered(client, emulator, token)
    headers = {"authorization": token}

    def answered(path: str, body: Json) -> None:
        answer = http.post(f"/api/v3/webauthn/{path}", content=json.dumps(body), headers=headers).json()
        assert answer["statusCode"] in {400, 422}, body

    for name in ("id", "rawId", "type", "response", *ASSERTION):
        begun = (await client.init_authentication_options()).data
        sent = browser.get(begun.authentication_options)
        (sent if name in sent else sent["response"])[name] = damage
        answered("authentication", {"ticket": begun.ticket, "authenticationCredential": sent})
    for name in ("id", "rawId", "type", "response", *ATTESTATION):
        begun = (await client.init_register_options(access_token=token)).data
        sent = Browser(emulator.url).create(begun.registration_options)
        (sent if name in sent else sent["response"])[name] = damage
        answered("registration", {"ticket": begun.ticket, "registrationCredential": sent})
    assert len(emulator.passkeys) == 1


SIGNED = {"sig": b"x", "alg": -7}
STATEMENTS: list[tuple[str, object]] = [
    ("fido-u2f", {**SIGNED, "x5c": [1]}),
    ("packed", {**SIGNED, "x5c": [1]}),
    ("packed", []),
    ("packed", None),
    ("tpm", {**SIGNED, "ver": "2.0", "x5c": [b"x"], "pubArea": b"x", "certInfo": b"x"}),
    ("android-safetynet", {"ver": "1", "response": b"a.b.c"}),
    ("android-key", 1),
    ("apple", {"x5c": []}),
    ("nonsense", {}),
]


@pytest.mark.parametrize("statement", STATEMENTS, ids=repr)
async def test_damaged_attestations_do_not_hold(
    client: Any, ahttp: httpx.AsyncClient, emulator: Emulator, token: str, statement: tuple[str, object]
) -> None:
    begun = (await client.init_register_options(access_token=token)).data
    sent = Browser(emulator.url).create(begun.registration_options)
    attestation = cbor2.loads(raw(sent["response"]["attestationObject"]))
    attestation["fmt"], attestation["attStmt"] = statement
    sent["response"]["attestationObject"] = encoded(cbor2.dumps(attestation))
    body = {"ticket": begun.ticket, "registrationCredential": sent}
    response = await ahttp.post("/api/v3/webauthn/registration", json=body, headers={"authorization": token})
    assert (response.status_code, response.json()["statusCode"]) == (200, 422)
    assert len(emulator.passkeys) == 0


def test_undocumented_bodies_are_not_modelled(http: httpx.Client) -> None:
    for path in ("login/initialize", "registration/finalize", "mfa-verify/initialize", "admin/initialize"):
        assert http.post(f"/api/v3/webauthn/{path}", json={}).status_code == 501
