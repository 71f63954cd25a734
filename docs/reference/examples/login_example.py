"""Signs a user in through the hosted page: out, and back."""

import anyio

from genauth_async import AuthenticationClient, CallbackError, StateMismatchError
from genauth_async.emulator import Emulator, sign_in_at_page


async def main() -> None:
    async with Emulator() as emulator:
        emulator.add_user(username="ada", password="passw0rd")
        client = AuthenticationClient(
            emulator.app_id, emulator.url, emulator.app_secret, redirect_uri="http://localhost:8000/callback"
        )
        async with client:
            login = client.begin_login(scope="openid profile offline_access")
            # What the user does in the browser; in your application, the web framework gives you the callback's URL.
            callback_url = await anyio.to_thread.run_sync(sign_in_at_page, login.url, "ada", "passw0rd")

            another = client.begin_login()
            try:
                await client.finish_login(callback_url, another)
            except StateMismatchError as error:
                print(error)

            tokens = await client.finish_login(callback_url, login)
            assert tokens.id_token is not None
            print((await client.verify_id_token(tokens.id_token)).sub)
            session = client.session(tokens)
            await session.access_token()

            try:
                await client.finish_login(callback_url, login)
            except CallbackError as error:
                print(error)  # a code is sent once


anyio.run(main)
