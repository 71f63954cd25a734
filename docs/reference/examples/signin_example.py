"""Signs a user in by password, by a code sent by email, and past a captcha."""

import anyio

from genauth_async import AuthenticationClient, InvalidCredentialsError, SignInOptionsDto
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="test", email="test@example.com", password="passw0rd")

            # By password. It travels encrypted under the server's SM2 key, which is fetched when it is first needed.
            answer = await client.sign_in_by_account_password(
                "test", "passw0rd", SignInOptionsDto(password_encrypt_type="sm2")
            )
            print(answer)  # the tokens are masked
            assert answer.data.access_token is not None

            # By a code, with a refresh token.
            await client.send_email("CHANNEL_LOGIN", "test@example.com")
            code = emulator.inbox.code_for("test@example.com")  # at a real server, the user types it
            answer = await client.sign_in_by_email_passcode(
                "test@example.com", code, {"scope": "openid offline_access"}
            )
            assert answer.data.refresh_token is not None

            # A server that has seen wrong passwords asks for a captcha.
            emulator.captchas.required_after = 1
            try:
                await client.sign_in_by_account_password("test", "guessed")
            except InvalidCredentialsError as error:
                print(error)
            captcha = (await client.gene_catcha_code_and_token()).data
            options = SignInOptionsDto(
                captcha_token=captcha.captcha_token, captcha_code=emulator.captchas.code_for(captcha.captcha_token)
            )
            await client.sign_in_by_account_password("test", "passw0rd", options)


anyio.run(main)
