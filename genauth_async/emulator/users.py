"""The users, as the directory knows them and as the API shows them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from threading import Lock

from attrs import define, field, setters

from genauth_async._masking import masked

from .clock import iso_time

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
_ADDRESS_FIELDS = frozenset({"country", "province", "city", "region", "streetAddress", "postalCode", "formatted"})
_OTHER_FIELDS = frozenset({"address", "company", "externalId"})
_FIELDS = _ADDRESS_FIELDS | _OTHER_FIELDS | set(_CLAIM_OF_FIELD)


@define(eq=False, kw_only=True)
class User:
    """A user. The flags may be set at any time; what the user is looked up by is fixed."""

    id: str = field(on_setattr=setters.frozen)
    username: str | None = field(default=None, on_setattr=setters.frozen)
    email: str | None = field(default=None, on_setattr=setters.frozen)
    phone: str | None = field(default=None, on_setattr=setters.frozen)
    phone_country_code: str = "+86"
    sam_account_name: str | None = field(default=None, on_setattr=setters.frozen)
    password: str | None = field(default=None, repr=masked)
    name: str | None = None
    nickname: str | None = None
    profile: dict[str, str] = field(factory=dict)
    custom_data: dict[str, object] = field(factory=dict)
    identities: list[dict[str, object]] = field(factory=list, repr=False)
    email_verified: bool = True
    phone_verified: bool = True
    locked: bool = False
    mfa_required: bool = False
    password_reset_required: bool = False
    failed_passwords: int = 0
    created_at: float = 0
    logins: int = 0
    last_login_at: float | None = None

    def __attrs_post_init__(self) -> None:
        if unknown := sorted(set(self.profile) - _FIELDS):
            raise ValueError(f"the API has no profile field {unknown[0]!r}; it has {', '.join(sorted(_FIELDS))}")

    def has_password(self, password: str) -> bool:
        """Whether this is the user's password."""
        if self.password is None:
            return False
        # JSON can hold lone surrogates, which plain UTF-8 cannot.
        return compare_digest(self.password.encode("utf-8", "surrogatepass"), password.encode("utf-8", "surrogatepass"))

    def to_dto(self, scope: str, *, with_custom_data: bool, with_identities: bool) -> dict[str, object]:
        """The user as UserDto, with the fields that the scope of the access token opens."""
        scopes = set(scope.split())
        dto: dict[str, object] = {
            "userId": self.id,
            "createdAt": iso_time(self.created_at),
            "updatedAt": iso_time(self.created_at),
            "status": "Activated",
            "workStatus": "Active",
            "gender": "U",
            "emailVerified": self.email is not None and self.email_verified,
            "phoneVerified": self.phone is not None and self.phone_verified,
            "userSourceType": "adminCreated",
            "loginsCount": self.logins,
            "resetPasswordOnNextLogin": self.password_reset_required,
        }
        if self.last_login_at is not None:
            dto["lastLogin"] = iso_time(self.last_login_at)
        if scopes & {"profile", "username"}:
            dto["username"] = self.username
        if "profile" in scopes:
            dto |= {"name": self.name, "nickname": self.nickname}
            dto |= {name: text for name, text in self.profile.items() if name not in _ADDRESS_FIELDS}
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
        """What ID tokens and the userinfo endpoint tell about the user (OpenID Connect Core 5.4)."""
        scopes = set(scope.split())
        claims: dict[str, object] = {"sub": self.id}
        if "profile" in scopes:
            claims |= {"name": self.name, "nickname": self.nickname, "preferred_username": self.username}
            claims |= {claim: self.profile[name] for name, claim in _CLAIM_OF_FIELD.items() if name in self.profile}
            claims["updated_at"] = iso_time(self.created_at)
        if "username" in scopes:
            claims["username"] = self.username
        if "email" in scopes and self.email is not None:
            claims |= {"email": self.email, "email_verified": self.email_verified}
        if "phone" in scopes and self.phone is not None:
            claims |= {"phone_number": self.phone, "phone_number_verified": self.phone_verified}
        return {name: value for name, value in claims.items() if value is not None}


class Users:
    """All users, found by whatever they sign in with."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_id: dict[str, User] = {}
        self._by_key: dict[tuple[str, str], User] = {}

    def add(
        self,
        *,
        created_at: float,
        username: str | None,
        email: str | None,
        phone: str | None,
        phone_country_code: str,
        sam_account_name: str | None,
        password: str | None,
        name: str | None,
        nickname: str | None,
        profile: Mapping[str, str],
        custom_data: Mapping[str, object],
        identities: Sequence[Mapping[str, object]],
    ) -> User:
        user = User(
            id=secrets.token_hex(12),
            created_at=created_at,
            username=username,
            email=email,
            phone=phone,
            phone_country_code=phone_country_code,
            sam_account_name=sam_account_name,
            password=password,
            name=name,
            nickname=nickname,
            profile=dict(profile),
            custom_data=dict(custom_data),
            identities=[dict(identity) for identity in identities],
        )
        keys = {
            "username": username,
            "email": email and email.lower(),
            "phone": phone,
            "sAMAccountName": sam_account_name and sam_account_name.lower(),
        }
        entries = {(kind, value): user for kind, value in keys.items() if value}
        if not entries:
            raise ValueError("a user needs a username, an email address, a phone number or a sAMAccountName")
        with self._lock:
            if taken := [f"{kind} {value}" for kind, value in entries if (kind, value) in self._by_key]:
                raise ValueError(f"there is a user with the {taken[0]} already")
            self._by_key |= entries
            self._by_id[user.id] = user
        return user

    def by_id(self, user_id: str) -> User:
        """The user of a grant; users are never removed."""
        return self._by_id[user_id]

    def by_username(self, username: str) -> User | None:
        return self._by_key.get(("username", username))

    def by_email(self, email: str) -> User | None:
        return self._by_key.get(("email", email.lower()))

    def by_phone(self, phone: str) -> User | None:
        return self._by_key.get(("phone", phone))

    def by_sam_account_name(self, name: str) -> User | None:
        return self._by_key.get(("sAMAccountName", name.lower()))

    def by_account(self, account: str) -> User | None:
        """Whoever has this username, email address or phone number, in this order."""
        return self.by_username(account) or self.by_email(account) or self.by_phone(account)
