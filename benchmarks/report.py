"""Results as text, Markdown and JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import Distribution, version
from typing import Any, Final

from attrs import asdict

from .lab import Figure, Verdict

BEGIN: Final = "<!-- written by: python -m benchmarks --publish -->"
END: Final = "<!-- end -->"
_PACKAGES: Final = (
    *("genauth-async", "aiohttp", "httpx", "httpx2", "genauth"),
    *("authlib", "msal", "joserfc", "pyjwt", "gmssl"),
)
_MANY: Final = 1000


def shown(value: float, unit: str) -> str:
    """Format a number with its unit, to a useful precision."""
    if unit == "x":
        return f"{value:.2f} x"
    number = f"{value:,.0f}" if value >= _MANY or value == int(value) else f"{value:.4g}"
    return f"{number} {unit}".rstrip()


def figures_as_text(figures: Iterable[Figure]) -> str:
    """Format figures, one per line, grouped by case."""
    lines: list[str] = []
    case = None
    for figure in figures:
        if figure.case != case:
            case = figure.case
            lines.append(case)
        lines.append(f"  {figure.name:44} {shown(figure.value, figure.unit):>14}")
    return "\n".join(lines)


def verdicts_as_text(verdicts: Sequence[Verdict]) -> str:
    """Format verdicts, one per line, and the number that passed."""
    lines = [
        f"{'pass ' if verdict.passed else 'SHORT'}  {shown(verdict.reached, verdict.unit):>10}  "
        f"{verdict.sense} {shown(verdict.bound, verdict.unit):9}  {verdict.work}"
        for verdict in verdicts
    ]
    passed = sum(verdict.passed for verdict in verdicts)
    return "\n".join([*lines, f"{passed} of {len(verdicts)} pass"])


def as_json(figures: Sequence[Figure], verdicts: Sequence[Verdict], *, quick: bool) -> str:
    """Format all results, and the machine they were measured on."""
    document = {
        "quick": quick,
        **_circumstances(),
        "figures": [asdict(figure) for figure in figures],
        "verdicts": [{**asdict(verdict), "passed": verdict.passed} for verdict in verdicts],
    }
    return json.dumps(document, indent=2) + "\n"


def as_markdown(figures: Sequence[Figure], verdicts: Sequence[Verdict]) -> str:
    """Format tables: verdicts, sign-ins and refreshes per second, and the layers of a sign-in."""
    about = _circumstances()
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    head = (
        f"Measured on {about['day']}, Python {about['python']}, {about['system']}, {about['cores']} cores; {packages}."
    )
    parts = [
        head,
        _verdicts(verdicts),
        *(_grid(figures, section, "sign-ins") for section in ("sign-in", "sync", "sm2")),
        _grid(figures, "refresh", "refreshes"),
        _layers(figures),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def published(page: str, table: str) -> str:
    """Replace the table between the page's two marks.

    Raises:
        ValueError: the page lacks the marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError("the page must contain both marks of the table")
    return f"{before}{begin}\n\n{table}\n{end}{after}"


def _grid(figures: Iterable[Figure], section: str, work: str) -> str:
    rates = [
        (figure.name, figure.case.removeprefix(f"{work}, "), f"{figure.value:,.0f}")
        for figure in figures
        if figure.section == section and figure.case.startswith(f"{work}, ")
    ]
    return _pivot(f"{work} a second", rates)


def _layers(figures: Iterable[Figure]) -> str:
    shares = [
        (figure.name, figure.case.rpartition(", ")[2], f"{figure.value:.1f}")
        for figure in figures
        if figure.section == "layers"
    ]
    return _pivot("processor time of a sign-in, µs", shares)


def _pivot(corner: str, found: Iterable[tuple[str, str, str]]) -> str:
    """Build a table of (row, column, cell)."""
    rows: dict[str, dict[str, str]] = {}
    columns: list[str] = []
    for name, column, cell in found:
        if column not in columns:
            columns.append(column)
        rows.setdefault(name, {})[column] = cell
    if not rows:
        return ""
    cells = [[name, *(row.get(column, "") for column in columns)] for name, row in rows.items()]
    return _table([corner, *columns], cells)


def _verdicts(verdicts: Iterable[Verdict]) -> str:
    rows = [
        [
            verdict.work,
            shown(verdict.reached, verdict.unit),
            f"{verdict.sense} {shown(verdict.bound, verdict.unit)}",
            "yes" if verdict.passed else "no",
        ]
        for verdict in verdicts
    ]
    return _table(["", "reached", "to be reached", "reached it"], rows) if rows else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _circumstances() -> dict[str, Any]:
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in _PACKAGES if any(Distribution.discover(name=name))},
    }
