"""Programming access accounts: keys by which programs, not users, get tokens (grant type client_credentials)."""

from __future__ import annotations

import secrets
from threading import Lock

from attrs import field, frozen

from genauth_async._core.redaction import masked


@frozen(kw_only=True)
class AccessAccount:
    """A key and its secret, which get tokens for an application."""

    access_key: str
    access_secret: str = field(repr=masked)
    app_id: str


class AccessAccounts:
    """All access accounts."""

    def __init__(self, default_app_id: str) -> None:
        self._default_app_id = default_app_id
        self._lock = Lock()
        self._accounts: dict[str, AccessAccount] = {}

    def add(self, *, app_id: str | None = None) -> AccessAccount:
        """A new account, of the emulator's first application unless told otherwise."""
        account = AccessAccount(
            access_key=secrets.token_hex(12),
            access_secret=secrets.token_hex(16),
            app_id=app_id or self._default_app_id,
        )
        with self._lock:
            self._accounts[account.access_key] = account
        return account

    def remove(self, account: AccessAccount) -> None:
        """Let an account get no more tokens."""
        with self._lock:
            self._accounts.pop(account.access_key, None)

    def find(self, access_key: str) -> AccessAccount | None:
        """The account of a key."""
        return self._accounts.get(access_key)
