"""Calls endpoints by their paths."""

import anyio

from genauth_async import AuthenticationClient, UserDto
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        emulator.add_user(username="ada", password="passw0rd", nickname="Ada")
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            session = client.session(await client.sign_in_by_account_password("ada", "passw0rd"))
            token = await session.access_token()

            user = await client.call("GET", "/api/v3/get-profile", access_token=token, into=UserDto, retry="safe")
            print(user.username)
            await client.call("POST", "/api/v3/update-profile", json={"nickname": "Countess"}, access_token=token)
            profile = await client.call(
                "GET", "/api/v3/get-profile", query={"withCustomData": True}, access_token=token
            )
            print(profile["nickname"])


anyio.run(main)
