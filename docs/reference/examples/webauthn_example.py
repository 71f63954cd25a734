"""Lists passkeys by the older set of endpoints, which not every server has: the emulator has the newer one."""

import anyio

from genauth_async import AuthenticationClient, ServerError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="test", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token
            try:
                answer = await client.list_web_authn_credentials(access_token=token)
            except ServerError as error:
                print(error.status_code, error)
                newer = await client.list_credentials_by_page(access_token=token)
                print(newer.total_count, "passkeys")
            else:
                print(answer.data)


anyio.run(main)
