"""Permissions of users on data resources, read through both faces of the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genauth_async import AuthenticationClient
from genauth_async.emulator import Emulator, User
from genauth_async.errors import InvalidArgumentError, NotFoundError, NotSignedInError, ServerError

pytestmark = pytest.mark.anyio

TREE: list[dict[str, object]] = [
    {
        "code": "product",
        "name": "Product",
        "value": "p",
        "children": [{"code": "design", "name": "Design", "value": "ui"}, {"code": "pm", "name": "Managers"}],
    },
    {"code": "research", "name": "Research", "value": "rd"},
]


@pytest.fixture
def token(emulator: Emulator, user: User) -> str:
    return emulator.issue_tokens(user)["access_token"]


def _results(answer: Any) -> list[tuple[str, bool]]:
    return [(each.resource, each.enabled) for each in answer.data.check_result_list]


def _give_user(_emulator: Emulator, user: User) -> Any:
    return user


def _give_role(emulator: Emulator, user: User) -> Any:
    role = emulator.access.add_role("editor")
    emulator.access.assign(user, role)
    return role


def _give_group(emulator: Emulator, user: User) -> Any:
    group = emulator.access.add_group("writers")
    emulator.access.join(user, group)
    return group


def _give_role_of_group(emulator: Emulator, user: User) -> Any:
    role = emulator.access.add_role("author")
    group = emulator.access.add_group("authors")
    emulator.access.assign(group, role)
    emulator.access.join(user, group)
    return role


HOLDERS = pytest.mark.parametrize("holder", [_give_user, _give_role, _give_group, _give_role_of_group])
Holder = Callable[[Emulator, User], Any]


@HOLDERS
async def test_permissions_come_from_the_user_groups_and_roles(
    emulator: Emulator, user: User, token: str, face: Any, holder: Holder
) -> None:
    resource = emulator.access.add_resource("api", "/orders", actions=["get", "delete"])
    emulator.access.allow(holder(emulator, user), resource, "get")
    stranger = emulator.issue_tokens(emulator.add_user(username="grace"))["access_token"]
    answer = await face.check_permission_by_string_resource(["api"], "get", access_token=token)
    assert answer.data.to_dict() == {
        "checkResultList": [{"namespaceCode": emulator.app_id, "resource": "api", "action": "get", "enabled": True}]
    }
    for action, access_token in (("delete", token), ("get", stranger)):
        answer = await face.check_permission_by_string_resource(["api"], action, access_token=access_token)
        assert _results(answer) == [("api", False)]


@HOLDERS
async def test_what_is_denied_to_one_of_them_stays_denied(
    emulator: Emulator, user: User, token: str, client: AuthenticationClient, holder: Holder
) -> None:
    access = emulator.access
    resource = access.add_resource("cards", ["card1", "card2"], actions=["get", "update"])
    access.allow(user, resource, ["get", "update"])
    denial = access.deny(holder(emulator, user), resource, "update")
    for action, enabled in (("get", True), ("update", False)):
        answer = await client.check_permission_by_array_resource(["cards"], action, access_token=token)
        assert _results(answer) == [("cards", enabled)]
    access.withdraw(denial)
    answer = await client.check_permission_by_array_resource(["cards"], "update", access_token=token)
    assert _results(answer) == [("cards", True)]


async def test_each_node_of_a_tree_has_its_own_permissions(
    emulator: Emulator, user: User, token: str, face: Any
) -> None:
    tree = emulator.access.add_resource("company", TREE)
    emulator.access.allow(user, tree, "get", node="product")
    emulator.access.allow(user, tree, "update", node="product/design")
    paths = ["company/product", "/company/product", "company/product/design", "company/research", "company"]
    answer = await face.check_permission_by_tree_resource(paths, "get", access_token=token)
    assert _results(answer) == list(zip(paths, [True, True, False, False, False], strict=True))


async def test_each_endpoint_knows_resources_of_its_own_type(
    emulator: Emulator, user: User, token: str, client: AuthenticationClient
) -> None:
    access = emulator.access
    access.allow(user, access.add_resource("s", "value"), "get")
    access.allow(user, access.add_resource("a", ["value"]), "get")
    access.allow(user, access.add_resource("t", {"n": {}}), "get", node="n")
    paths = ["s", "a", "t/n", "nothing"]
    for check, enabled in (
        (client.check_permission_by_string_resource, [True, False, False, False]),
        (client.check_permission_by_array_resource, [False, True, False, False]),
        (client.check_permission_by_tree_resource, [False, False, True, False]),
    ):
        assert _results(await check(paths, "get", access_token=token)) == list(zip(paths, enabled, strict=True))


async def test_a_disabled_unassigned_or_expired_role_gives_nothing(
    emulator: Emulator, user: User, token: str, client: AuthenticationClient
) -> None:
    access = emulator.access
    resource = access.add_resource("api", "/orders")
    role = access.add_role("editor")
    access.assign(user, role)
    access.allow(role, resource, "get")

    async def may() -> bool:
        answer = await client.check_permission_by_string_resource(["api"], "get", access_token=token)
        return answer.data.check_result_list[0].enabled

    assert await may()
    role.enabled = False
    assert not await may()
    role.enabled = True
    role.disabled_at = emulator.clock.now() + 60
    assert await may()
    emulator.clock.advance(60)
    assert not await may()
    role.disabled_at = None
    assert await may()
    access.unassign(user, role)
    assert not await may()


async def test_users_see_the_resources_of_their_sign_ins_application(
    emulator: Emulator, user: User, token: str, client: AuthenticationClient
) -> None:
    other = emulator.add_app()
    resource = emulator.access.add_resource("api", "/orders", app_id=other.app_id)
    emulator.access.allow(user, resource, "get")
    answer = await client.check_permission_by_string_resource(["api"], "get", access_token=token)
    assert _results(answer) == [("api", False)]
    there = emulator.issue_tokens(user, app=other)["access_token"]
    answer = await client.check_permission_by_string_resource(["api"], "get", access_token=there)
    assert answer.data.check_result_list[0].namespace_code == other.app_id
    assert _results(answer) == [("api", True)]


async def test_all_resources_of_the_user_are_listed(emulator: Emulator, user: User, token: str, face: Any) -> None:
    access = emulator.access
    nothing = await face.get_user_authorized_resources_list(access_token=token)
    assert nothing.data.user_permission_list == []
    access.allow(user, access.add_resource("api", "/orders"), ["update", "get"])
    access.allow(user, access.add_resource("cards", ["c1", "c2"]), "get")
    tree = access.add_resource("company", TREE)
    access.allow(user, tree, "get", node="product/design")
    access.allow(user, tree, "get", node="product/pm")
    access.deny(user, tree, "get", node="product/pm")
    access.allow(user, tree, "get", node="research")
    access.add_resource("hidden", "not allowed")
    answer = await face.get_user_authorized_resources_list(access_token=token)
    (space,) = answer.data.user_permission_list
    assert (space.user_id, space.namespace_code) == (user.id, emulator.app_id)
    assert [resource.to_dict() for resource in space.resource_list] == [
        {
            "resourceCode": "api",
            "resourceType": "STRING",
            "strAuthorize": {"value": "/orders", "actions": ["get", "update"]},
        },
        {
            "resourceCode": "cards",
            "resourceType": "ARRAY",
            "arrAuthorize": {"values": ["c1", "c2"], "actions": ["get"]},
        },
        {
            "resourceCode": "company",
            "resourceType": "TREE",
            "treeAuthorize": {
                "authList": [
                    {
                        "nodePath": "/product/design",
                        "nodeName": "Design",
                        "nodeActions": ["get"],
                        "nodeValue": "ui",
                    },
                    {"nodePath": "/research", "nodeName": "Research", "nodeActions": ["get"], "nodeValue": "rd"},
                ]
            },
        },
    ]


async def test_the_actions_on_some_resources_are_listed(emulator: Emulator, user: User, token: str, face: Any) -> None:
    access = emulator.access
    access.allow(user, access.add_resource("api", "/orders"), ["delete", "get"])
    access.allow(user, access.add_resource("company", TREE), "get", node="research")
    paths = ["api", "company/research", "company/product", "nothing"]
    answer = await face.get_user_auth_resource_permission_list(paths, access_token=token)
    listed = [(each.resource, each.actions) for each in answer.data.permission_list]
    assert listed == list(zip(paths, [["get", "delete"], ["get"], [], []], strict=True))
    assert {each.namespace_code for each in answer.data.permission_list} == {emulator.app_id}


async def test_a_resource_is_shown_as_far_as_it_is_open(emulator: Emulator, user: User, token: str, face: Any) -> None:
    access = emulator.access
    api = access.add_resource("api", "/orders")
    cards = access.add_resource("cards", ["c1", "c2"])
    tree = access.add_resource("company", TREE)

    async def struct(code: str) -> Any:
        data = (await face.get_user_auth_resource_struct(code, access_token=token)).data.to_dict()
        assert (data.pop("namespaceCode"), data.pop("resourceCode")) == (emulator.app_id, code)
        return data

    assert await struct("api") == {"resourceType": "STRING", "strResourceAuthAction": {"actions": []}}
    assert await struct("cards") == {"resourceType": "ARRAY", "arrResourceAuthAction": {"values": [], "actions": []}}
    assert await struct("company") == {"resourceType": "TREE", "treeResourceAuthAction": {"nodeAuthActionList": []}}
    access.allow(user, api, "get")
    access.allow(user, cards, "get")
    access.allow(user, tree, "get", node="product/design")
    assert (await struct("api"))["strResourceAuthAction"] == {"value": "/orders", "actions": ["get"]}
    assert (await struct("cards"))["arrResourceAuthAction"] == {"values": ["c1", "c2"], "actions": ["get"]}
    assert (await struct("company"))["treeResourceAuthAction"]["nodeAuthActionList"] == [
        {
            "code": "product",
            "name": "Product",
            "actions": [],
            "children": [{"code": "design", "name": "Design", "value": "ui", "actions": ["get"]}],
        }
    ]
    with pytest.raises(NotFoundError):
        await struct("nothing")


async def test_roles_that_users_can_apply_for(emulator: Emulator, token: str, face: Any) -> None:
    access = emulator.access
    app = emulator.add_app(name="Warehouse")
    roles = [access.add_role(f"role{number}", name=f"Role {number}", description="one") for number in range(5)]
    access.offer(app.app_id, *roles[:4])
    applications = await face.get_enable_permission_apply_application_list(access_token=token)
    (listed,) = applications.data.list
    assert listed.to_dict() == {"appId": app.app_id, "appName": "Warehouse", "logo": "", "appType": "web"}
    for name, count in (("ware", 1), ("nothing", 0)):
        applications = await face.get_enable_permission_apply_application_list(app_name=name, access_token=token)
        assert len(applications.data.list) == count

    async def codes(**query: Any) -> tuple[int, list[str]]:
        answer = await face.get_enable_permission_apply_role_list(app.app_id, access_token=token, **query)
        return answer.data.total_count, [role.code for role in answer.data.list]

    assert await codes() == (4, ["role0", "role1", "role2", "role3"])
    assert await codes(page=2, limit=3) == (4, ["role3"])
    assert await codes(keyword="ROLE 2") == (1, ["role2"])
    answer = await face.get_enable_permission_apply_role_list(app.app_id, keyword="role0", access_token=token)
    assert answer.data.list[0].to_dict() == {
        "roleId": roles[0].id,
        "code": "role0",
        "name": "Role 0",
        "description": "one",
    }


async def test_subjects_of_applications_are_not_modelled(token: str, client: AuthenticationClient) -> None:
    with pytest.raises(ServerError, match="does not model"):
        await client.list_subject_auth(access_token=token)


async def test_a_wrong_argument_is_named(token: str, client: AuthenticationClient) -> None:
    with pytest.raises(InvalidArgumentError, match="action"):
        await client.check_permission_by_string_resource(["api"], "", access_token=token)


async def test_the_client_says_that_the_user_is_not_signed_in(
    emulator: Emulator, token: str, client: AuthenticationClient
) -> None:
    emulator.revoke_grant(token)
    with pytest.raises(NotSignedInError):
        await client.get_user_authorized_resources_list(access_token=token)
