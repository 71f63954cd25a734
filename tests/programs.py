"""Programs that tests need and that no Python package brings: found, or the test is skipped, or fails where it counts.

A run that has to try everything says so with GENAUTH_REQUIRE_PROGRAMS=1, or by CI, which such services set themselves.
"""

from __future__ import annotations

import os
import shutil
from typing import Final, NoReturn

import pytest

# Read once: tests run without the environment's GENAUTH_ variables.
_ARE_REQUIRED: Final = any(
    os.environ.get(name, "").lower() not in {"", "0", "false"} for name in ("CI", "GENAUTH_REQUIRE_PROGRAMS")
)


def program(name: str, untried: str) -> str:
    """The path of a program.

    Args:
        name: what one would call it by.
        untried: what goes without a trial where the program is missing.
    """
    return shutil.which(name) or missing(f"{name} is not installed", untried)


def missing(obstacle: str, untried: str) -> NoReturn:
    """Skips the test that cannot be run, or fails it where every test has to be run."""
    message = f"{obstacle}, so {untried} was not tried"
    if _ARE_REQUIRED:
        pytest.fail(f"{message}, which CI and GENAUTH_REQUIRE_PROGRAMS forbid", pytrace=False)
    pytest.skip(message)
