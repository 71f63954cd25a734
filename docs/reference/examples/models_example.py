"""Reads an answer as an object, and as the JSON that it was."""

import json

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            emulator.add_user(username="test", password="passw0rd", profile={"givenName": "Tess"})
            answer = await client.sign_in_by_account_password("test", "passw0rd", {"scope": "openid profile"})

            assert answer.status_code == answer["statusCode"]
            assert answer.data.scope == answer.data["scope"]
            token = answer.data.access_token or ""
            assert token not in str(answer)  # secrets are masked when printed,
            assert token in json.dumps(answer.to_dict())  # and whole in the JSON form

            profile = (await client.get_profile(access_token=token)).data
            assert profile.given_name == "Tess"
            for name, value in profile.items():
                if value is not None:
                    print(name, value)


anyio.run(main)
