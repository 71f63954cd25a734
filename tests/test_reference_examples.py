"""The scripts of docs/reference/examples run as they stand."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path

import pytest

from tests.every import check_every

EXAMPLES = sorted((Path(__file__).parents[1] / "docs/reference/examples").iterdir())
SCRIPTS = [pytest.param(path, id=path.stem) for path in EXAMPLES if path.name != "__pycache__"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_runs(script: Path) -> None:
    runpy.run_path(str(script), run_name="__main__")


def test_they_hide_no_module() -> None:
    """Python searches the folder of a script first."""

    def check(script: Path) -> None:
        assert script.suffix == ".py"
        assert importlib.util.find_spec(script.stem) is None

    check_every([path for path in EXAMPLES if path.name != "__pycache__"], check, lambda script: script.name)
