"""Search for the secrets of all areas of the API in all that their calls emitted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest
from pyotp import parse_uri
from pyotp.totp import TOTP

from genauth_async import AuthenticationClient, GenAuthError, MFARequiredError, RetryPolicy
from genauth_async.emulator import Emulator
from genauth_async.models import Dto
from genauth_async.models._fields import secret_attributes, wire_names
from tests.conftest import MakeClient, leaked, secrets_of
from tests.core.test_secrets import Emitted
from tests.recording import Answer, RecordingServer

pytestmark = pytest.mark.anyio

PASSWORD = "canary-pässwörd-Zz9"
NEWER = "canary-newer-Zz9"


def secrets_in(value: object) -> Iterator[str]:
    """Yield the values that a DTO declares secret, at every depth."""
    if isinstance(value, Dto):
        for attribute in wire_names(type(value)):
            inner = getattr(value, attribute)
            if isinstance(inner, str) and attribute in secret_attributes(type(value)):
                yield inner
            yield from secrets_in(inner)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)


class Lifecycle:
    """Calls from a user's sign-up to the deletion of the account, and the secrets in their answers."""

    def __init__(self, client: AuthenticationClient, emulator: Emulator) -> None:
        self.client = client
        self.emulator = emulator
        self.emitted = Emitted()
        self.met: set[str] = {PASSWORD, NEWER}

    async def see(self, call: Any) -> Any:
        """Await a call that must succeed; record its answer and the secrets in it."""
        answer = await call
        self.emitted.show(answer)
        self.met |= set(secrets_in(answer))
        return answer

    async def fail(self, call: Any) -> GenAuthError:
        with pytest.raises(GenAuthError) as caught:
            await call
        self.emitted.error(caught.value)
        return caught.value

    async def code(self, channel: str, email: str) -> str:
        self.emulator.clock.advance(61)
        await self.see(self.client.send_email(channel, email))
        return self.emulator.inbox.code_for(email)

    async def run(self) -> None:
        client, see, fail = self.client, self.see, self.fail
        for kind in ("none", "rsa", "sm2"):
            options = {"passwordEncryptType": kind}
            await see(client.sign_up_by_username_password(f"ada-{kind}", PASSWORD, options=options))
        await fail(client.sign_up_by_username_password("ada-rsa", PASSWORD, options={"passwordEncryptType": "rsa"}))
        await fail(client.sign_up_by_email_passcode("ada@example.com", "123456"))
        token = (await see(client.sign_in_by_username_password("ada-none", PASSWORD))).data.access_token
        user = client.with_options(access_token=token)
        await see(user.bind_email(await self.code("CHANNEL_BIND_EMAIL", "ada@example.com"), "ada@example.com"))
        await fail(user.bind_email("654321", "other@example.com"))
        await see(user.update_password(NEWER, PASSWORD, "sm2"))
        await fail(user.update_password(NEWER, PASSWORD, "rsa"))
        user = client.with_options(
            access_token=(await see(client.sign_in_by_username_password("ada-none", NEWER))).data.access_token
        )
        payload = {"email": "ada@example.com", "passCode": await self.code("CHANNEL_RESET_PASSWORD", "ada@example.com")}
        proof = await see(client.verify_reset_password_request("EMAIL_PASSCODE", email_pass_code_payload=payload))
        await see(client.reset_password(PASSWORD, proof.data.password_reset_token, "rsa"))
        await fail(client.reset_password(PASSWORD, proof.data.password_reset_token, "sm2"))
        signed_in = (await see(client.sign_in_by_username_password("ada-none", PASSWORD))).data
        user = client.with_options(access_token=signed_in.access_token)
        self.emulator.ext_idps.add("wechat-1", type="wechat")
        await see(user.generate_link_ext_idp_url("wechat-1", self.emulator.app_id, signed_in.id_token or ""))
        await self.enroll(user)
        code = await see(client.gene_qr_code("MOBILE_APP"))
        await see(user.change_qr_code_status("SCAN", code.data.qrcode_id))
        await see(user.change_qr_code_status("CONFIRM", code.data.qrcode_id))
        state = await see(client.check_qr_code_status(code.data.qrcode_id))
        await see(client.exchange_token_set_with_qr_code_ticket(state.data.ticket))
        await fail(client.exchange_token_set_with_qr_code_ticket(state.data.ticket))
        await see(client.gene_catcha_code_and_token())
        payload = {"email": "ada@example.com", "passCode": await self.code("CHANNEL_DELETE_ACCOUNT", "ada@example.com")}
        proof = await see(user.verify_delete_account_request("EMAIL_PASSCODE", email_pass_code_payload=payload))
        await see(user.delete_account(proof.data.delete_account_token))
        await fail(user.delete_account(proof.data.delete_account_token))
        self.emitted.show(client, user, self.emulator, vars(self.emulator))

    async def enroll(self, user: AuthenticationClient) -> None:
        begun = (await self.see(user.send_enroll_factor_request({}, "OTP"))).data
        assert begun.otp_data is not None
        secret = parse_uri(begun.otp_data.qr_code_uri or "").secret
        self.met.add(secret)
        totp = TOTP(secret)
        await self.fail(user.enroll_factor({"passCode": "000000x"}, begun.enrollment_token, "OTP"))
        now = self.emulator.clock.now()
        await self.see(user.enroll_factor({"passCode": totp.at(int(now))}, begun.enrollment_token, "OTP"))
        found = self.emulator.find_user(username="ada-none")
        found.mfa_required = True
        challenge = await self.fail(self.client.sign_in_by_username_password("ada-none", PASSWORD))
        assert isinstance(challenge, MFARequiredError)
        self.met.add(challenge.mfa_token or "")
        await self.fail(self.client.complete_mfa_with_totp(challenge, "000000x"))
        self.emulator.clock.advance(60)
        now = self.emulator.clock.now()
        await self.see(self.client.complete_mfa_with_totp(challenge, totp.at(int(now))))
        found.mfa_required = False
        factor, *_bound = (await self.see(user.list_enrolled_factors())).data
        await self.see(user.reset_factor(factor.factor_id))


async def test_no_secret_of_any_area_is_emitted(
    carrier: Any, emulator: Emulator, make_client: MakeClient, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    lifecycle = Lifecycle(make_client(**carrier, retry=RetryPolicy(backoff=0.0)), emulator)
    await lifecycle.run()
    out, err = capfd.readouterr()
    logged = [record.getMessage() + str(record.args) + str(record.exc_text) for record in caplog.records]
    everything = "\n".join([*lifecycle.emitted.texts, *logged, out, err])
    secrets = (lifecycle.met | secrets_of(emulator)) - {""}
    assert len(secrets) > 20
    assert "generate-link-extidp-url" in everything, "the logs were looked at"
    assert leaked(secrets, everything) == []


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_client_of_the_callers_logs_no_token_either(
    library: Any, recorder: RecordingServer, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    recorder.default = Answer({"statusCode": 200, "message": "ok", "data": {"url": "https://example.com"}})
    async with library.AsyncClient() as http_client:
        client = make_client(recorder.url, http_client=http_client)
        await client.generate_link_ext_idp_url("github", "app", "canary-id-token")
    assert "id_token=***" in caplog.text
    assert "canary" not in caplog.text
