"""Whether to try again, and when: a pure function of the attempt and its outcome."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from .._wire.request import Repeat
from ..settings import RetryPolicy


@frozen(kw_only=True)
class Outcome:
    """How a try ended.

    Attributes:
        sent: False when no connection was made.
        status: the answer's status (the envelope's where there is one); None when no answer arrived whole.
        retry_after: seconds to wait as told by the server, or None.
    """

    sent: bool = True
    status: int | None = None
    retry_after: float | None = None


def wait_before_retry(
    policy: RetryPolicy, repeat: Repeat, attempt: int, outcome: Outcome, draw: Callable[[], float]
) -> float | None:
    """Seconds to wait before the next try, or None to stop.

    Args:
        policy: how often and how patiently.
        repeat: what a second try could do.
        attempt: the number of tries made.
        outcome: how the last one ended.
        draw: gives a number in [0, 1).
    """
    if attempt >= policy.attempts or not _worth_retrying(repeat, outcome):
        return None
    backoff = draw() * min(policy.backoff * 2.0 ** min(attempt - 1, _DOUBLINGS), policy.max_backoff)
    if outcome.retry_after is None:
        return backoff
    # Later rather than earlier, and not with all the others who were told the same.
    return outcome.retry_after + backoff if outcome.retry_after <= policy.max_retry_after else None


_DOUBLINGS = 64
_TOO_MANY_REQUESTS = 429
_UNAVAILABLE = 503


def _worth_retrying(repeat: Repeat, outcome: Outcome) -> bool:
    if not outcome.sent or outcome.status == _TOO_MANY_REQUESTS:
        return True
    return repeat is Repeat.SAFE and outcome.status in {None, _UNAVAILABLE}
