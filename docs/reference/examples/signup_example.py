"""Signs users up, by password and by a code sent by email."""

import anyio

from genauth_async import AuthenticationClient, ConflictError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            signed_up = await client.sign_up_by_username_password(
                "test", "passw0rd", profile={"nickname": "Tess"}, options={"passwordEncryptType": "rsa"}
            )
            print(signed_up.data.user_id, signed_up.data.nickname)

            await client.send_email("CHANNEL_REGISTER", "test@example.com")
            code = emulator.inbox.code_for("test@example.com")  # at a real server, the user types it
            await client.sign_up_by_email_passcode("test@example.com", code)

            # A sign-up does not sign the user in.
            answer = await client.sign_in_by_username_password("test", "passw0rd")
            assert answer.data.access_token

            try:
                await client.sign_up_by_username_password("test", "an0ther-passw0rd")
            except ConflictError as error:
                print(error)
            else:
                raise AssertionError("two users of one name")


anyio.run(main)
