"""Runs that have to try everything fail without a program, and others skip what needs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import program

_ROOT = Path(__file__).parents[1]
_SUITE = """
import pytest
from tests.programs import program

@pytest.fixture
def made():
    return program("no-such-program", "its work")

def test_in_a_fixture(made):
    assert made

def test_in_the_test():
    assert program("no-such-program", "its work")
"""


def run(folder: Path, environment: dict[str, str]) -> str:
    """Run tests that need a program which is not installed, and return pytest's output."""
    suite = folder / "test_suite.py"
    suite.write_text(_SUITE, encoding="utf-8")
    names = {"CI", "GENAUTH_REQUIRE_PROGRAMS", "PYTEST_ADDOPTS"}
    clean = {name: value for name, value in os.environ.items() if name not in names}
    # The path of this repository, and none of its settings and fixtures.
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-c", os.devnull, str(suite)]
    done = subprocess.run(
        command, cwd=_ROOT, env=clean | environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    return done.stdout


@pytest.mark.parametrize("name", ["CI", "GENAUTH_REQUIRE_PROGRAMS"])
@pytest.mark.slow
def test_a_missing_program_is_a_failure_if_programs_are_required(tmp_path: Path, name: str) -> None:
    said = run(tmp_path, {name: "1"})
    assert "1 failed, 1 error" in said
    assert "no-such-program is not installed, so its work was not tried" in said


@pytest.mark.parametrize("environment", [{}, {"CI": "false", "GENAUTH_REQUIRE_PROGRAMS": "0"}])
@pytest.mark.slow
def test_elsewhere_it_is_skipped_and_the_reason_said(tmp_path: Path, environment: dict[str, str]) -> None:
    said = run(tmp_path, environment)
    assert "2 skipped" in said
    assert "no-such-program is not installed, so its work was not tried" in said


def test_a_program_that_is_there_is_found() -> None:
    assert program(sys.executable, "nothing") == sys.executable
