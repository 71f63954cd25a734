"""The users: the directory, UserDto and claims."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from threading import Lock
from typing import Literal

from attrs import Factory, define, field, setters

from genauth_async._core.redaction import redact

from .clock import iso_time
from .encoding import same_text

# The profile fields of UserDto that are plain texts, and the claims (OpenID Connect Core 5.1) of those that have one.
_CLAIM_OF_FIELD = {
    "birthdate": "birthdate",
    "familyName": "family_name",
    "gender": "gender",
    "givenName": "given_name",
    "locale": "locale",
    "middleName": "middle_name",
    "photo": "picture",
    "preferredUsername": "preferred_username",
    "profile": "profile",
    "website": "website",
    "zoneinfo": "zoneinfo",
}
_ADDRESS_MEMBERS = {
    "country": "country",
    "formatted": "formatted",
    "postalCode": "postal_code",
    "region": "region",
}
_DEFAULT_PICTURE = "https://files.authing.co/authing-console/default-user-avatar.png"
_ADDRESS_FIELDS = frozenset({"country", "province", "city", "region", "streetAddress", "postalCode", "formatted"})
_OTHER_FIELDS = frozenset({"address", "browser", "company", "device", "externalId", "identityNumber", "locality"})
_UNSHOWN_FIELDS = frozenset({"locality"})  # sign-up takes it, UserDto has no place for it
_FIELDS = _ADDRESS_FIELDS | _OTHER_FIELDS | set(_CLAIM_OF_FIELD)

AccountKind = Literal["username", "email", "phone"]
"""A changeable name by which a user signs in."""

Source = Literal["adminCreated", "register"]


class AlreadyTakenError(ValueError):
    """Another user signs in with this name, address or number."""


class UserGoneError(LookupError):
    """The user was removed, perhaps during a request."""


@define(eq=False, kw_only=True)
class User:
    """A user. The flags may be set at any time; names, addresses and numbers change through the API only."""

    id: str = field(factory=lambda: secrets.token_hex(12), on_setattr=setters.frozen)
    username: str | None = field(default=None, on_setattr=setters.frozen)
    email: str | None = field(default=None, on_setattr=setters.frozen)
    phone: str | None = field(default=None, on_setattr=setters.frozen)
    phone_country_code: str = "+86"
    sam_account_name: str | None = field(default=None, on_setattr=setters.frozen)
    password: str | None = field(default=None, repr=redact)
    name: str | None = None
    nickname: str | None = None
    profile: dict[str, str] = field(factory=dict)
    custom_data: dict[str, object] = field(factory=dict)
    identities: list[dict[str, object]] = field(factory=list, repr=False)
    email_verified: bool = True
    phone_verified: bool = True
    locked_by_administrator: bool = False
    locked_by_failures: bool = False
    mfa_required: bool = False
    password_reset_required: bool = False
    password_expired: bool = False
    failed_passwords: int = 0
    source: Source = "adminCreated"
    created_at: float = 0
    updated_at: float = field(default=Factory(lambda user: user.created_at, takes_self=True))
    password_set_at: float | None = field(
        default=Factory(lambda user: None if user.password is None else user.created_at, takes_self=True)
    )
    logins: int = 0
    last_login_at: float | None = None

    def __attrs_post_init__(self) -> None:
        if unknown := sorted(set(self.profile) - _FIELDS):
            raise ValueError(f"the API has no profile field {unknown[0]!r}; it has {', '.join(sorted(_FIELDS))}")

    @property
    def locked(self) -> bool:
        """True if the user may not sign in, after too many wrong passwords or by decision of an administrator.

        Setting it is the administrator's decision: True lasts until it is set to False, which ends both kinds of lock.
        """
        return self.locked_by_administrator or self.locked_by_failures

    @locked.setter
    def locked(self, locked: bool) -> None:
        self.locked_by_administrator = locked
        self.locked_by_failures = self.locked_by_failures and locked

    @property
    def display_name(self) -> str:
        """The name that strangers may see: neither address nor number."""
        return self.name or self.nickname or self.username or self.id

    @property
    def photo(self) -> str:
        """The URL of the user's picture; empty if there is none."""
        return self.profile.get("photo", "")

    @property
    def must_replace_password(self) -> bool:
        """True if the user may not sign in before setting a new password."""
        return self.password_reset_required or self.password_expired

    def count_wrong_password(self, most: int) -> None:
        """Count a wrong password; the last of too many locks the user."""
        self.failed_passwords += 1
        self.locked_by_failures = self.locked_by_failures or self.failed_passwords >= most

    def has_password(self, password: str) -> bool:
        """Compare a password with the user's, if there is one."""
        return self.password is not None and same_text(password, self.password)

    def set_password(self, password: str, at: float) -> None:
        """Replace the password, as its owner does; this ends a required reset."""
        self.password = password
        self.password_set_at = self.updated_at = at
        self.password_reset_required = self.password_expired = False
        self.failed_passwords = 0

    def to_dto(self, scope: str, *, with_custom_data: bool, with_identities: bool) -> dict[str, object]:
        """Convert to UserDto, with the fields of the access token's scope."""
        scopes = set(scope.split())
        dto: dict[str, object] = {
            "userId": self.id,
            "createdAt": iso_time(self.created_at),
            "updatedAt": iso_time(self.updated_at),
            "status": "Activated",
            "workStatus": "Active",
            "gender": "U",
            "emailVerified": self.email is not None and self.email_verified,
            "phoneVerified": self.phone is not None and self.phone_verified,
            "userSourceType": self.source,
            "loginsCount": self.logins,
            "resetPasswordOnNextLogin": self.password_reset_required,
        }
        if self.last_login_at is not None:
            dto["lastLogin"] = iso_time(self.last_login_at)
        if self.password_set_at is not None:
            dto["passwordLastSetAt"] = iso_time(self.password_set_at)
        if scopes & {"profile", "username"}:
            dto["username"] = self.username
        if "profile" in scopes:
            dto |= {"name": self.name, "nickname": self.nickname}
            elsewhere = _ADDRESS_FIELDS | _UNSHOWN_FIELDS
            dto |= {name: text for name, text in self.profile.items() if name not in elsewhere}
        if "address" in scopes:
            dto |= {name: text for name, text in self.profile.items() if name in _ADDRESS_FIELDS}
        if "email" in scopes:
            dto["email"] = self.email
        if "phone" in scopes and self.phone is not None:
            dto |= {"phone": self.phone, "phoneCountryCode": self.phone_country_code}
        if with_custom_data:
            dto["customData"] = self.custom_data
        if with_identities:
            dto["identities"] = self.identities
        return {name: value for name, value in dto.items() if value is not None}

    def claims(self, scope: str) -> dict[str, object]:
        """Return the claims of ID tokens and the userinfo endpoint (OpenID Connect Core 5.4).

        As in the vendor's samples, claims that are unset are null, and `updated_at` is a text.
        """
        scopes = set(scope.split())
        claims: dict[str, object] = {}
        if "extended_fields" in scopes:
            claims |= self.custom_data
        if "profile" in scopes:
            claims |= {claim: self.profile.get(name) for name, claim in _CLAIM_OF_FIELD.items()}
            claims |= {
                "name": self.name,
                "nickname": self.nickname,
                "preferred_username": self.profile.get("preferredUsername", self.username),
                "gender": self.profile.get("gender", "U"),
                "picture": self.photo or _DEFAULT_PICTURE,
                "updated_at": iso_time(self.updated_at),
            }
        if "username" in scopes:
            claims["username"] = self.username
        if "email" in scopes:
            claims |= {"email": self.email, "email_verified": self.email is not None and self.email_verified}
        if "phone" in scopes:
            claims |= {
                "phone_number": self.phone,
                "phone_number_verified": self.phone is not None and self.phone_verified,
            }
        if "address" in scopes:
            claims["address"] = {member: self.profile.get(name) for name, member in _ADDRESS_MEMBERS.items()}
        if "external_id" in scopes:
            claims["external_id"] = self.profile.get("externalId")
        if "unionid" in scopes:
            claims["unionid"] = None
        return claims | {"sub": self.id}


class Users:
    """All users, indexed by the names, addresses and numbers that they sign in with."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_id: dict[str, User] = {}
        self._removed: dict[str, User] = {}
        self._by_key: dict[tuple[str, str], User] = {}

    def add(self, user: User) -> User:
        """Add a user.

        Raises:
            AlreadyTakenError: another user signs in with one of the names, addresses or numbers.
            ValueError: the user has none of them.
        """
        keys = _keys_of(user)
        if not keys:
            raise ValueError("a user needs a username, an email address, a phone number or a sAMAccountName")
        with self._lock:
            for kind, value in keys:
                self._refuse_taken(kind, value, user)
            self._by_key |= dict.fromkeys(keys, user)
            self._by_id[user.id] = user
        return user

    def change(self, user: User, kind: AccountKind, value: str | None) -> None:
        """Change or remove a user's username, email address or phone number.

        Raises:
            AlreadyTakenError: another user has it.
            UserGoneError: the user was removed.
        """
        with self._lock:
            if user.id not in self._by_id:
                raise UserGoneError("the user was removed")
            if value is not None:
                self._refuse_taken(kind, value, user)
            for key in _keys_of(user):
                del self._by_key[key]
            object.__setattr__(user, kind, value)  # frozen elsewhere, as it is a key of the index
            self._by_key |= dict.fromkeys(_keys_of(user), user)

    def remove(self, user: User) -> None:
        """Remove a user; the username, address and number are free again."""
        with self._lock:
            if user.id not in self._by_id:
                return
            self._removed[user.id] = user
            del self._by_id[user.id]
            for key in _keys_of(user):
                del self._by_key[key]

    def by_id(self, user_id: str) -> User:
        """Return the user of a grant, even a removed one."""
        found = self._by_id.get(user_id) or self._removed.get(user_id)
        if found is None:
            raise UserGoneError("there is no such user: a program got the grant for itself")
        return found

    @property
    def removed(self) -> list[User]:
        """The users who were removed."""
        return list(self._removed.values())

    def find(self, user_id: str | None) -> User | None:
        """Find the user of this id, unless removed."""
        return self._by_id.get(user_id or "")

    def by_username(self, username: str) -> User | None:
        return self._by_key.get(("username", username))

    def by_email(self, email: str) -> User | None:
        return self._by_key.get(("email", email.lower()))

    def by_phone(self, phone: str) -> User | None:
        return self._by_key.get(("phone", phone))

    def by_sam_account_name(self, name: str) -> User | None:
        return self._by_key.get(("sAMAccountName", name.lower()))

    def by_account(self, account: str) -> User | None:
        """Find the user of a username, email address or phone number."""
        return self.by_username(account) or self.by_email(account) or self.by_phone(account)

    def __iter__(self) -> Iterator[User]:
        return iter(list(self._by_id.values()))

    def _refuse_taken(self, kind: str, value: str, user: User) -> None:
        # A username that is another's address would catch their sign-ins by `account`.
        holder = self.by_sam_account_name(value) if kind == "sAMAccountName" else self.by_account(value)
        if holder not in {None, user}:
            raise AlreadyTakenError(f"there is a user with the {kind} {value} already")


def _keys_of(user: User) -> list[tuple[str, str]]:
    keys = {
        "username": user.username,
        "email": user.email and user.email.lower(),
        "phone": user.phone,
        "sAMAccountName": user.sam_account_name and user.sam_account_name.lower(),
    }
    return [(kind, value) for kind, value in keys.items() if value]
