"""Binds an email address to the account, and changes it."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator
from genauth_async.models import UpdateEmailByEmailPassCodeDto


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="test", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token

            await client.send_email("CHANNEL_BIND_EMAIL", "old@example.com")
            await client.bind_email(emulator.inbox.code_for("old@example.com"), "old@example.com", access_token=token)

            # To change it, both addresses have to be the user's.
            for address in ("old@example.com", "new@example.com"):
                await client.send_email("CHANNEL_UPDATE_EMAIL", address)
            proof = await client.verify_update_email_request(
                UpdateEmailByEmailPassCodeDto(
                    new_email="new@example.com",
                    new_email_pass_code=emulator.inbox.code_for("new@example.com"),
                    old_email="old@example.com",
                    old_email_pass_code=emulator.inbox.code_for("old@example.com"),
                ),
                "EMAIL_PASSCODE",
                access_token=token,
            )
            await client.update_email(proof.data.update_email_token, access_token=token)
            profile = await client.get_profile(access_token=token)
            assert profile.data.email == "new@example.com"


anyio.run(main)
