"""Judge the messages, signals, errors and escalations of a file: named, used and told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from lxml import etree

from workflows.draft import line_of
from workflows.findings import Finding, Severity
from workflows.names import BPMN, local_name, text_of

_KINDS: Final = ("message", "signal", "error", "escalation")


def declared_findings(root: etree._Element) -> Iterator[Finding]:
    """Yield the definitions that have no name, the name of another, or no use."""
    declared = [one for one in root.iterchildren(BPMN + "*") if local_name(one) in _KINDS]
    names = Counter((local_name(one), _name(one)) for one in declared)
    used = set(_references(root)) if declared else set()
    for one in declared:
        kind, name = local_name(one), _name(one)
        if not name:
            yield _found("definition_unnamed", one)
        elif names[kind, name] > 1:
            yield _found("definition_twice", one)
        if (kind, one.get("id")) not in used:
            yield _found("definition_unused", one)


def _name(element: etree._Element) -> str:
    return (element.get("name") or "").strip()


def _references(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield what is referred to: kind and id, without a namespace prefix."""
    for element in root.iter(BPMN + "*"):
        for kind in _KINDS:
            reference = element.get(f"{kind}Ref")
            if reference:
                yield kind, reference.rpartition(":")[2]
        if local_name(element) in ("inMessageRef", "outMessageRef"):
            yield "message", text_of(element).rpartition(":")[2]


def _found(rule: str, element: etree._Element) -> Finding:
    return Finding(
        rule=rule,
        severity=Severity.WARNING,
        line=line_of(element),
        element=element.get("id"),
        name=element.get("name"),
        parameters={"kind": local_name(element)},
    )
