"""What an examination finds, one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from attrs import field, frozen

Verdict: TypeAlias = Literal["ok", "note", "wrong"]


@frozen
class Finding:
    """One line of an examination.

    Attributes:
        verdict: `ok`; `note`, which may be meant so; or `wrong`.
        subject: what was looked at.
        message: what was seen, and what to do about it.
    """

    verdict: Verdict
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.verdict:5}  {self.subject}: {self.message}"


@frozen
class Report:
    """Collects findings, and passes each on as it comes.

    Attributes:
        tell: is told of each finding.
        findings: so far.
    """

    tell: Callable[[Finding], object]
    findings: list[Finding] = field(factory=list)

    def ok(self, subject: str, message: str) -> None:
        """It is as it should be."""
        self._add(Finding("ok", subject, message))

    def note(self, subject: str, message: str) -> None:
        """It may be meant so."""
        self._add(Finding("note", subject, message))

    def wrong(self, subject: str, message: str) -> None:
        """It has to be mended."""
        self._add(Finding("wrong", subject, message))

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.verdict != "wrong" for finding in self.findings)

    def _add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.tell(finding)
