"""Reads what a server says of itself."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.ext_idps.add("my-github", type="github", name="GitHub")

            system = await client.get_system_info()
            assert system.rsa is not None
            assert system.rsa.public_key is not None
            print(system.rsa.public_key[:40])

            providers = await client.get_application_enabled_ext_idps()
            print([provider.name for provider in providers.data])
            countries = await client.get_country_list()
            print(countries.data[0])


anyio.run(main)
