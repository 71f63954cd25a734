"""Signs a user in by what GitHub gave to an app on the phone."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test")
            emulator.add_social_code("github", "what GitHub gave", user)

            answer = await client.sign_in_by_mobile(
                "my-github", "github", github_payload={"code": "what GitHub gave"}, options={"scope": "openid profile"}
            )
            profile = await client.get_profile(access_token=answer.data.access_token)
            assert profile.data.user_id == user.id


anyio.run(main)
