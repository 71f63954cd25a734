"""Reads what belongs to a user: sign-ins, applications, roles, groups and tenants."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test", password="passw0rd")
            emulator.access.assign(user, emulator.access.add_role("editor"))
            emulator.access.join(user, emulator.access.add_group("writers"))
            emulator.access.join(user, emulator.access.add_tenant("Acme"))
            for _ in range(3):
                answer = await client.sign_in_by_account_password("test", "passw0rd")
            token = answer.data.access_token

            # All of them, however many there are on a page.
            sign_ins = [entry async for entry in client.iter_login_history(limit=2, access_token=token)]
            assert [entry.success for entry in sign_ins] == [True, True, True]

            apps = await client.get_logged_in_apps(access_token=token)
            assert [app.app_id for app in apps.data] == [emulator.app_id]
            roles = await client.get_role_list(access_token=token)
            assert [role.code for role in roles.data] == ["editor"]
            groups = await client.get_group_list(access_token=token)
            assert [group.code for group in groups.data] == ["writers"]
            tenants = await client.get_tenant_list(access_token=token)
            assert [tenant.tenant_name for tenant in tenants.data] == ["Acme"]


anyio.run(main)
