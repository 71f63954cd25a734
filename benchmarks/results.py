"""Results: figures, and verdicts on figures with a bound."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


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
