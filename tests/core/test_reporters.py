"""Error reporters and printers record no secret of an object that an application's frame holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.every import check_every


def test_no_reporter_records_a_secret() -> None:
    program = [sys.executable, "-m", "tests.core.reporters"]
    done = subprocess.run(program, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    reports: dict[str, dict[str, str]] = json.loads(done.stdout)
    of_a_plain_mapping = reports.pop("plain")

    def check(reporter: str) -> None:
        assert "canary" in of_a_plain_mapping[reporter], "it reports nothing"
        assert [name for name, report in reports[reporter].items() if "canary" in report] == []

    check_every(reports, check)
