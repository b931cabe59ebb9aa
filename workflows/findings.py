"""A finding: one thing that the author must know about the model, with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, unique


@unique
class Severity(Enum):
    """What a finding does to the model.

    ERROR blocks deployment. ASSUME is a rewrite whose meaning the author should confirm, EXACT one
    that changes nothing; WARNING is advice.
    """

    ERROR = "error"
    ASSUME = "assume"
    EXACT = "exact"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One finding; its sentence is `[finding] <rule>` of dossier/texts, filled by `parameters`."""

    rule: str
    severity: Severity
    line: int
    element: str | None = None  # id of the element
    name: str | None = None  # its label, when it has one
    parameters: dict[str, str | int] = field(default_factory=dict)
    file: str = ""  # path of the part that holds the element; empty: the model itself


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that forbid deployment, in their order."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)
