"""Signs a user in on another client by a QR code that the first one shows."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test")
            here = emulator.issue_tokens(user)["access_token"]  # the session that shows the code

            shown = (await client.gene_fastpass_qrcode_info({"scope": "openid profile"}, access_token=here)).data
            assert shown is not None

            # The other client has scanned the code.
            await client.get_fastpass_params(shown.qrcode_id, shown.app_id)
            answer = await client.qr_code_app_login("APP_LOGIN", shown.qrcode_id)
            profile = await client.get_profile(access_token=answer.data.access_token)
            assert profile.data.user_id == user.id

            state = await client.poll_fastpass(shown.qrcode_id).last()  # where the code is shown
            assert state.status == "AUTHORIZED"


anyio.run(main)
