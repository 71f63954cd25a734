"""The benchmarks work. How fast anything is, is not looked at."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lab import Effort, Lab, ratio
from benchmarks.layers import layer_of
from benchmarks.load import cost, rate, repeated, sequential_rate, thread_rate
from benchmarks.report import BEGIN, END, published, shown

ROOT = Path(__file__).parent.parent

FIGURES_OF = {"sign-in": 31, "layers": 36, "sync": 10, "refresh": 4, "sm2": 7, "tokens": 8, "import": 3, "emulator": 4}
VERDICTS_OF = {"sign-in": 17, "sync": 6, "sm2": 3, "tokens": 5, "import": 2, "emulator": 3}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    sections = [row["section"] for row in rows]
    return {section: sections.count(section) for section in sections}


@pytest.mark.slow
def test_a_quick_run_measures_and_judges_everything(tmp_path: Path) -> None:
    done = run("--quick", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    document = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert document["quick"] is True
    assert counted(document["figures"]) == FIGURES_OF
    assert counted(document["verdicts"]) == VERDICTS_OF
    # A quick run is too short for a sample of every layer.
    assert all(figure["value"] > 0 for figure in document["figures"] if figure["section"] != "layers")
    whole = [figure["value"] for figure in document["figures"] if figure["name"] == "all"]
    layers = [figure["value"] for figure in document["figures"] if figure["section"] == "layers"]
    assert len(whole) == 3
    assert sum(layers) == pytest.approx(2 * sum(whole))
    named = [(figure["section"], figure["case"], figure["name"]) for figure in document["figures"]]
    assert len(named) == len(set(named))
    for verdict in document["verdicts"]:
        at_least = verdict["sense"] == "at least"
        good = verdict["reached"] >= verdict["bound"] if at_least else verdict["reached"] <= verdict["bound"]
        assert verdict["passed"] is good
        word = "pass " if good else "SHORT"
        assert any(line.startswith(word) and line.endswith(verdict["work"]) for line in done.stdout.splitlines())
    table = (tmp_path / "latest.md").read_text(encoding="utf-8")
    assert table.count("\n| async sign-in") == 17
    assert table.count("\n| sign-ins a second | ") == 3
    assert table.count("\n| refreshes a second | ") == 1
    assert table.count("\n| processor time of a sign-in, ") == 1
    assert "\n| genauth 5.1.0, 50 threads |  | " in table  # not measured one at a time


@pytest.mark.slow
def test_one_can_be_run_alone(tmp_path: Path) -> None:
    done = run("--quick", "--only", "tokens", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert counted(document["verdicts"]) == {"tokens": 5}


@pytest.mark.slow
def test_the_emulator_can_be_measured_alone(tmp_path: Path) -> None:
    done = run("--quick", "--only", "emulator", "--results", str(tmp_path))
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert counted(document["figures"]) == {"emulator": 4}
    assert all(figure["value"] > 0 for figure in document["figures"])


@pytest.mark.parametrize(
    "arguments", [["--only", "unknown"], ["--quick", "--publish"], ["--only", "tokens", "--publish"]]
)
@pytest.mark.slow
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "usage:" in done.stderr


def test_the_published_page_keeps_what_is_around_the_table() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert published(page, "| new |\n") == f"before\n{BEGIN}\n\n| new |\n\n{END}\nafter\n"
    assert published(published(page, "| newer |\n"), "| new |\n") == published(page, "| new |\n")
    with pytest.raises(ValueError, match="both marks"):
        published("another page", "| new |\n")


def test_what_is_compared_takes_turns_and_medians_are_noted() -> None:
    lab = Lab("section", Effort(turns=3, seconds=0, share=1), {})
    order: list[str] = []

    def runner(name: str, values: list[float]) -> Callable[[], float]:
        numbers = iter(values)

        def run() -> float:
            order.append(name)
            return next(numbers)

        return run

    found = lab.take_turns("case", {"a": runner("a", [1, 9, 5]), "b": runner("b", [2, 3, 50])}, "ms", 10)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert found == {"a": [10, 90, 50], "b": [20, 30, 500]}
    assert [(figure.name, figure.value, figure.unit) for figure in lab.figures] == [("a", 50, "ms"), ("b", 30, "ms")]
    assert ratio(found["a"], found["b"]) == 50 / 30
    lab.with_turns(9).note("case", "c", 1, "ms")
    assert len(lab.figures) == 3
    assert lab.with_turns(9).effort == Effort(turns=9, seconds=0, share=1)
    quick = Lab("section", Effort(turns=1, seconds=0, share=25), {})
    assert quick.with_turns(9).effort.turns == 1
    assert [quick.effort.of(number) for number in (1, 50, 500)] == [1, 2, 20]


def test_calls_are_counted_by_tasks_by_threads_and_in_sequence() -> None:
    calls: list[int] = []

    async def call() -> None:
        calls.append(threading.get_ident())
        await asyncio.sleep(0)

    assert asyncio.run(rate(call, 3, 0)) > 0
    assert len(calls) == 3 + 3  # to warm up, and then one each at least
    del calls[:]
    assert sequential_rate(lambda: calls.append(1), 0) > 0
    assert len(calls) == 1 + 1
    barrier = threading.Barrier(3)
    steps = iter([lambda: 0, *[barrier.wait] * 3])  # one call to warm up, and then three that wait for each other

    def step() -> None:
        next(steps)()

    assert thread_rate(step, 3, 0) > 0
    assert next(steps, None) is None


def test_what_breaks_in_a_thread_is_raised() -> None:
    answers = iter([1])
    with pytest.raises(StopIteration):
        thread_rate(partial(next, answers), 2, 0)


def test_the_least_of_a_few_costs_counts() -> None:
    seconds = iter([0.001, 0.002, 0.004, 0.009, 0.003, 0.005])
    asked: list[int] = []

    def run(times: int) -> float:
        asked.append(times)
        return next(seconds)

    assert cost(run, 8 * 0.004) == 0.003 / 4
    assert asked == [1, 2, 4, 4, 4, 4]


def test_a_repeated_call_is_timed_by_the_clock() -> None:
    calls: list[int] = []
    clock = iter([1.0, 3.5])
    assert repeated(lambda: calls.append(1), partial(next, clock))(4) == 2.5
    assert len(calls) == 4


@pytest.mark.parametrize(
    ("paths", "layer"),
    [
        (["/x/genauth_async/api/signin.py", "/x/json/encoder.py"], "JSON out"),
        (["/x/genauth_async/_http/transport.py", "/x/anyio/_core/_tasks.py"], "deadline and limiter"),
        (["/x/genauth_async/_http/transport.py", "/x/httpcore/connection.py", "/x/anyio/streams.py"], "HTTP library"),
        (["/x/asyncio/events.py", "/x/anyio/_backends/_asyncio.py"], "event loop and socket"),
        (["/x/genauth_async/_wire/responses.py", "/x/contextlib.py"], "DTO in"),
        (["/x/benchmarks.py"], None),
    ],
)
def test_a_sample_counts_for_the_innermost_layer(paths: list[str], layer: str | None) -> None:
    seen: list[str] = []
    step: Callable[[], None] = lambda: seen.append(layer_of(sys._getframe()))  # noqa: E731
    for path in reversed(paths):
        names: dict[str, Any] = {"step": step}
        exec(compile("def call(): step()", path, "exec"), names)
        step = names["call"]
    step()
    assert seen == [layer or layer_of(sys._getframe())]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.4567, "x", "0.46 x"),
        (0.45678, "µs", "0.4568 µs"),
        (12345.6, "/s", "12,346 /s"),
        (10.0, "ms", "10 ms"),
        (0, "", "0"),
    ],
)
def test_numbers_are_as_exact_as_they_are_of_interest(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text
