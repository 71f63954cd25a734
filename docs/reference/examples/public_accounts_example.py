"""Switches to an account that several users share."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test", password="passw0rd")
            press = emulator.add_user(username="press")
            emulator.public_accounts.allow(user, press)
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token

            listed = (await client.list_public_accounts_for_switch_logged_in(access_token=token)).data
            print(listed)
            answer = await client.switch_login_by_user(press.id, access_token=token)
            profile = await client.get_profile(access_token=answer.data.access_token)
            assert profile.data.user_id == press.id


anyio.run(main)
