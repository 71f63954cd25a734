"""The subjects of permissions besides users: roles and groups; and tenants."""

from __future__ import annotations

from typing import TypeAlias

from attrs import define, field, frozen, setters

from ..users import User


@define(eq=False, kw_only=True)
class Role:
    """A role of a namespace. It gives its permissions while `enabled`, and not after `disabled_at`, if that is set.

    Attributes:
        disabled_at: seconds since the epoch, by the emulator's clock.
    """

    id: str = field(on_setattr=setters.frozen)
    code: str = field(on_setattr=setters.frozen)
    namespace: str = field(on_setattr=setters.frozen)
    name: str
    description: str
    enabled: bool = True
    disabled_at: float | None = None

    def is_active(self, now: float) -> bool:
        """Return whether it gives its permissions at this time."""
        return self.enabled and (self.disabled_at is None or now < self.disabled_at)


@define(eq=False, kw_only=True)
class Group:
    """A group of users, who have its roles and permissions."""

    id: str = field(on_setattr=setters.frozen)
    code: str = field(on_setattr=setters.frozen)
    name: str
    description: str


@frozen(eq=False, kw_only=True)
class Tenant:
    """A tenant of the user pool."""

    id: str
    name: str


@frozen(kw_only=True)
class Memberships:
    """The roles, groups and tenants, and the ids of their holders and members.

    Attributes:
        assigned: the user or group, and the role.
        joined: the user, the group or tenant, and the time.
    """

    roles: list[Role]
    groups: list[Group]
    tenants: list[Tenant]
    assigned: list[tuple[str, str]]
    joined: list[tuple[str, str, float]]


Subject: TypeAlias = User | Role | Group
"""A holder of permissions."""
