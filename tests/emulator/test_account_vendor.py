"""Accounts through the vendor's own package, unchanged."""

from __future__ import annotations

import pytest

from genauth_async.emulator import Emulator

genauth = pytest.importorskip("genauth")


def test_an_account_from_sign_up_to_its_end(emulator: Emulator) -> None:
    client = genauth.AuthenticationClient(app_id=emulator.app_id, app_secret=emulator.app_secret, app_host=emulator.url)

    def done(answer: dict[str, object]) -> dict[str, object]:
        assert answer["statusCode"] == 200, answer
        data = answer.get("data", {})
        assert isinstance(data, dict)
        return data

    def code(to: str, channel: str) -> str:
        if "@" in to:
            done(client.send_email(channel=channel, email=to))
        else:
            done(client.send_sms(channel=channel, phone_number=to))
        return emulator.inbox.code_for(to, channel=channel)

    phone, email = "13900000000", "grace@example.com"
    register = code(phone, "CHANNEL_REGISTER")
    done(client.sign_up_by_phone_passcode(phone, register, options={"passwordForPhonePassCode": "passw0rd"}))
    assert client.sign_up_by_phone_passcode(phone, register)["statusCode"] == 400
    tokens = done(client.sign_in_by_phone_password(phone, "passw0rd"))
    client.set_access_token(tokens["access_token"])
    assert done(client.update_profile(username="grace", gender="F"))["username"] == "grace"
    done(client.bind_email(code(email, "CHANNEL_BIND_EMAIL"), email))
    done(client.unbind_phone(code(phone, "CHANNEL_UNBIND_PHONE")))
    assert done(client.get_security_level())["emailBinded"] is True
    done(client.update_password("passw1rd", "passw0rd"))
    verified = done(
        client.verify_reset_password_request(
            "EMAIL_PASSCODE",
            email_pass_code_payload={"email": email, "passCode": code(email, "CHANNEL_RESET_PASSWORD")},
        )
    )
    done(client.reset_password("passw2rd", verified["passwordResetToken"]))
    assert client.get_profile()["apiCode"] == 2020
    client.set_access_token(done(client.sign_in_by_email_password(email, "passw2rd"))["access_token"])
    verified = done(
        client.verify_delete_account_request(
            "EMAIL_PASSCODE",
            email_pass_code_payload={"email": email, "passCode": code(email, "CHANNEL_DELETE_ACCOUNT")},
        )
    )
    assert done(client.delete_account(verified["deleteAccountToken"])) == {"success": True}
    assert list(emulator._state.users) == []
