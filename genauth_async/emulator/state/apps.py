"""Applications and programming access accounts: the OAuth clients."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from functools import cached_property
from threading import Lock
from typing import Literal

from attrs import field, frozen, validators
from joserfc.jwk import OctKey

from genauth_async._core.redaction import redact

AuthMethod = Literal["client_secret_post", "client_secret_basic", "none"]
Endpoint = Literal["token", "introspection", "revocation"]

DEFAULT_AUTH_METHOD: AuthMethod = "client_secret_post"

_auth_method = validators.in_(("client_secret_post", "client_secret_basic", "none"))


@frozen(kw_only=True, slots=False)
class App:
    """An application (an OAuth client), and its authentication method at each kind of endpoint."""

    app_id: str
    app_secret: str = field(repr=redact)
    name: str = ""
    token_endpoint_auth_method: AuthMethod = field(validator=_auth_method)
    introspection_endpoint_auth_method: AuthMethod = field(validator=_auth_method)
    revocation_endpoint_auth_method: AuthMethod = field(validator=_auth_method)

    @property
    def display_name(self) -> str:
        """The name that users read."""
        return self.name or self.app_id

    @cached_property
    def signing_key(self) -> OctKey:
        """The secret, as the key of HS256 tokens."""
        secret = self.app_secret.encode()
        return OctKey(secret, secret)  # `import_key` would warn of the short secrets that tests like to choose

    def auth_method_at(self, endpoint: Endpoint) -> AuthMethod:
        """The authentication method at an endpoint."""
        if endpoint == "introspection":
            return self.introspection_endpoint_auth_method
        if endpoint == "revocation":
            return self.revocation_endpoint_auth_method
        return self.token_endpoint_auth_method


def new_app(
    *,
    app_id: str | None,
    app_secret: str | None,
    name: str = "",
    token_endpoint_auth_method: AuthMethod,
    introspection_endpoint_auth_method: AuthMethod | None,
    revocation_endpoint_auth_method: AuthMethod | None,
) -> App:
    """Create an application, with an id and a secret in the vendor's style unless given."""
    return App(
        app_id=app_id or secrets.token_hex(12),
        app_secret=app_secret or secrets.token_hex(16),
        name=name,
        token_endpoint_auth_method=token_endpoint_auth_method,
        introspection_endpoint_auth_method=introspection_endpoint_auth_method or token_endpoint_auth_method,
        revocation_endpoint_auth_method=revocation_endpoint_auth_method or token_endpoint_auth_method,
    )


@frozen(kw_only=True)
class AccessAccount:
    """A key and its secret, by which a program, not a user, gets tokens for an application.

    Attributes:
        id: the audience of its tokens.
        lifetime: of its tokens, in seconds; that of all access tokens when None.
        scopes: those that it is granted; None for all.
    """

    id: str
    access_key: str
    access_secret: str = field(repr=redact)
    app_id: str
    lifetime: int | None = None
    scopes: tuple[str, ...] | None = None

    def may_have(self, scope: str) -> bool:
        """Return whether it is granted a scope, such as `book:read`."""
        if self.scopes is None or scope in self.scopes:
            return True
        asked = _resource_id_and_action(scope)
        return any(
            all(part in {"*", wish} for part, wish in zip(_resource_id_and_action(granted), asked, strict=True))
            for granted in self.scopes
        )


def _resource_id_and_action(scope: str) -> tuple[str, str, str]:
    """Split a scope as GenAuth documents it: `book`, `book:read` and `book:1:read`, with * for all."""
    resource, _, rest = scope.partition(":")
    number, colon, action = rest.rpartition(":")
    return resource, number if colon else "*", action or "*"


class AccessAccounts:
    """All programming access accounts (grant type client_credentials)."""

    def __init__(self, default_app_id: str) -> None:
        self._default_app_id = default_app_id
        self._lock = Lock()
        self._accounts: dict[str, AccessAccount] = {}

    def add(
        self, *, app_id: str | None = None, lifetime: int | None = None, scopes: Iterable[str] | None = None
    ) -> AccessAccount:
        """Create an account.

        Args:
            app_id: its application; the emulator's first when None.
            lifetime: of its access tokens, in seconds; that of users' access tokens when None.
            scopes: those that it is granted, such as "book:read" or "book:*"; others are left out of its tokens, and
                named in `rejected_scope`. None grants all.
        """
        account = AccessAccount(
            id=secrets.token_hex(12),
            access_key=secrets.token_hex(12),
            access_secret=secrets.token_hex(16),
            app_id=app_id or self._default_app_id,
            lifetime=lifetime,
            scopes=None if scopes is None else (scopes,) if isinstance(scopes, str) else tuple(scopes),
        )
        with self._lock:
            self._accounts[account.access_key] = account
        return account

    def remove(self, account: AccessAccount) -> None:
        """Remove an account, which gets no more tokens."""
        with self._lock:
            self._accounts.pop(account.access_key, None)

    def find(self, access_key: str) -> AccessAccount | None:
        """Find the account of a key."""
        return self._accounts.get(access_key)

    def restore(self, accounts: Iterable[AccessAccount]) -> None:
        """Add accounts of another emulator."""
        with self._lock:
            self._accounts |= {account.access_key: account for account in accounts}

    def __iter__(self) -> Iterator[AccessAccount]:
        return iter(list(self._accounts.values()))
