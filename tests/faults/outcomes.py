"""Outcomes for a caller, in the words of the table of cases."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from tests.faults.worker import Answer


@frozen
class Outcome:
    """An expected outcome for a caller.

    Attributes:
        text: its name in the table.
        error: the name of the error, None for a token.
        says: what its message has in it, a regular expression.
        unknown: its outcome_unknown.
        reason: its reason.
    """

    text: str
    error: str | None = None
    says: str = ""
    unknown: bool = False
    reason: str | None = None

    def explains(self, answer: Answer) -> bool:
        """Return True if the answer is this outcome."""
        return (
            answer.error == self.error
            and answer.outcome_unknown == self.unknown
            and answer.reason == self.reason
            and re.search(self.says, answer.message) is not None
        )


_UNAVAILABLE: Final = "RefreshUnavailableError"
_EXPIRED: Final = "SessionExpiredError"

NEW: Final = Outcome("new token")
PRESENT: Final = Outcome("present token")
UNANSWERED: Final = Outcome("unanswered", _UNAVAILABLE, "The access token could not be refreshed", unknown=True)
REFUSED: Final = Outcome("refused", _UNAVAILABLE, "The access token could not be refreshed")
LOCKED: Final = Outcome(
    "locked", "StoreLockedError", "Could not acquire the session lock .*: process .* may be suspended"
)
DOWN: Final = Outcome("store down", "StoreError", "Redis cannot be used now")
LOST: Final = Outcome("answer lost", _EXPIRED, reason="lost_answer")
GONE: Final = Outcome("no longer stored", _EXPIRED, reason="logged_out")
EMPTY: Final = Outcome("not stored", _EXPIRED, reason="not_signed_in")
REPLACED: Final = Outcome("replaced", _EXPIRED, reason="replaced_by_new_sign_in")

OUTCOMES: Final = (NEW, PRESENT, UNANSWERED, REFUSED, LOCKED, DOWN, LOST, GONE, EMPTY, REPLACED)


def text_of(answer: Answer, present_token: str) -> str:
    """Return the outcome of an answer in the table's words."""
    if answer.token is not None:
        return PRESENT.text if answer.token == present_token else NEW.text
    found = [outcome.text for outcome in OUTCOMES if outcome.error is not None and outcome.explains(answer)]
    return found[0] if found else f"{answer.error}: {answer.message}"
