"""The retry decision, a pure function of the attempt and its outcome."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from .._wire.request import Idempotency
from ..settings import RetryPolicy


@frozen(kw_only=True)
class Outcome:
    """The outcome of one attempt.

    Attributes:
        sent: False when no connection was made.
        status: the answer's status (the envelope's if there is one); None when no complete answer arrived.
        retry_after: the seconds to wait that the server asked for, or None.
    """

    sent: bool = True
    status: int | None = None
    retry_after: float | None = None


def wait_before_retry(
    policy: RetryPolicy, idempotency: Idempotency, attempt: int, outcome: Outcome, draw: Callable[[], float]
) -> float | None:
    """Return the seconds to wait before the next attempt, or None to stop.

    Args:
        policy: the number of attempts and the waits between them.
        idempotency: the effect of a repeated request.
        attempt: the number of attempts made.
        outcome: of the last one.
        draw: returns a number in [0, 1).
    """
    if attempt >= policy.attempts or not _worth_retrying(idempotency, outcome):
        return None
    backoff = draw() * min(policy.backoff * 2.0 ** min(attempt - 1, _DOUBLINGS), policy.max_backoff)
    if outcome.retry_after is None:
        return backoff
    # Never earlier, and not at the same moment as all other clients with the same Retry-After.
    return outcome.retry_after + backoff if outcome.retry_after <= policy.max_retry_after else None


_DOUBLINGS = 64
_TOO_MANY_REQUESTS = 429
_UNAVAILABLE = 503


def _worth_retrying(idempotency: Idempotency, outcome: Outcome) -> bool:
    if not outcome.sent or outcome.status == _TOO_MANY_REQUESTS:
        return True
    return idempotency is Idempotency.SAFE and outcome.status in {None, _UNAVAILABLE}
