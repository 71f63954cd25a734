"""Reads and changes the profile of the signed-in user."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="test", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token

            await client.update_profile(nickname="Tess", birthdate="1990-12-31", access_token=token)
            profile = await client.get_profile(with_custom_data=True, access_token=token)
            assert (profile.data.nickname, profile.data.birthdate) == ("Tess", "1990-12-31")
            print(profile.data.to_dict())

            level = await client.get_security_level(access_token=token)
            print(level.data)


anyio.run(main)
