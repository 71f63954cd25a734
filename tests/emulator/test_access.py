"""Access to the endpoints of permissions, and errors for tests that set them up wrongly."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from genauth_async.emulator import Emulator, User

API = "app", "api"
COMPANY = "app", "company"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "check-permission-string-resource"),
        ("POST", "check-permission-array-resource"),
        ("POST", "check-permission-tree-resource"),
        ("GET", "get-user-auth-resource-list"),
        ("POST", "get-user-auth-resource-permission-list"),
        ("POST", "get-user-auth-resource-struct"),
        ("GET", "applications-permission-applicable"),
        ("GET", "roles-permission-applicable"),
        ("GET", "get-my-logged-in-apps"),
        ("GET", "get-my-accessible-apps"),
        ("GET", "get-my-tenant-list"),
        ("GET", "get-my-role-list"),
        ("GET", "get-my-group-list"),
        ("GET", "get-my-authorized-resources"),
        ("GET", "get-identities"),
        ("POST", "unlink-extidp"),
        ("POST", "generate-universal-invitation-link-by-member"),
        ("POST", "clear-my-all-invitation-links"),
    ],
)
def test_without_a_valid_token_calls_are_refused(
    emulator: Emulator, user: User, http: httpx.Client, method: str, path: str
) -> None:
    token = emulator.issue_tokens(user)["access_token"]
    emulator.revoke_grant(token)
    for headers in ({}, {"authorization": f"Bearer {token}"}):
        answer = http.request(method, f"/api/v3/{path}", headers=headers).json()
        assert (answer["statusCode"], answer["apiCode"]) == (401, 2020)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda access, _: access.add_role("editor"), "role editor in default already"),
        (lambda access, _: access.add_group("writers"), "group writers already"),
        (lambda access, _: access.add_resource("api", "other"), "resource api"),
        (lambda access, _: access.add_resource("a/b", "value"), "slash"),
        (lambda access, _: access.add_resource("", "value"), "empty"),
        (lambda access, _: access.add_resource("x", []), "a string, a list of strings or a tree"),
        (lambda access, _: access.add_resource("x", ["a", {"code": "b"}]), "a string, a list of strings or a tree"),
        (lambda access, _: access.add_resource("x", [{"name": "b"}]), "mapping with a code"),
        (lambda access, _: access.add_resource("x", [{"code": "b"}, {"code": "b"}]), "two nodes b"),
        (lambda access, _: access.add_resource("x", "value", actions=[]), "at least one"),
        (lambda access, _: access.add_common_resource("x", type="STRING"), "type"),
        (lambda access, _: access.add_tenant("Acme", tenant_id="acme"), "tenant acme already"),
        (lambda access, user: access.allow(user, access.data_resource(*API), "eat"), "no action 'eat'"),
        (lambda access, user: access.allow(user, access.data_resource(*API), "get", node="x"), "a node of api, not x"),
        (lambda access, user: access.allow(user, access.data_resource(*COMPANY), "get"), "a node of company, not None"),
        (lambda access, user: access.assign(user, Emulator().access.add_role("x")), "of this emulator"),
        (lambda access, user: access.assign(user, "editor"), "the object that"),
        (lambda access, user: access.unassign(user, access.add_role("x")), "not assigned"),
        (lambda access, user: access.leave(user, access.add_group("x")), "does not belong to x"),
    ],
)
def test_a_mistake_is_told_at_once(mistake: Callable[..., object], message: str) -> None:
    emulator = Emulator(app_id="app")
    access = emulator.access
    user = emulator.add_user(username="ada")
    access.add_role("editor")
    access.add_group("writers")
    access.add_tenant("Acme", tenant_id="acme")
    access.add_resource("api", "/orders")
    access.add_resource("company", {"product": {}})
    with pytest.raises((ValueError, TypeError, LookupError), match=message):
        mistake(access, user)


def test_a_permission_is_withdrawn_once(emulator: Emulator, user: User) -> None:
    authorization = emulator.access.allow(user, emulator.access.add_resource("api", "/orders"), "get")
    emulator.access.withdraw(authorization)
    with pytest.raises(LookupError, match="withdrawn before"):
        emulator.access.withdraw(authorization)
