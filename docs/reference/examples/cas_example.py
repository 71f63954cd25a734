"""Signs a user in through the hosted page of an application whose protocol is CAS."""

from urllib.parse import parse_qs, urlsplit

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, sign_in_at_page


async def main() -> None:
    async with Emulator() as emulator:
        emulator.add_user(username="ada", password="passw0rd")
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, protocol="cas")
        async with client:
            service = "http://localhost:8000/welcome"
            url = client.build_authorize_url(service=service)
            back = await anyio.to_thread.run_sync(sign_in_at_page, url, "ada", "passw0rd")
            ticket = parse_qs(urlsplit(back).query)["ticket"][0]

            found = await client.validate_ticket_v2(ticket, service)
            assert found.success is not None
            print(found.success.user)
            assert not (await client.validate_ticket_v1(ticket, service)).valid  # a ticket is good once


anyio.run(main)
