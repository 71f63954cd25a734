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
    """

    text: str
    error: str | None = None
    says: str = ""
    unknown: bool = False

    def explains(self, answer: Answer) -> bool:
        """Return True if the answer is this outcome."""
        return (
            answer.error == self.error
            and answer.outcome_unknown == self.unknown
            and re.search(self.says, answer.message) is not None
        )


_UNAVAILABLE: Final = "RefreshUnavailableError"
_EXPIRED: Final = "SessionExpiredError"

NEW: Final = Outcome("new token")
PRESENT: Final = Outcome("present token")
MARKED: Final = Outcome("marked", _UNAVAILABLE, "A refresh was sent and its answer lost", unknown=True)
UNANSWERED: Final = Outcome("unanswered", _UNAVAILABLE, "The access token could not be refreshed", unknown=True)
REFUSED: Final = Outcome("refused", _UNAVAILABLE, "The access token could not be refreshed")
LOCKED: Final = Outcome("locked", "StoreError", "Could not acquire the session lock .*: process .* may be suspended")
DOWN: Final = Outcome("store down", "StoreError", "Redis cannot be used now")
GONE: Final = Outcome("no longer stored", _EXPIRED, "the store no longer has it: .* or the store lost it")
EMPTY: Final = Outcome("not stored", _EXPIRED, "the store has no session under this key")
ENDED: Final = Outcome("ended", _EXPIRED, "the server no longer accepts the refresh token")

OUTCOMES: Final = (NEW, PRESENT, MARKED, UNANSWERED, REFUSED, LOCKED, DOWN, GONE, EMPTY, ENDED)


def text_of(answer: Answer, present_token: str) -> str:
    """Return the outcome of an answer in the table's words."""
    if answer.token is not None:
        return PRESENT.text if answer.token == present_token else NEW.text
    found = [outcome.text for outcome in OUTCOMES if outcome.error is not None and outcome.explains(answer)]
    return found[0] if found else f"{answer.error}: {answer.message}"
