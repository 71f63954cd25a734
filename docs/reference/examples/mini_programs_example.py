"""Decrypts what a WeChat mini program was given. The emulator does not model WeChat, and says so."""

import anyio

from genauth_async import AuthenticationClient, ServerError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            try:
                answer = await client.decrypt_wechat_mini_program_data(
                    code="the code of wx.login",
                    iv="aXYgb2YgMTYgYnl0ZXM=",
                    encrypted_data="ZW5jcnlwdGVk",
                    ext_idp_connidentifier="my-mini-program",
                )
            except ServerError as error:
                print(error.status_code, error)
            else:
                print(answer.data)


anyio.run(main)
