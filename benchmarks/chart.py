"""Sign-ins per second as an SVG chart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

from .results import Figure

_WIDTH: Final = 760
_LABELS: Final = 230
_NUMBERS: Final = 70
_LINE: Final = 24
_BAR: Final = 16
_OURS: Final = "#2563eb"
_OTHERS: Final = "#94a3b8"


def bars(figures: Iterable[Figure], cases: Iterable[str]) -> str:
    """Draw bars of all contestants, one case below the other, on one scale.

    Args:
        figures: the measurements.
        cases: the cases to draw.
    """
    found = list(figures)
    groups = [(case, [figure for figure in found if figure.case == case]) for case in cases]
    most = max((figure.value for _, group in groups for figure in group), default=1.0)
    parts: list[str] = []
    top = 0
    for case, group in groups:
        if not group:
            continue
        top += _LINE
        parts.append(f'<text x="0" y="{top - 7}" font-weight="bold">{escape(case)}</text>')
        for figure in sorted(group, key=lambda figure: -figure.value):
            parts.append(_bar(figure, top, (_WIDTH - _LABELS - _NUMBERS) * figure.value / most))
            top += _LINE
        top += _LINE // 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" '
        'font-family="sans-serif" font-size="13">\n'
        '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _bar(figure: Figure, top: int, length: float) -> str:
    color = _OURS if figure.name.startswith(("genauth_async", "genauth_sync")) else _OTHERS
    return (
        f'<text x="{_LABELS - 8}" y="{top + 13}" text-anchor="end">{escape(figure.name)}</text>'
        f'<rect x="{_LABELS}" y="{top}" width="{length:.1f}" height="{_BAR}" fill="{color}"/>'
        f'<text x="{_LABELS + length + 6:.1f}" y="{top + 13}">{figure.value:,.0f}</text>'
    )
