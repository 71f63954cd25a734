"""Asks what a user may do."""

import anyio

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator


async def main() -> None:
    async with Emulator() as emulator:
        client = AuthenticationClient(emulator.app_id, emulator.url, emulator.app_secret)
        async with client:
            user = emulator.add_user(username="test", password="passw0rd")
            report = emulator.access.add_resource("report", "https://example.com/report", actions=("read", "write"))
            emulator.access.allow(user, report, "read")
            token = (await client.sign_in_by_account_password("test", "passw0rd")).data.access_token

            for action, expected in (("read", True), ("write", False)):
                checked = await client.check_permission_by_string_resource(["report"], action, access_token=token)
                [result] = checked.data.check_result_list
                assert result.enabled is expected

            answer = await client.get_user_auth_resource_permission_list(["report"], access_token=token)
            [permission] = answer.data.permission_list
            assert permission.actions == ["read"]


anyio.run(main)
