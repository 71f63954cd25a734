from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Iterator

import pytest

from tests.conformance.ways import QUICK, TESTED

if sys.platform != "linux":
    collect_ignore_glob = ["*.py"]  # /proc, all of 127.0.0.0/8, and a kernel that drops SYNs


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that take a `way` in each of them, and an `own_way` in those that the SDK chooses; most are slow."""
    for name in ("way", "own_way"):
        if name in metafunc.fixturenames and "case" not in metafunc.fixturenames:
            parameters = [
                pytest.param(way, way.backend, id=str(way), marks=[] if way in QUICK else [pytest.mark.slow])
                for way in TESTED
                if name == "way" or not way.is_given
            ]
            metafunc.parametrize((name, "anyio_backend"), parameters, indirect=["anyio_backend"])


@pytest.fixture(autouse=True)
def nothing_is_left_to_the_garbage_collector(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves an open socket to the garbage collector; what given libraries leave is theirs."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    way = parameters.get("way")
    if way is None or not way.is_given:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
