"""The environment of a benchmark: workers, the target, turns, and results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from statistics import median
from tempfile import TemporaryDirectory
from typing import Literal

from attrs import define, evolve, field, frozen

from .worker import Worker


@frozen
class Effort:
    """The thoroughness of a run.

    Attributes:
        turns: the number of measurements of each contestant.
        seconds: the length of a turn.
        share: the divisor of the numbers of tasks, threads and sessions.
    """

    turns: int
    seconds: float
    share: int

    def of(self, number: int) -> int:
        """Reduce a number by this run's share."""
        return max(1, number // self.share)


FULL = Effort(turns=7, seconds=0.25, share=1)
QUICK = Effort(turns=1, seconds=0.02, share=25)


@frozen
class Figure:
    """One measurement.

    Attributes:
        section: the benchmark.
        case: the circumstances.
        name: the contestant.
        value: the median.
        unit: of the value.
    """

    section: str
    case: str
    name: str
    value: float
    unit: str


@frozen
class Verdict:
    """The comparison of a result to its bound.

    Attributes:
        section: the benchmark.
        work: the work compared or measured.
        reached: the result.
        bound: the required result.
        sense: the direction of the bound.
        unit: of both; x for ratios.
    """

    section: str
    work: str
    reached: float
    bound: float
    sense: Literal["at least", "at most"]
    unit: str = "x"

    @property
    def passed(self) -> bool:
        """True if the result is within the bound."""
        return self.reached >= self.bound if self.sense == "at least" else self.reached <= self.bound


@define
class Lab:
    """The environment of one benchmark.

    Attributes:
        section: its name.
        effort: its thoroughness.
        target: the target's addresses and credentials.
        figures: the measurements.
        verdicts: the judgements.
    """

    section: str
    effort: Effort
    target: dict[str, str]
    _workers: ExitStack = field(factory=ExitStack)
    figures: list[Figure] = field(factory=list)
    verdicts: list[Verdict] = field(factory=list)

    def start(self, name: str) -> Worker:
        """Start a worker for `benchmarks.<name>`, such as `tokens:decoding`."""
        worker = Worker(f"benchmarks.{name}")
        self._workers.callback(worker.close)
        return worker

    def take_turns(
        self, case: str, runners: Mapping[str, Callable[[], float]], unit: str, scale: float = 1.0
    ) -> dict[str, list[float]]:
        """Run each contestant in turn, and note the medians.

        Args:
            case: the circumstances.
            runners: the measurements, by name.
            unit: of the numbers, multiplied by `scale`.
            scale: the factor of the numbers.
        """
        order = list(runners)
        found: dict[str, list[float]] = {name: [] for name in order}
        for _ in range(self.effort.turns):
            for name in order:
                found[name].append(scale * runners[name]())
            order = [*order[1:], order[0]]
        for name, values in found.items():
            self.note(case, name, median(values), unit)
        return found

    def note(self, case: str, name: str, value: float, unit: str) -> None:
        """Keep a figure."""
        self.figures.append(Figure(self.section, case, name, value, unit))

    def judge(
        self, work: str, reached: float, sense: Literal["at least", "at most"], bound: float, unit: str = "x"
    ) -> None:
        """Keep a verdict."""
        self.verdicts.append(Verdict(self.section, work, reached, bound, sense, unit))

    def with_turns(self, turns: int) -> Lab:
        """Copy the lab with another number of turns, unless the run is quick."""
        return self if self.effort.turns == 1 else evolve(self, effort=evolve(self.effort, turns=turns))

    def close(self) -> None:
        """Stop the workers."""
        self._workers.close()


def ratio(above: list[float], below: list[float]) -> float:
    """Return the ratio of the medians."""
    return median(above) / median(below)


@contextmanager
def serving() -> Iterator[dict[str, str]]:
    """Run the target."""
    with TemporaryDirectory() as folder, closing(Worker("benchmarks.target:target")) as worker:
        yield worker.ask(folder=folder)
