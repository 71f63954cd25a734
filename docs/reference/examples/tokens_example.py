"""Looks into tokens, refreshes and revokes them."""

import anyio

from genauth_async import AuthenticationClient, InvalidGrantError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="test", password="passw0rd")
            options = {"scope": "openid profile offline_access"}
            tokens = (await client.sign_in_by_account_password("test", "passw0rd", options)).data
            assert tokens.access_token is not None
            assert tokens.refresh_token is not None

            info = await client.get_user_info_by_access_token(tokens.access_token)
            print(info.sub)
            new = await client.get_new_access_token_by_refresh_token(tokens.refresh_token)
            assert (await client.introspect_token(new.access_token)).active

            # A server may rotate refresh tokens, and take the second use of one for theft. A TokenSession sees to it.
            try:
                await client.get_new_access_token_by_refresh_token(tokens.refresh_token)
            except InvalidGrantError as error:
                print(error)
            else:
                raise AssertionError("a refresh token was used twice")
            assert not (await client.introspect_token(new.access_token)).active
            await client.revoke_token(new.access_token)


anyio.run(main)
