"""Begins a sign-in by the older set of endpoints, which not every server has: the emulator has the newer one."""

import anyio

from genauth_async import AuthenticationClient, ServerError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            try:
                begun = await client.web_authn_login_initalize()
                print(begun.data)
            except ServerError as error:
                print(error.status_code, error)  # 501: this server has not got it
            newer = await client.init_authentication_options()
            assert newer.data.ticket


anyio.run(main)
