"""Verifies tokens without asking the server."""

import anyio

from genauth_async import AuthenticationClient, InsufficientScopeError, TokenVerificationError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="ada", password="passw0rd")
            tokens = (await client.sign_in_by_account_password("ada", "passw0rd", {"scope": "openid profile"})).data
            assert tokens.access_token is not None
            claims = await client.verify_access_token(tokens.access_token, scopes=["profile"])
            print(claims.sub, sorted(claims.scopes))

            try:
                await client.verify_access_token(tokens.access_token, scopes=["reports:read"])
            except InsufficientScopeError as error:
                print(error)

            emulator.rotate_signing_key(keep_previous=False)
            await client.verify_access_token(tokens.access_token)  # known from before, until it expires
            try:
                await client.verify_access_token(tokens.access_token[:-4] + "AAAA")
            except TokenVerificationError as error:
                print(error)


anyio.run(main)
