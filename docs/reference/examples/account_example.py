"""Changes a password, resets a forgotten one, and deletes the account."""

import anyio

from genauth_async import AuthenticationClient, SignInError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="test", email="test@example.com", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token
            await client.update_password("passw0rd-2", "passw0rd", "sm2", access_token=token)

            # The user has forgotten it.
            await client.send_email("CHANNEL_RESET_PASSWORD", "test@example.com")
            code = emulator.inbox.code_for("test@example.com")  # at a real server, the user types it
            proof = await client.verify_reset_password_request(
                "EMAIL_PASSCODE", email_pass_code_payload={"email": "test@example.com", "passCode": code}
            )
            await client.reset_password("passw0rd-3", proof.data.password_reset_token, "rsa")
            token = (await client.sign_in_by_account_password("test", "passw0rd-3")).data.access_token

            # The user leaves.
            await client.send_email("CHANNEL_DELETE_ACCOUNT", "test@example.com")
            code = emulator.inbox.code_for("test@example.com")
            leaving = await client.verify_delete_account_request(
                "EMAIL_PASSCODE",
                email_pass_code_payload={"email": "test@example.com", "passCode": code},
                access_token=token,
            )
            await client.delete_account(leaving.data.delete_account_token, access_token=token)
            try:
                await client.sign_in_by_account_password("test", "passw0rd-3")
            except SignInError as error:
                print(error)
            else:
                raise AssertionError("the account is still there")


anyio.run(main)
