"""Permissions: roles, groups, tenants, resources, and the authorizations on them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from threading import RLock
from typing import TypeVar

from attrs import frozen

from ..clock import Clock
from ..users import User
from .resources import (
    CommonResource,
    CommonResourceType,
    DataResource,
    Effect,
    Resource,
    Struct,
    check_code,
    new_data_resource,
    split_path,
)
from .subjects import Group, Memberships, Role, Subject, Tenant

_Key = TypeVar("_Key")
_Thing = TypeVar("_Thing")
_COMMON_ACTIONS = ("read", "write")
_DATA_ACTIONS = ("get", "update", "delete")


@frozen(eq=False, kw_only=True)
class Authorization:
    """A permission or a denial; `Access.withdraw` revokes it.

    Attributes:
        path: the node of a tree resource, by the codes that lead to it; () for any other resource.
    """

    subject: Subject
    resource: Resource
    path: tuple[str, ...]
    actions: tuple[str, ...]
    effect: Effect


class Access:
    """Roles, groups, tenants and resources, with memberships and permissions.

    Users have the permissions given to themselves, to their groups, and to the roles of either. A denial to
    one of these outweighs any permission.

    Args:
        clock: the time source for the end of roles.
        default_app_id: the application whose permission space data resources belong to by default.
    """

    def __init__(self, clock: Clock, default_app_id: str) -> None:
        self._clock = clock
        self._default_app_id = default_app_id
        self._lock = RLock()
        self._roles: dict[tuple[str, str], Role] = {}
        self._groups: dict[str, Group] = {}
        self._tenants: dict[str, Tenant] = {}
        self._resources: dict[tuple[type[Resource], str, str], Resource] = {}
        self._assigned: dict[User | Group, list[Role]] = {}
        self._joined: dict[tuple[User, Group | Tenant], float] = {}
        self._authorizations: list[Authorization] = []
        self._offered: dict[str, list[Role]] = {}

    def add_role(
        self, code: str, *, name: str | None = None, description: str = "", namespace: str = "default"
    ) -> Role:
        """Add a role.

        Raises:
            ValueError: the namespace has a role of this code already.
        """
        check_code(code)
        role = Role(
            id=secrets.token_hex(12), code=code, namespace=namespace, name=name or code, description=description
        )
        self._add_new(self._roles, (namespace, code), role, f"role {code} in {namespace}")
        return role

    def add_group(self, code: str, *, name: str | None = None, description: str = "") -> Group:
        """Add a group of users.

        Raises:
            ValueError: there is a group of this code already.
        """
        check_code(code)
        group = Group(id=secrets.token_hex(12), code=code, name=name or code, description=description)
        self._add_new(self._groups, code, group, f"group {code}")
        return group

    def add_tenant(self, name: str, *, tenant_id: str | None = None) -> Tenant:
        """Add a tenant.

        Raises:
            ValueError: there is a tenant of this id already.
        """
        tenant = Tenant(id=tenant_id or secrets.token_hex(12), name=name)
        self._add_new(self._tenants, tenant.id, tenant, f"tenant {tenant.id}")
        return tenant

    def add_resource(
        self, code: str, struct: Struct, *, actions: Iterable[str] = _DATA_ACTIONS, app_id: str | None = None
    ) -> DataResource:
        """Add a data resource, which the check-permission endpoints know by `code`.

        Args:
            code: unique in the application's permission space.
            struct: a string, a list of strings, or a tree, which also gives the type.
            actions: all actions that can be permitted.
            app_id: the application; users see the resources of the one that they signed in to.

        Raises:
            ValueError: there is such a resource already, or the struct is none.
        """
        namespace = app_id or self._default_app_id
        resource = new_data_resource(code, struct, namespace=namespace, actions=_actions(actions))
        self._add_new(self._resources, (DataResource, namespace, code), resource, f"resource {code} in {namespace}")
        return resource

    def add_common_resource(
        self,
        code: str,
        *,
        type: CommonResourceType = "DATA",
        actions: Iterable[str] = _COMMON_ACTIONS,
        namespace: str = "default",
        description: str = "",
        api_identifier: str = "",
    ) -> CommonResource:
        """Add a resource of the older kind, which get-my-authorized-resources lists.

        Raises:
            ValueError: the namespace has one of this code already, or the type is unknown.
        """
        check_code(code)
        resource = CommonResource(
            code=code,
            namespace=namespace,
            type=type,
            actions=_actions(actions),
            description=description,
            api_identifier=api_identifier,
        )
        self._add_new(self._resources, (CommonResource, namespace, code), resource, f"resource {code} in {namespace}")
        return resource

    def assign(self, to: User | Group, role: Role) -> None:
        """Give a role to a user, or to all users of a group."""
        self._check_own(role)
        self._check_own(to)
        with self._lock:
            roles = self._assigned.setdefault(to, [])
            if role not in roles:
                roles.append(role)

    def unassign(self, to: User | Group, role: Role) -> None:
        """Remove an assigned role.

        Raises:
            LookupError: it was not assigned.
        """
        with self._lock:
            if role not in self._assigned.get(to, []):
                raise LookupError(f"the role {role.code} is not assigned there")
            self._assigned[to].remove(role)

    def join(self, user: User, into: Group | Tenant) -> None:
        """Add a user to a group or a tenant."""
        self._check_own(into)
        with self._lock:
            self._joined.setdefault((user, into), self._clock.now())

    def leave(self, user: User, out_of: Group | Tenant) -> None:
        """Remove a user from a group or a tenant.

        Raises:
            LookupError: the user does not belong to it.
        """
        with self._lock:
            if self._joined.pop((user, out_of), None) is None:
                raise LookupError(f"the user does not belong to {out_of.name}")

    def allow(
        self, subject: Subject, resource: Resource, actions: str | Iterable[str], *, node: str | None = None
    ) -> Authorization:
        """Permit actions on a resource to a user, a role or a group.

        Args:
            subject: the user, role or group.
            resource: the resource.
            actions: one action of the resource or several.
            node: the path of one node of a tree resource, such as "product/design"; the nodes below are not included.

        Raises:
            ValueError: the resource has no such action or node, or the subject or resource is of another emulator.
        """
        return self._authorize(subject, resource, actions, node, "ALLOW")

    def deny(
        self, subject: Subject, resource: Resource, actions: str | Iterable[str], *, node: str | None = None
    ) -> Authorization:
        """Deny actions, which outweighs any `allow`."""
        return self._authorize(subject, resource, actions, node, "DENY")

    def withdraw(self, authorization: Authorization) -> None:
        """Revoke a permission or a denial.

        Raises:
            LookupError: it was revoked before.
        """
        with self._lock:
            if authorization not in self._authorizations:
                raise LookupError("the authorization was withdrawn before, or is of another emulator")
            self._authorizations.remove(authorization)

    def offer(self, app_id: str, *roles: Role) -> None:
        """Offer roles for which users of an application can apply. What follows is not modelled."""
        for role in roles:
            self._check_own(role)
        with self._lock:
            offered = self._offered.setdefault(app_id, [])
            offered.extend(role for role in roles if role not in offered)

    def offered_in(self, app_id: str) -> list[Role] | None:
        """List the roles that users of an application can apply for; None if none was ever offered."""
        with self._lock:
            return list(self._offered[app_id]) if app_id in self._offered else None

    def is_offered(self, role: Role) -> bool:
        """Return whether users can apply for the role, in any application."""
        with self._lock:
            return any(role in roles for roles in self._offered.values())

    def roles_of(self, user: User) -> list[Role]:
        """List the user's own roles and those of their groups, disabled ones included."""
        holders: list[User | Group] = [user, *self.groups_of(user)]
        with self._lock:
            return list(dict.fromkeys(role for holder in holders for role in self._assigned.get(holder, [])))

    def groups_of(self, user: User) -> list[Group]:
        """List the groups of the user."""
        with self._lock:
            return [into for member, into in self._joined if member is user and isinstance(into, Group)]

    def tenants_of(self, user: User) -> list[tuple[Tenant, float]]:
        """List the tenants of the user, each with the time of joining."""
        with self._lock:
            return [
                (into, since)
                for (member, into), since in self._joined.items()
                if member is user and isinstance(into, Tenant)
            ]

    def members_of(self, group: Group) -> list[User]:
        """List the users of a group."""
        with self._lock:
            return [member for member, into in self._joined if into is group]

    def memberships(self) -> Memberships:
        """Return the roles, groups and tenants, and the users that have and belong to them."""
        with self._lock:
            return Memberships(
                roles=[*self._roles.values()],
                groups=[*self._groups.values()],
                tenants=[*self._tenants.values()],
                assigned=[(holder.id, role.id) for holder, roles in self._assigned.items() for role in roles],
                joined=[(user.id, into.id, since) for (user, into), since in self._joined.items()],
            )

    def restore(self, saved: Memberships, users: Iterable[User]) -> None:
        """Add the `memberships` of another emulator.

        Raises:
            LookupError: one of them is of an unknown user, role, group or tenant.
        """
        roles = {role.id: role for role in saved.roles}
        groups = {group.id: group for group in saved.groups}
        tenants = {tenant.id: tenant for tenant in saved.tenants}
        members = {user.id: user for user in users}
        with self._lock:
            self._roles |= {(role.namespace, role.code): role for role in saved.roles}
            self._groups |= {group.code: group for group in saved.groups}
            self._tenants |= tenants
            for holder, role_id in saved.assigned:
                self._assigned.setdefault(members.get(holder) or groups[holder], []).append(roles[role_id])
            for user_id, into, since in saved.joined:
                self._joined[members[user_id], groups.get(into) or tenants[into]] = since

    def data_resource(self, namespace: str, code: str) -> DataResource | None:
        """Find a data resource by its code."""
        found = self._resources.get((DataResource, namespace, code))
        return found if isinstance(found, DataResource) else None

    def data_resources(self, namespace: str) -> list[DataResource]:
        """List the data resources of a permission space."""
        with self._lock:
            resources = list(self._resources.values())
        return [each for each in resources if isinstance(each, DataResource) and each.namespace == namespace]

    def common_resources(self) -> list[CommonResource]:
        """List all common resources."""
        with self._lock:
            return [resource for resource in self._resources.values() if isinstance(resource, CommonResource)]

    def actions_of(self, user: User, resource: Resource, path: tuple[str, ...] = ()) -> list[str]:
        """List the permitted actions on a resource, or on one node of a tree."""
        denied = self.actions_with(user, resource, "DENY", path)
        return [action for action in self.actions_with(user, resource, "ALLOW", path) if action not in denied]

    def actions_with(self, user: User, resource: Resource, effect: Effect, path: tuple[str, ...] = ()) -> list[str]:
        """List the actions with one effect, regardless of the opposite one."""
        now = self._clock.now()
        with self._lock:
            roles = [role for role in self.roles_of(user) if role.is_active(now)]
            subjects: list[Subject] = [user, *self.groups_of(user), *roles]
            found = {
                action
                for each in self._authorizations
                if each.resource is resource and each.path == path and each.effect == effect
                if any(each.subject is subject for subject in subjects)
                for action in each.actions
            }
        return [action for action in resource.actions if action in found]

    def _authorize(
        self, subject: Subject, resource: Resource, actions: str | Iterable[str], node: str | None, effect: Effect
    ) -> Authorization:
        self._check_own(subject)
        self._check_own(resource)
        path = () if node is None else split_path(node)
        if not resource.has(path):
            raise ValueError(f"node must be a node of {resource.code}, not {node}")
        given = _actions((actions,) if isinstance(actions, str) else actions)
        if unknown := [action for action in given if action not in resource.actions]:
            raise ValueError(f"{resource.code} has no action {unknown[0]!r}; it has {', '.join(resource.actions)}")
        authorization = Authorization(subject=subject, resource=resource, path=path, actions=given, effect=effect)
        with self._lock:
            self._authorizations.append(authorization)
        return authorization

    def _add_new(self, things: dict[_Key, _Thing], key: _Key, thing: _Thing, description: str) -> None:
        with self._lock:
            if key in things:
                raise ValueError(f"there is a {description} already")
            things[key] = thing

    def _check_own(self, thing: Subject | Resource | Tenant) -> None:
        if isinstance(thing, User):
            return
        if isinstance(thing, str):
            raise TypeError(f"must be the object that an add_... method returned, not {thing!r}")
        with self._lock:
            known = (self._roles, self._groups, self._tenants, self._resources)
            if not any(thing is each for things in known for each in things.values()):
                raise ValueError(f"{thing!r} must be of this emulator")


def _actions(actions: Iterable[str]) -> tuple[str, ...]:
    given = (actions,) if isinstance(actions, str) else tuple(actions)
    if not given or not all(given):
        raise ValueError(f"actions must be texts, at least one and none empty, not {given!r}")
    return given
