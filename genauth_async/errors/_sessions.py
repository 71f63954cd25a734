"""A session cannot give a valid access token."""

from __future__ import annotations

from ._base import GenAuthError


class SessionError(GenAuthError):
    """The session cannot give a valid access token."""


class SessionExpiredError(SessionError):
    """The session has ended; the user has to sign in again."""


class RefreshUnavailableError(SessionError):
    """The access token has expired and could not be refreshed now; the session is kept.

    Attributes:
        outcome_unknown: True when a refresh was sent and its answer lost. The server may have rotated the refresh
            token, and would revoke the whole grant if the old one came again, so the session does not send it again by
            itself. `refresh(resend=True)` takes that risk; signing the user in again avoids it.
        retry_after: seconds to wait as told by the server, or None.
    """

    def __init__(self, message: str, *, outcome_unknown: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown
        self.retry_after = retry_after


class StoreError(RefreshUnavailableError):
    """The session's store failed, nobody lets go of its lock, or its record cannot be read; the session is kept."""
