"""What a benchmark works with: workers, the target, taking turns, and where results go."""

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
    """How thorough a run is.

    Attributes:
        turns: how often each one that is compared is measured.
        seconds: how long a turn is.
        share: how many of the tasks, threads and sessions there really are: one of so many.
    """

    turns: int
    seconds: float
    share: int

    def of(self, number: int) -> int:
        """How many there really are, of that many."""
        return max(1, number // self.share)


FULL = Effort(turns=7, seconds=0.25, share=1)
QUICK = Effort(turns=1, seconds=0.02, share=25)


@define
class Lab:
    """One benchmark's.

    Attributes:
        section: its name.
        effort: how thorough it is.
        target: the addresses of the target, and what a client of it has to know.
        figures: what was measured.
        verdicts: what was judged.
    """

    section: str
    effort: Effort
    target: dict[str, str]
    _workers: Workers = field(factory=Workers)
    figures: list[Figure] = field(factory=list)
    verdicts: list[Verdict] = field(factory=list)

    def start(self, name: str) -> Worker:
        """A worker, for `benchmarks.<name>`, such as `tokens:decoding`."""
        return self._workers.start(f"benchmarks.{name}")

    def take_turns(
        self, case: str, runners: Mapping[str, Callable[[], float]], unit: str, scale: float = 1.0
    ) -> dict[str, list[float]]:
        """Runs each of them again and again, and notes the medians.

        Args:
            case: under which circumstances.
            runners: what is measured, by name.
            unit: of the numbers, once they are multiplied by `scale`.
            scale: what they are multiplied by.
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
        """Keeps a figure."""
        self.figures.append(Figure(self.section, case, name, value, unit))

    def judge(
        self, work: str, reached: float, sense: Literal["at least", "at most"], bound: float, unit: str = "x"
    ) -> None:
        """Keeps a verdict."""
        self.verdicts.append(Verdict(self.section, work, reached, bound, sense, unit))

    def with_turns(self, turns: int, seconds: float | None = None) -> Lab:
        """The same, with another number of turns, and another length of each, where it is thorough."""
        if self.effort.turns == 1:
            return self
        return evolve(self, effort=evolve(self.effort, turns=turns, seconds=seconds or self.effort.seconds))

    def close(self) -> None:
        """Ends the workers."""
        self._workers.close()


def ratio(above: list[float], below: list[float]) -> float:
    """The median of the ratios, turn by turn."""
    return median(one / other for one, other in zip(above, below, strict=True))


@contextmanager
def serving() -> Iterator[dict[str, str]]:
    """The target, while it runs."""
    with TemporaryDirectory() as folder:
        worker = Worker("benchmarks.target:target")
        try:
            yield worker.ask(folder=folder)
        finally:
            worker.close()
