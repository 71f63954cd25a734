"""Signs a user in by a push message to the app, where the user confirms."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test")
            on_the_phone = emulator.issue_tokens(user)["access_token"]

            push = (await client.sign_in_by_push("test", {"scope": "openid profile"})).data

            # What the app does; emulator.pushes.confirm(...) does the same.
            await client.change_push_code_status("CONFIRM", push.push_code_id, access_token=on_the_phone)

            state = await client.poll_push_code(push.push_code_id).last()
            assert state.status == "AUTHORIZED"
            assert state.token_set is not None
            profile = await client.get_profile(access_token=state.token_set.access_token)
            assert profile.data.user_id == user.id


anyio.run(main)
