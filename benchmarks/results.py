"""What comes out: figures, and verdicts on those that have to be within bounds."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen
class Figure:
    """One number that was measured.

    Attributes:
        section: the benchmark.
        case: under which circumstances.
        name: of what.
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
    """Whether something is as good as it has to be.

    Attributes:
        section: the benchmark.
        work: what was compared, or measured.
        reached: what came out.
        bound: what it has to be.
        sense: whether more is better, or less.
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
        """Whether it is."""
        return self.reached >= self.bound if self.sense == "at least" else self.reached <= self.bound
