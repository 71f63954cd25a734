"""Findings of an examination, one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from attrs import field, frozen

Verdict: TypeAlias = Literal["ok", "note", "wrong"]


@frozen
class Finding:
    """One line of an examination.

    Attributes:
        verdict: `ok`; `note`, which may be intended; or `wrong`.
        subject: the examined part.
        message: the observation, and the remedy.
    """

    verdict: Verdict
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.verdict:5}  {self.subject}: {self.message}"


@frozen
class Report:
    """Collects findings, and reports each one at once.

    Attributes:
        tell: called with each finding.
        findings: the findings so far.
    """

    tell: Callable[[Finding], object]
    findings: list[Finding] = field(factory=list)

    def ok(self, subject: str, message: str) -> None:
        """Report that all is well."""
        self._add(Finding("ok", subject, message))

    def note(self, subject: str, message: str) -> None:
        """Report a fact that may be intended."""
        self._add(Finding("note", subject, message))

    def wrong(self, subject: str, message: str) -> None:
        """Report a fault."""
        self._add(Finding("wrong", subject, message))

    @property
    def is_well(self) -> bool:
        """Return True without faults."""
        return all(finding.verdict != "wrong" for finding in self.findings)

    def _add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.tell(finding)
