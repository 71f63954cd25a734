"""Sessions under thousands of schedules: callers, processes, faults and cancellations, at moments drawn by lot."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.simulation.plans import Plan, plan_of
from tests.simulation.schedule import carry_out

SCHEDULES = int(os.environ.get("SIMULATED_SCHEDULES", "1600"))
ONE_SEED = os.environ.get("SIMULATED_SEED")
SEEDS = range(SCHEDULES) if ONE_SEED is None else [int(ONE_SEED)]
SHORT = 150
RUNS = [pytest.param(SEEDS[:SHORT], id="short"), pytest.param(SEEDS[SHORT:], id="long", marks=pytest.mark.slow)]
BACKENDS = ["trio", "asyncio"]


@pytest.fixture(autouse=True)
def quiet_sessions(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of failed refreshes would be kept for the report."""
    caplog.set_level(logging.ERROR, "genauth_async")


@pytest.mark.parametrize("seeds", RUNS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_whatever_happens_all_promises_are_kept(backend: str, seeds: Sequence[int]) -> None:
    for seed in seeds:
        if carry_out(plan_of(seed), backend).violations:
            pytest.fail(story(smallest(plan_of(seed), backend), backend))


def smallest(plan: Plan, backend: str) -> Plan:
    """The plan without all that its failure does not need."""
    for smaller in plan.smaller():
        if carry_out(smaller, backend).violations:
            return smallest(smaller, backend)
    return plan


def story(plan: Plan, backend: str) -> str:
    """Return the seed that reproduces a failure, and the log of all that led to it."""
    lines = [f"SIMULATED_SEED={plan.seed} fails on {backend}. All it takes:", f"{plan}", *carry_out(plan, backend).log]
    return "\n".join(lines)


def logs_of_some_seeds() -> str:
    """A digest of all that happens in some schedules."""
    logs = [carry_out(plan_of(seed), backend).log for seed in range(30) for backend in BACKENDS]
    return hashlib.sha256(repr(logs).encode()).hexdigest()


def test_a_seed_replays_exactly_in_another_process_too() -> None:
    program = f"import {__name__} as test; print(test.logs_of_some_seeds())"
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    other = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment, timeout=120
    )
    assert other.stdout.strip() == logs_of_some_seeds() == logs_of_some_seeds()


@pytest.mark.parametrize("backend", BACKENDS)
def test_other_seeds_make_other_schedules(backend: str) -> None:
    assert len({repr(carry_out(plan_of(seed), backend).log) for seed in range(30)}) == 30
