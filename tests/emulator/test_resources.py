"""Resources of users: applications, tenants, roles, groups and common resources."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from genauth_async.errors import InvalidArgumentError

pytestmark = pytest.mark.anyio


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


async def test_applications_that_the_user_signed_in_to(emulator: Emulator, user: User, token: str, face: Any) -> None:
    left = emulator.add_app(name="Warehouse")
    never = emulator.add_app(name="Archive")
    emulator.revoke_grant(emulator.issue_tokens(user, app=left)["access_token"])
    emulator.issue_tokens(emulator.add_user(username="grace"), app=never)
    answer = await face.get_logged_in_apps(access_token=token)
    assert [app.to_dict() for app in answer.data] == [
        {
            "appId": emulator.app_id,
            "appName": emulator.app_id,
            "appLoginUrl": f"{emulator.url}/login",
            "appLogo": "",
            "active": True,
        },
        {
            "appId": left.app_id,
            "appName": "Warehouse",
            "appLoginUrl": f"{emulator.url}/login",
            "appLogo": "",
            "active": False,
        },
    ]
    emulator.issue_tokens(user, app=left)
    answer = await face.get_logged_in_apps(access_token=token)
    assert [app.active for app in answer.data] == [True, True]


async def test_every_user_may_use_all_applications(emulator: Emulator, token: str, face: Any) -> None:
    other = emulator.add_app(name="Warehouse")
    answer = await face.get_accessible_apps(access_token=token)
    assert [(app.app_id, app.app_name, app.active) for app in answer.data] == [
        (emulator.app_id, emulator.app_id, True),
        (other.app_id, "Warehouse", False),
    ]


async def test_tenants_that_the_user_joined(emulator: Emulator, user: User, token: str, face: Any) -> None:
    acme = emulator.access.add_tenant("Acme")
    emulator.access.add_tenant("Other")
    emulator.access.join(user, acme)
    answer = await face.get_tenant_list(access_token=token)
    (tenant,) = answer.data
    assert (tenant.tenant_id, tenant.tenant_name) == (acme.id, "Acme")
    assert datetime.fromisoformat(tenant.join_at).timestamp() <= emulator.clock.now()
    emulator.access.leave(user, acme)
    assert (await face.get_tenant_list(access_token=token)).data == []


async def test_roles_include_those_of_groups_filtered_by_namespace(
    emulator: Emulator, user: User, token: str, face: Any
) -> None:
    access = emulator.access
    editor = access.add_role("editor", name="Editor", description="may edit")
    auditor = access.add_role("auditor", namespace="finance")
    access.add_role("unassigned")
    group = access.add_group("writers")
    access.assign(user, editor)
    access.assign(group, editor)
    access.assign(group, auditor)
    access.join(user, group)
    answer = await face.get_role_list(access_token=token)
    assert [role.code for role in answer.data] == ["editor", "auditor"]
    assert answer.data[0].to_dict() == {
        "id": editor.id,
        "code": "editor",
        "name": "Editor",
        "description": "may edit",
        "namespace": "default",
        "namespaceName": "default",
        "status": "ENABLE",
        "enablePermissionApply": False,
    }
    answer = await face.get_role_list("finance", access_token=token)
    assert [role.code for role in answer.data] == ["auditor"]


async def test_a_role_shows_its_end_and_that_users_can_apply_for_it(
    emulator: Emulator, user: User, token: str, client: AuthenticationClient
) -> None:
    role = emulator.access.add_role("editor")
    emulator.access.assign(user, role)
    emulator.access.offer(emulator.app_id, role)
    role.disabled_at = emulator.clock.now() + 60
    (listed,) = (await client.get_role_list(access_token=token)).data
    assert (listed.status, listed.enable_permission_apply) == ("ENABLE", True)
    assert listed["disableTime"] == int(role.disabled_at * 1000)
    emulator.clock.advance(61)
    (listed,) = (await client.get_role_list(access_token=token)).data
    assert listed.status == "DISABLE"


async def test_groups_are_listed_without_what_members_did_not_open(
    emulator: Emulator, user: User, token: str, face: Any
) -> None:
    access = emulator.access
    group = access.add_group("writers", name="Writers", description="who write")
    access.add_group("others")
    other = emulator.add_user(username="grace", email="grace@example.com", phone="13900000000", name="Grace")
    access.join(user, group)
    access.join(other, group)
    (listed,) = (await face.get_group_list(access_token=token)).data
    assert (listed.id, listed.code, listed.name) == (group.id, "writers", "Writers")
    assert (listed.description, listed.type, listed.metadata_source) == ("who write", "STATIC", [])
    assert [member.username for member in listed.members] == ["ada", "grace"]
    for private in ("grace@example.com", "13900000000", "Grace"):
        assert private not in str(listed.to_dict())
    emulator._state.users.remove(other)
    (listed,) = (await face.get_group_list(access_token=token)).data
    assert [member.user_id for member in listed.members] == [user.id]
    access.leave(user, group)
    assert (await face.get_group_list(access_token=token)).data == []


async def test_common_resources_list_allowed_and_denied_actions(
    emulator: Emulator, user: User, token: str, face: Any
) -> None:
    access = emulator.access
    role = access.add_role("editor")
    access.assign(user, role)
    orders = access.add_common_resource(
        "orders", type="API", actions=["read", "write"], description="all orders", api_identifier="/orders"
    )
    menu = access.add_common_resource("menu", type="MENU", namespace="shop")
    access.add_common_resource("unused")
    access.allow(user, orders, "write")
    access.allow(role, orders, "read")
    access.deny(role, orders, "write")
    access.allow(role, menu, "read")
    answer = await face.get_authorized_resources(access_token=token)
    assert answer.data.total_count == 3
    common = {
        "resourceCode": "orders",
        "description": "all orders",
        "resourceType": "API",
        "apiIdentifier": "/orders",
    }
    assert [resource.to_dict() for resource in answer.data.list] == [
        {**common, "actions": ["read", "write"], "effect": "ALLOW"},
        {**common, "actions": ["write"], "effect": "DENY"},
        {
            "resourceCode": "menu",
            "description": "",
            "resourceType": "MENU",
            "apiIdentifier": "",
            "actions": ["read"],
            "effect": "ALLOW",
        },
    ]
    for query in ({"namespace": "shop"}, {"resource_type": "MENU"}):
        answer = await face.get_authorized_resources(**query, access_token=token)
        assert [resource.resource_code for resource in answer.data.list] == ["menu"]


async def test_an_unknown_type_of_resource_is_refused(token: str, client: AuthenticationClient) -> None:
    with pytest.raises(InvalidArgumentError, match="resourceType"):
        await client.get_authorized_resources(resource_type="STRING", access_token=token)
