"""All cases, and the table of what they do in each way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import anyio

from tests.conformance import codings, connecting, framing, heads, keep_alive, left_overs, proxies, secure
from tests.conformance.case import Case, Observed, expected, run
from tests.conformance.ways import Way

CASES: Final = [
    *keep_alive.CASES,
    *left_overs.CASES,
    *framing.CASES,
    *heads.CASES,
    *codings.CASES,
    *connecting.CASES,
    *proxies.CASES,
    *secure.CASES,
]


def rows(cases: Iterable[Case], ways: Iterable[Way]) -> Iterator[tuple[bool, str]]:
    """Run the cases; yield Markdown rows, and whether each is as expected. Equal ways share a row."""
    for case in cases:
        found: dict[Observed, list[Way]] = {}
        right: dict[Observed, bool] = {}
        for way in ways:
            if case.runs(way):
                observed = observe(case, way)
                found.setdefault(observed, []).append(way)
                right[observed] = observed == expected(case, way, observed) and observed.seconds < case.within
        for observed, same in found.items():
            names = "all" if len(found) == 1 else ", ".join(map(str, same))
            outcomes = "; ".join(dict.fromkeys(observed.outcomes)).replace("|", "\\|")
            numbers = f"{observed.attempts} | {observed.connections} | {observed.requests}"
            mark = "" if right[observed] else "**not as expected** "
            yield right[observed], f"| {case} | {names} | {numbers} | {mark}{outcomes} |"


def observe(case: Case, way: Way) -> Observed:
    """Run a case in one way, on an event loop of its own."""
    backend, options = way.backend
    return anyio.run(run, case, way, backend=backend, backend_options=options)
