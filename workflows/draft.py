"""What one reading of a model gathers on its way: definitions by id, lanes, findings."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from workflows.findings import Finding, Severity


@dataclass(kw_only=True, slots=True)
class Draft:
    """The mutable gatherings of one reading: what elements refer to, and the findings."""

    named: dict[str, etree._Element] = field(default_factory=dict)  # messages, signals, errors…
    lanes: dict[str, str] = field(default_factory=dict)  # node id -> innermost lane
    handlers: dict[str, str] = field(default_factory=dict)  # association source -> target
    findings: list[Finding] = field(default_factory=list)

    def report(
        self, rule: str, element: etree._Element, severity: Severity, **parameters: str | int
    ) -> None:
        """Record a finding about `element`."""
        self.findings.append(
            Finding(
                rule=rule,
                severity=severity,
                line=line_of(element),
                element=element.get("id"),
                name=element.get("name"),
                parameters=parameters,
            )
        )


def line_of(element: etree._Element) -> int:
    """Return the source line of `element`, 0 when the parser does not know it."""
    line: int | None = element.sourceline  # type: ignore[assignment]  # the stub says Ellipsis
    return line or 0
