"""Whether to try again, and when: a pure function of the attempt and its outcome."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen, validators

from ._request import Repeat


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is tried again.

    Which outcomes are tried again does not depend on this, but on what a second try could do: a connection that was
    never made and 429 always are; 503 and a lost answer only where the call reads, never for a refresh, a code
    exchange, a sign-up or a message sent.

    Attributes:
        attempts: tries in all; 1 turns retrying off.
        backoff: seconds before the second try at most; doubles with each further one. The wait is drawn evenly between
            zero and this, so that clients do not come back all at once.
        max_backoff: seconds between two tries at most.
        max_retry_after: the longest Retry-After, in seconds, that is waited for; a longer one is raised to the caller.
    """

    attempts: int = field(default=3, validator=validators.ge(1))
    backoff: float = field(default=0.25, validator=validators.ge(0))
    max_backoff: float = field(default=4.0, validator=validators.ge(0))
    max_retry_after: float = field(default=20.0, validator=validators.ge(0))


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
