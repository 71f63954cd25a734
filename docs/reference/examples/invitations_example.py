"""Lets a user invite another by a link."""

from urllib.parse import parse_qs, urlsplit

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="test", name="Tess", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token
            answer = await client.generate_universal_invitation_by_member(access_token=token)
            identifier = parse_qs(urlsplit(answer.data.link).query)["identifier"][0]

            # The invited person follows the link, sees who invites, and joins.
            config = await client.get_universal_invitation_public_config(identifier)
            print(config.data)
            await client.send_email("CHANNEL_REGISTER", "grace@example.com")
            code = emulator.inbox.code_for("grace@example.com")  # at a real server, the user types it
            joined = await client.signup_by_universal(
                code, identifier, profile={"name": "Grace", "email": "grace@example.com"}
            )
            assert joined.data.status == "PASSED"
            assert emulator.find_user(email="grace@example.com").name == "Grace"


anyio.run(main)
