"""Registers a passkey, and signs in by it. Here the browser is a program, of the package soft-webauthn (0.1.3)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import anyio
from soft_webauthn import SoftWebauthnDevice

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


def to_bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_json(value: Any) -> Any:
    """Convert binary values to base64url, as a page does before it sends a credential."""
    if isinstance(value, dict):
        return {name: to_json(value["rawId"] if name == "id" else item) for name, item in value.items()}
    return urlsafe_b64encode(value).rstrip(b"=").decode() if isinstance(value, bytes) else value


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token
            browser = SoftWebauthnDevice()

            # Your page gives the options to navigator.credentials.create().
            begun = (await client.init_register_options(access_token=token)).data
            options = begun.registration_options
            created = browser.create(
                {
                    "publicKey": {
                        "rp": {"id": options.rp.id},
                        "user": {"id": to_bytes(options.user.id)},
                        "challenge": to_bytes(options.challenge),
                        "pubKeyCredParams": [
                            {"alg": kind.alg, "type": kind.type} for kind in options.pub_key_cred_params
                        ],
                    }
                },
                emulator.url,
            )
            registered = await client.verify_register(begun.ticket, to_json(created), access_token=token)
            assert registered.data.verified

            # Later, to navigator.credentials.get().
            asked = (await client.init_authentication_options()).data
            wanted = asked.authentication_options
            found = browser.get(
                {"publicKey": {"rpId": wanted.rp_id, "challenge": to_bytes(wanted.challenge)}}, emulator.url
            )
            answer = await client.verify_authentication(asked.ticket, to_json(found))
            assert answer.data.token_set is not None
            profile = await client.get_profile(access_token=answer.data.token_set.access_token)
            assert profile.data.user_id == user.id


anyio.run(main)
