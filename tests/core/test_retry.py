from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genauth_async import RetryPolicy
from genauth_async._http.retry import Outcome, wait_before_retry
from genauth_async._wire.request import Idempotency


def decide(
    idempotency: Idempotency, outcome: Outcome, attempt: int = 1, policy: RetryPolicy | None = None
) -> float | None:
    return wait_before_retry(policy or RetryPolicy(), idempotency, attempt, outcome, lambda: 0.5)


@pytest.mark.parametrize(
    ("outcome", "safe", "harmful"),
    [
        (Outcome(sent=False), True, True),
        (Outcome(status=429), True, True),
        (Outcome(status=503), True, False),
        (Outcome(), True, False),
        (Outcome(status=200), False, False),
        (Outcome(status=400), False, False),
        (Outcome(status=500), False, False),
        (Outcome(status=502), False, False),
    ],
)
def test_what_is_tried_again(outcome: Outcome, safe: bool, harmful: bool) -> None:
    assert (decide(Idempotency.SAFE, outcome) is not None) is safe
    assert (decide(Idempotency.UNSAFE, outcome) is not None) is harmful


def test_waits_as_long_as_the_server_says_up_to_a_cap() -> None:
    alike = RetryPolicy(backoff=0.0)
    assert decide(Idempotency.UNSAFE, Outcome(status=429, retry_after=7.0), policy=alike) == 7.0
    assert decide(Idempotency.UNSAFE, Outcome(status=429, retry_after=21.0)) is None


def test_retries_after_an_equal_retry_after_are_spread_out() -> None:
    outcome = Outcome(status=429, retry_after=7.0)
    draws: list[Callable[[], float]] = [lambda: 0.0, lambda: 0.9]
    waits = [wait_before_retry(RetryPolicy(), Idempotency.SAFE, 1, outcome, draw) for draw in draws]
    assert waits == [7.0, 7.225]


def test_attempts_run_out() -> None:
    assert decide(Idempotency.SAFE, Outcome(), attempt=2) is not None
    assert decide(Idempotency.SAFE, Outcome(), attempt=3) is None
    assert decide(Idempotency.SAFE, Outcome(), policy=RetryPolicy(attempts=1)) is None


@given(
    attempt=st.integers(1, 60),
    drawn=st.floats(0, 1, exclude_max=True),
    backoff=st.floats(0, 10),
    most=st.floats(0, 60),
)
def test_backoff_grows_and_is_bounded(attempt: int, drawn: float, backoff: float, most: float) -> None:
    policy = RetryPolicy(attempts=100, backoff=backoff, max_backoff=most)
    wait = wait_before_retry(policy, Idempotency.SAFE, attempt, Outcome(), lambda: drawn)
    assert wait is not None
    assert 0 <= wait <= most
    longest = [
        wait_before_retry(policy, Idempotency.SAFE, a, Outcome(), lambda: 1.0) or 0 for a in (attempt, attempt + 1)
    ]
    assert longest == sorted(longest)


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"backoff": -1.0}, {"max_retry_after": -0.1}])
def test_impossible_policies_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RetryPolicy(**wrong)


def test_the_thousandth_try_still_has_a_wait() -> None:
    policy = RetryPolicy(attempts=5000)
    wait = wait_before_retry(policy, Idempotency.SAFE, 4000, Outcome(sent=False), lambda: 0.5)
    assert wait == policy.max_backoff / 2


def test_the_limits_of_a_wait_are_inclusive() -> None:
    outcomes = [Outcome(status=429, retry_after=seconds) for seconds in (20.0, 20.1)]
    assert [wait_before_retry(RetryPolicy(), Idempotency.SAFE, 1, outcome, lambda: 0.0) for outcome in outcomes] == [
        20.0,
        None,
    ]
    policy = RetryPolicy(attempts=50)
    waits = [wait_before_retry(policy, Idempotency.SAFE, attempt, Outcome(), lambda: 1.0) for attempt in range(1, 8)]
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
