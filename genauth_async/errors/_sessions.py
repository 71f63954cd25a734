"""Session errors."""

from __future__ import annotations

from ._base import GenAuthError


class SessionError(GenAuthError):
    """The session has no valid access token."""


class SessionExpiredError(SessionError):
    """The session has ended; the user has to sign in again."""


class RefreshUnavailableError(SessionError):
    """The access token has expired and could not be refreshed now; the session is kept.

    Attributes:
        outcome_unknown: True when a refresh was sent and its answer lost. The server may have rotated the refresh
            token. It would then revoke the whole grant if it received the old one again, so the session does not resend
            it by itself. `refresh(resend=True)` takes that risk; signing the user in again avoids it.
        retry_after: the seconds to wait that the server asked for, or None.
    """

    def __init__(self, message: str, *, outcome_unknown: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown
        self.retry_after = retry_after


class StoreError(RefreshUnavailableError):
    """The session's store failed, its lock is held elsewhere, or its record is unreadable; the session is kept."""
