"""Sends a verification code, and checks it without using it up."""

import anyio

from genauth_async import AuthenticationClient, RateLimitedError, RetryPolicy
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(phone="13800000000")

            await client.send_sms("CHANNEL_LOGIN", "13800000000", "+86")
            code = emulator.inbox.code_for("13800000000")  # at a real server, the user types it

            checked = await client.pre_check_code(
                "SMS", sms_code_payload={"phone": "13800000000", "passCode": code, "channel": "CHANNEL_LOGIN"}
            )
            assert checked.data.is_valid
            await client.sign_in_by_phone_passcode("13800000000", code)

            # One message a minute.
            try:
                await client.with_options(retry=RetryPolicy(attempts=1)).send_sms("CHANNEL_LOGIN", "13800000000", "+86")
            except RateLimitedError as error:
                print("again in", error.retry_after, "seconds")
            else:
                raise AssertionError("two messages in a minute")


anyio.run(main)
