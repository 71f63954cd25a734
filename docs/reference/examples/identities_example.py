"""Lists the accounts that a user has at other providers, and parts from one."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test", password="passw0rd")
            github = emulator.ext_idps.add("my-github", type="github")
            emulator.ext_idps.link(user, github, "42")
            tokens = (await client.sign_in_by_account_password("test", "passw0rd")).data

            identities = (await client.get_identities(access_token=tokens.access_token)).data
            assert [identity.provider for identity in identities] == ["github"]

            # Where the user can bind another one.
            link = await client.generate_link_ext_idp_url(
                ext_idp_conn_identifier="my-github", app_id=emulator.app_id, id_token=tokens.id_token or ""
            )
            print("open", link.data.url.partition("?")[0])

            await client.unlink_ext_idp(github.ext_idp_id, access_token=tokens.access_token)
            assert (await client.get_identities(access_token=tokens.access_token)).data == []


anyio.run(main)
