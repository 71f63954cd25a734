from __future__ import annotations

import pytest

from tests.conformance.case import Case, expected, run
from tests.conformance.table import CASES
from tests.conformance.ways import QUICK, TESTED, Way

pytestmark = pytest.mark.anyio


def _parameters() -> list[object]:
    return [
        pytest.param(
            case,
            way,
            way.backend,
            id=f"{case}-{way}",
            marks=[] if way in QUICK and not case.is_slow else [pytest.mark.slow],
        )
        for case in CASES
        for way in TESTED
        if case.runs(way)
    ]


@pytest.mark.parametrize(("case", "way", "anyio_backend"), _parameters(), indirect=["anyio_backend"])
async def test_case(case: Case, way: Way) -> None:
    observed = await run(case, way)
    assert observed == expected(case, way, observed)
    assert observed.seconds < case.within
