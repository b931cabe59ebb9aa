"""Walk a model and make findings: the two steps that every rule shares."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.findings import Finding, Severity
from workflows.graph import Flow, Model, Node, Participant, Process, WireFlow


def nodes_of(model: Model) -> Iterator[tuple[Process, Node]]:
    """Yield every node with its process, in document order."""
    for process in model.processes.values():
        for node in process.nodes.values():
            yield process, node


def flows_of(model: Model) -> Iterator[tuple[Process, Flow]]:
    """Yield every sequence flow with its process."""
    for process in model.processes.values():
        for flow in process.flows.values():
            yield process, flow


def found(
    rule: str,
    severity: Severity,
    place: Node | Flow | Participant | Process | WireFlow,
    **parameters: str | int,
) -> Finding:
    """Return a finding about an element of the model."""
    return Finding(
        rule=rule,
        severity=severity,
        line=place.line,
        element=place.id,
        name=place.name,
        parameters=parameters,
    )
