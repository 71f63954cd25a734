"""Signs a user in with WeChat, step by step. The emulator does not model WeChat, and says so."""

import anyio

from genauth_async import AuthenticationClient, IdentityBindingRequiredError, ServerError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            try:
                tokens = await client.auth_by_code_identity("the code of WeChat's SDK", conn_id="my-wechat")
            except IdentityBindingRequiredError as error:
                # The identity is bound to no account yet: this has the key for the next step, a bind_by_... method.
                print(error.response)
            except ServerError as error:
                print(error.status_code, error)
            else:
                print(tokens)


anyio.run(main)
