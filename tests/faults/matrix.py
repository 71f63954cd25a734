"""All cases, and the page that shows them: `python -m tests.faults.matrix` writes it anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.faults import crowds, redis_faults, server, stops
from tests.faults.cases import Case

SECTIONS: Final = {
    "A process is killed or suspended": tuple(stops.cases()),
    "The server, and the network before it": tuple(server.cases()),
    "Redis": tuple(redis_faults.cases()),
    "Many processes": tuple(crowds.cases()),
}
CASES: Final = tuple(case for cases in SECTIONS.values() for case in cases)
PAGE: Final = Path(__file__).parents[2] / "docs" / "sessions-reference.md"

_COLUMNS: Final = (
    "fault",
    "store",
    "server",
    "this process",
    "another process",
    "afterwards",
    "refreshes",
    "grant",
)


def page(head: str) -> str:
    """The whole page.

    Args:
        head: what stands before the tables.
    """
    tables = (f"### {title}\n\n{_table(cases)}\n" for title, cases in SECTIONS.items())
    return f"{head}\n" + "\n".join(tables)


def head_of(text: str) -> str:
    """Return the part written by hand: all before the first section that is a table of cases."""
    return text[: text.index(f"\n### {next(iter(SECTIONS))}\n")]


def _table(cases: Iterable[Case]) -> str:
    heading, *lines = (f"| {' | '.join(line)} |" for line in (_COLUMNS, *_merged(cases)))
    return "\n".join([heading, "|---" * len(_COLUMNS) + "|", *lines])


def _merged(cases: Iterable[Case]) -> Iterator[tuple[str, ...]]:
    """Yield one line where all stores behave alike."""
    by_fault: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        by_fault.setdefault((case.fault, case.server), []).append(case)
    for alike in by_fault.values():
        for cells, stores in groupby(alike, key=lambda case: case.cells()):
            yield (cells[0], ", ".join(case.store for case in stores), *cells[1:])


if __name__ == "__main__":
    PAGE.write_text(page(head_of(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")
