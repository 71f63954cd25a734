"""Session errors."""

from __future__ import annotations

from typing import Literal

from ._base import GenAuthError


class SessionError(GenAuthError):
    """The session has no valid access token."""


EndReason = Literal[
    "revoked",
    "logged_out",
    "replaced_by_new_sign_in",
    "lost_answer",
    "identity_changed",
    "not_signed_in",
    "no_refresh_token",
]


class SessionExpiredError(SessionError):
    """The session has ended; the user has to sign in again.

    Attributes:
        reason: the reason.

            * `revoked`: the server no longer accepts the refresh token (`invalid_grant`).
            * `lost_answer`: the same, after the answer to an earlier refresh was lost; the server may have taken the
              second use of the refresh token for theft.
            * `logged_out`: `logout` was called, here or in another process, or the store has lost the session.
            * `replaced_by_new_sign_in`: another sign-in was stored under the session's key.
            * `identity_changed`: a refresh gave an ID token with another issuer, user or audience; the new tokens are
              revoked, and no caller gets them.
            * `not_signed_in`: the store has no session under the key.
            * `no_refresh_token`: the access token has expired, and the sign-in gave no refresh token.
    """

    def __init__(self, message: str, reason: EndReason = "revoked") -> None:
        super().__init__(message)
        self.reason: EndReason = reason


class RefreshUnavailableError(SessionError):
    """The access token has expired and could not be refreshed now; the session is kept, and a later call tries again.

    Attributes:
        outcome_unknown: True if the refresh token was sent and its answer lost, so that the server may have used it.
        retry_after: the seconds after which the session tries again; None if the next call does.
        attempts: the number of attempts to refresh these tokens so far.
    """

    def __init__(
        self,
        message: str,
        *,
        outcome_unknown: bool = False,
        retry_after: float | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown
        self.retry_after = retry_after
        self.attempts = attempts

    _is_transient = True


class StoreError(RefreshUnavailableError):
    """The session's store failed, its lock is held elsewhere, or its record is unreadable; the session is kept."""


class StoreLockedError(StoreError):
    """Another task or process holds the lock of the session's store; the session is kept."""


class StoreUnusableError(StoreError):
    """The session's store cannot be used until its setup is changed, as the message says; the session is kept."""

    _is_transient = False
