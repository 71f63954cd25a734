"""Keeps a user signed in while access tokens expire."""

import anyio

from genauth_async import AuthenticationClient, Clock, SessionExpiredError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        clock = Clock(monotonic=emulator.clock.now, wall=emulator.clock.now)
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret, clock=clock)
        async with client:
            emulator.add_user(username="test", password="passw0rd")
            answer = await client.sign_in_by_account_password("test", "passw0rd", {"scope": "openid offline_access"})
            session = client.session(answer)

            first = await session.access_token()
            emulator.clock.advance(15 * 24 * 60 * 60)  # the access token expires
            second = await session.access_token()  # refreshed by one request, however many ask
            assert first != second
            assert emulator.requests["/oidc/token"] == 1

            await session.logout()
            try:
                await session.access_token()
            except SessionExpiredError as error:
                print(error)
            else:
                raise AssertionError("still signed in")


anyio.run(main)
