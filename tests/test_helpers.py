"""Helpers of the tests: checks of every case."""

from __future__ import annotations

import pytest

from tests.every import check_every


def test_every_failure_is_listed_by_name() -> None:
    def check(number: int) -> None:
        assert number % 2, "it is even"
        assert 10 // (number - 3)

    with pytest.raises(AssertionError) as caught:
        check_every([1, 2, 3, 4], check)
    lines = str(caught.value).splitlines()
    assert lines[0] == "3 of 4 failed:"
    assert [line.partition(": ")[0] for line in lines if line[:1].isdigit()][1:] == ["2", "3", "4"]
    with pytest.raises(AssertionError, match="there are no cases"):
        check_every([], check)
