"""Invitations to become a user: public links of users, and personal invitations of the console."""

from __future__ import annotations

import secrets
from threading import Lock

from attrs import define, field, frozen, setters

from genauth_async._core.redaction import redact

from .clock import Clock
from .encoding import same_text
from .errors import ApiError
from .users import AlreadyTakenError, User, Users

_DAY = 24 * 60 * 60


@frozen(eq=False, kw_only=True)
class InvitationLink:
    """A link by which a user invites all who have it."""

    identifier: str
    inviter: User
    expires_at: float


@define(eq=False, kw_only=True)
class Application:
    """A request to join by a link, which may need an administrator's approval."""

    email: str = field(on_setattr=setters.frozen)
    name: str = field(on_setattr=setters.frozen)
    user: User | None = None


@define(eq=False, kw_only=True)
class PolicyInvitation:
    """A personal invitation, whose link has `identifier` and `signature`.

    Attributes:
        needs_code: whether the person has to verify the address or number by a pass code.
        wrong_codes: the number of failures.
        user: the user that it created, which uses it up.
    """

    identifier: str = field(on_setattr=setters.frozen)
    signature: str = field(on_setattr=setters.frozen, repr=redact)
    email: str = field(on_setattr=setters.frozen)
    phone: str | None = field(on_setattr=setters.frozen)
    phone_country_code: str = field(on_setattr=setters.frozen)
    name: str | None = field(on_setattr=setters.frozen)
    expires_at: float = field(on_setattr=setters.frozen)
    needs_code: bool
    wrong_codes: int = 0
    user: User | None = None


class Invitations:
    """All invitations, and whether users may invite others.

    Attributes:
        by_members: whether users may create links.
        need_approval: whether requests to join by a link wait for `approve`.
        user_pool_name: the name that invited people read.
        link_lifetime: of links created from now on, in seconds.
        max_wrong_codes: the number of wrong pass codes that blocks a personal invitation.
    """

    by_members: bool = True
    need_approval: bool = False
    user_pool_name: str = "Emulator"
    link_lifetime: float = 7 * _DAY
    max_wrong_codes: int = 5

    def __init__(self, clock: Clock, users: Users) -> None:
        self._clock = clock
        self._users = users
        self._lock = Lock()
        self._links: dict[str, InvitationLink] = {}
        self._applications: list[Application] = []
        self._policy: dict[str, PolicyInvitation] = {}

    @property
    def pending(self) -> list[Application]:
        """The requests to join that wait for `approve`."""
        with self._lock:
            return [application for application in self._applications if application.user is None]

    def approve(self, application: Application) -> User:
        """Approve a request to join, which creates the user.

        Raises:
            ValueError: it was approved before, or another user has the address by now.
        """
        with self._lock:
            if application.user is not None:
                raise ValueError(f"{application.email} was approved before")
            application.user = self._add_user(application)
            return application.user

    def invite(
        self,
        email: str,
        *,
        phone: str | None = None,
        phone_country_code: str = "+86",
        name: str | None = None,
        needs_code: bool = True,
        lifetime: float = 7 * _DAY,
    ) -> PolicyInvitation:
        """Create a personal invitation, as an administrator does in the console; its values belong in the link."""
        invitation = PolicyInvitation(
            identifier=secrets.token_hex(10),
            signature=secrets.token_urlsafe(32),
            email=email,
            phone=phone,
            phone_country_code=phone_country_code,
            name=name,
            expires_at=self._clock.now() + lifetime,
            needs_code=needs_code,
        )
        with self._lock:
            self._policy[invitation.identifier] = invitation
        return invitation

    def new_link(self, inviter: User) -> InvitationLink:
        """Create a link by which the user invites others."""
        link = InvitationLink(
            identifier=secrets.token_urlsafe(16), inviter=inviter, expires_at=self._clock.now() + self.link_lifetime
        )
        with self._lock:
            self._links[link.identifier] = link
        return link

    def clear_links(self, inviter: User) -> None:
        """Revoke all links of a user."""
        with self._lock:
            self._links = {key: link for key, link in self._links.items() if link.inviter is not inviter}

    def usable_link(self, identifier: str) -> InvitationLink:
        """Find the link of this identifier."""
        link = self._links.get(identifier)
        # The links of users who were removed go with them.
        if link is None or self._clock.now() >= link.expires_at or self._users.find(link.inviter.id) is None:
            raise ApiError(404, "the invitation does not exist, or no longer")
        return link

    def apply(self, email: str, name: str) -> Application:
        """Create the user of a verified address, at once or after approval.

        Raises:
            AlreadyTakenError: another user has the address.
        """
        application = Application(email=email, name=name)
        with self._lock:
            if self._users.by_email(email) is not None:
                raise AlreadyTakenError(f"there is a user with the email {email} already")
            if not self.need_approval:
                application.user = self._add_user(application)
            self._applications.append(application)
        return application

    def signed(self, identifier: str, signature: str) -> PolicyInvitation:
        """Find the invitation of a link."""
        invitation = self._policy.get(identifier)
        expected = "" if invitation is None else invitation.signature
        if not same_text(signature, expected):
            raise _unusable()
        return self.usable(identifier)

    def usable(self, identifier: str) -> PolicyInvitation:
        """Find a personal invitation whose link was checked before."""
        invitation = self._policy.get(identifier)
        if invitation is None or invitation.user is not None or self._clock.now() >= invitation.expires_at:
            raise _unusable()
        if invitation.wrong_codes >= self.max_wrong_codes:
            raise ApiError(403, "too many wrong pass codes; the invitation is worthless now")
        return invitation

    def _add_user(self, application: Application) -> User:
        return self._users.add(
            User(created_at=self._clock.now(), email=application.email, name=application.name, source="register")
        )


def _unusable() -> ApiError:
    return ApiError(404, "the invitation does not exist, was used or has expired")
