"""The scripts of docs/reference/examples run as they stand."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "docs/reference/examples").iterdir())
SCRIPTS = [pytest.param(path, id=path.stem) for path in EXAMPLES if path.name != "__pycache__"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_runs(script: Path) -> None:
    runpy.run_path(str(script), run_name="__main__")


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_hides_no_module(script: Path) -> None:
    """Python searches the folder of a script first."""
    assert script.suffix == ".py"
    assert importlib.util.find_spec(script.stem) is None
