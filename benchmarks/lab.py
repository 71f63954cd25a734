"""The environment of a benchmark: workers, the target, turns, and results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from tempfile import TemporaryDirectory
from typing import Literal

from attrs import define, evolve, field, frozen

from .processes import Worker, Workers
from .results import Figure, Verdict


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
    _workers: Workers = field(factory=Workers)
    figures: list[Figure] = field(factory=list)
    verdicts: list[Verdict] = field(factory=list)

    def start(self, name: str) -> Worker:
        """Start a worker for `benchmarks.<name>`, such as `tokens:decoding`."""
        return self._workers.start(f"benchmarks.{name}")

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

    def with_turns(self, turns: int, seconds: float | None = None) -> Lab:
        """Copy the lab with another number and length of turns, unless the run is quick."""
        if self.effort.turns == 1:
            return self
        return evolve(self, effort=evolve(self.effort, turns=turns, seconds=seconds or self.effort.seconds))

    def close(self) -> None:
        """Stop the workers."""
        self._workers.close()


def ratio(above: list[float], below: list[float]) -> float:
    """Return the median of the ratios, turn by turn."""
    return median(one / other for one, other in zip(above, below, strict=True))


@contextmanager
def serving() -> Iterator[dict[str, str]]:
    """Run the target."""
    with TemporaryDirectory() as folder:
        worker = Worker("benchmarks.target:target")
        try:
            yield worker.ask(folder=folder)
        finally:
            worker.close()
