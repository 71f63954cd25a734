"""Memory, and the event loop's time, for what a hostile server sends; each in a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conformance.case import Case
from tests.conformance.codings import BOMBS
from tests.conformance.heads import ENDLESS
from tests.conformance.ways import TESTED, Way

_ENDLESS_BODIES = [*ENDLESS, *BOMBS]
# Of cases with max_response_bytes of 1 MB.
_MEGABYTES = 17
_MILLISECONDS = 50


@pytest.mark.slow
@pytest.mark.parametrize("case", _ENDLESS_BODIES, ids=str)
@pytest.mark.parametrize(
    "on",
    [way for way in TESTED if way.loop == "asyncio"],
    ids=str,
)
def test_it_is_bounded(case: Case, on: Way) -> None:
    program = [sys.executable, "-m", "tests.conformance.measured", case.name, str(on)]
    measured = json.loads(subprocess.run(program, capture_output=True, check=True, timeout=60).stdout)
    assert measured["right"], measured
    assert measured["megabytes"] < _MEGABYTES, measured
    assert measured["held"] < _MILLISECONDS, measured
