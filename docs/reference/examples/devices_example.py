"""Lists the devices on which a user is signed in, and signs one out."""

import anyio

from genauth_async import AuthenticationClient, NotSignedInError
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="test", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token

            devices = [session async for session in client.iter_devices(access_token=token)]
            for session in devices:
                print(session.device.name, session.last_login_time, session.online)
            [this_one] = devices

            await client.revoke_device_session(this_one.device.device_id, access_token=token)
            try:
                await client.get_profile(access_token=token)
            except NotSignedInError as error:
                print(error)
            else:
                raise AssertionError("the device is still signed in")


anyio.run(main)
