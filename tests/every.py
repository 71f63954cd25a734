"""Check every case of a table in one test, which lists all that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

_T = TypeVar("_T")


def check_every(cases: Iterable[_T], check: Callable[[_T], None], name: Callable[[_T], str] = str) -> None:
    """Run the check on each case.

    Raises:
        AssertionError: there are no cases, or some failed; it lists these by name, each with its error.
    """
    given = list(cases)
    assert given, "there are no cases"
    failed: list[str] = []
    for case in given:
        try:
            check(case)
        except Exception as error:  # noqa: BLE001 - the next cases are checked all the same
            failed.append(f"{name(case)}: {type(error).__name__}: {error}")
    assert not failed, "\n".join([f"{len(failed)} of {len(given)} failed:", *failed])
