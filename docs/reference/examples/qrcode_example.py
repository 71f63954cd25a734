"""Signs a user in by a QR code: a browser shows it, the user's app scans and confirms it."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test", name="Tess")
            on_the_phone = emulator.issue_tokens(user)["access_token"]  # where the user is signed in already

            qr_code = (await client.gene_qr_code("MOBILE_APP")).data
            print("show", qr_code.url)

            # What the app does, which is usually not yours; emulator.qr_codes.scan(...) and .confirm(...) do the same.
            await client.change_qr_code_status("SCAN", qr_code.qrcode_id, access_token=on_the_phone)
            await client.change_qr_code_status("CONFIRM", qr_code.qrcode_id, access_token=on_the_phone)

            # What the page does that shows the code: it waits, and gets tokens for the ticket.
            states = client.poll_qr_code(qr_code.qrcode_id, interval=1.0, wait=120.0)
            state = await states.last()  # `async for state in states` tells of SCANNED as well
            assert state.status == "AUTHORIZED"
            assert state.ticket is not None
            answer = await client.exchange_token_set_with_qr_code_ticket(state.ticket)
            profile = await client.get_profile(access_token=answer.data.access_token)
            assert profile.data.user_id == user.id


anyio.run(main)
