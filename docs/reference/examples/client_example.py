"""Configures a client: limits, retries, and a copy for one user."""

import anyio

from genauth_async import AuthenticationClient, ConfigurationError, RetryPolicy
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(
            emulator.app_id, emulator.url, emulator.app_secret, timeout=5.0, retry=RetryPolicy(attempts=2, backoff=0.1)
        )
        async with client:
            user = emulator.add_user(username="test", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token

            # A copy with the user's token and address. It shares the connections, and need not be closed.
            as_user = client.with_options(access_token=token, real_ip="203.0.113.7")
            emulator.faults.add("/api/v3/get-profile", status=503, times=1)
            profile = await as_user.get_profile()  # it only reads: tried again after the 503
            assert profile.data.user_id == user.id
            print(emulator.requests["/api/v3/get-profile"], "tries")

            try:
                AuthenticationClient(emulator.app_id, "http://example.genauth.ai", emulator.app_secret)
            except ConfigurationError as error:
                print(error)
            else:
                raise AssertionError("passwords would go over the network in the clear")


anyio.run(main)
