"""Publishes an event of the signed-in user, and receives it."""

import json

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(
            emulator.app_id, emulator.url, emulator.app_secret, websocket_host=emulator.websocket_url
        )
        async with client:
            emulator.add_user(username="test", password="passw0rd")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token

            async def publish() -> None:
                # Events are not kept: a subscriber must be connected to get this one.
                await anyio.to_thread.run_sync(emulator.events.wait_subscribed_blocking, "order")
                await client.put_event("order", {"number": 42}, access_token=token)

            async with anyio.create_task_group() as tasks, client.iter_events("order", access_token=token) as events:
                tasks.start_soon(publish)
                async for event in events:
                    assert json.loads(event) == {"number": 42}
                    break


anyio.run(main)
