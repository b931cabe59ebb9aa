"""Advice: what runs, and yet is easier to read, or safer, when it is drawn in another way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workflows.findings import Finding, Severity
from workflows.graph import ACTIVITIES, GATEWAYS, SCOPES, EventKind, Kind, Model, Node, Process
from workflows.lint.making import flows_of, found, nodes_of

_EVENTS: Final = frozenset({Kind.START, Kind.END, Kind.CATCH, Kind.THROW, Kind.BOUNDARY})


def labels(model: Model) -> Iterator[Finding]:
    """Label what people see: work, events, choices with their conditions, pools and lanes."""
    for pool in model.participants:
        if not (pool.name or "").strip():
            yield found("label_missing", Severity.WARNING, pool)
    for _, node in nodes_of(model):
        if not node.name and _needs_label(node):
            yield found("label_missing", Severity.WARNING, node)
    for _, flow in flows_of(model):
        if flow.condition and not (flow.name or "").strip():
            yield found("label_missing", Severity.WARNING, flow)


def _needs_label(node: Node) -> bool:
    if node.kind in (Kind.PARALLEL, Kind.EVENT_BASED) or node.kind in SCOPES:
        return False
    return node.kind not in GATEWAYS or len(node.outgoing) > 1


def scopes_begin_and_end(model: Model) -> Iterator[Finding]:
    """Draw where a process or sub-process begins, once, and where it ends."""
    for process in model.processes.values():
        if not process.nodes:
            continue
        yield from _bounds(process, process, process.inside(process.id))
        for node in process.nodes.values():
            if node.kind in SCOPES - {Kind.AD_HOC}:
                yield from _bounds(process, node, process.inside(node.id))


def _bounds(process: Process, place: Process | Node, inside: tuple[Node, ...]) -> Iterator[Finding]:
    starts = [node for node in inside if node.kind is Kind.START]
    is_handler = isinstance(place, Node) and place.kind is Kind.EVENT_SUB_PROCESS
    if not starts and not is_handler:  # a handler without one is refused
        yield found("no_start_event", Severity.WARNING, place)
    if not any(node.kind is Kind.END for node in inside):
        yield found("no_end_event", Severity.WARNING, place)
    blank = [node for node in starts if not node.events]
    if len(blank) > 1:
        rule = "several_none_starts" if place is process else "several_inner_starts"
        yield found(rule, Severity.WARNING, blank[1])


def ways_begin_and_end(model: Model) -> Iterator[Finding]:
    """Draw what begins and what ends; what nothing leads to or from is easily overlooked."""
    for process, node in nodes_of(model):
        owner = process.nodes.get(node.scope)
        if owner is not None and owner.kind is Kind.AD_HOC:
            continue
        if node.kind is Kind.EVENT_SUB_PROCESS or _stands_alone(node):
            continue
        begins, ends = _begins(node), _ends(node)
        if not node.incoming and not node.outgoing and node.kind is not Kind.BOUNDARY:
            yield found("disconnected", Severity.WARNING, node)
            continue
        if begins:
            yield found("implicit_start", Severity.WARNING, node)
        if ends:
            yield found("implicit_end", Severity.WARNING, node)


def _stands_alone(node: Node) -> bool:
    """Tell whether an association, and no flow, leads to or from the node."""
    return node.for_compensation or any(e.kind is EventKind.COMPENSATION for e in node.events)


def _begins(node: Node) -> bool:
    if node.incoming or node.kind in (Kind.START, Kind.BOUNDARY):
        return False
    return not (node.kind is Kind.CATCH and _is_link(node))


def _ends(node: Node) -> bool:
    if node.outgoing or node.kind in (Kind.END, Kind.BOUNDARY):
        return False  # a boundary event without a flow has a finding of its own
    return not (node.kind is Kind.THROW and _is_link(node))


def _is_link(node: Node) -> bool:
    return any(event.kind is EventKind.LINK for event in node.events)


def terminations_end_something(model: Model) -> Iterator[Finding]:
    """An end event that terminates its scope is pointless where nothing else can be running."""
    for process in model.processes.values():
        for scope in process.scopes:
            inside = process.inside(scope)
            ends = [node for node in inside if not node.outgoing and not _stands_alone(node)]
            terminating = [node for node in ends if _terminates(node)]
            if len(terminating) == 1 and all(
                node is terminating[0] or _interrupts(process, node) for node in ends
            ):
                yield found("superfluous_termination", Severity.WARNING, terminating[0])


def _terminates(node: Node) -> bool:
    return node.kind is Kind.END and any(e.kind is EventKind.TERMINATE for e in node.events)


def _interrupts(process: Process, node: Node) -> bool:
    return node.kind is Kind.EVENT_SUB_PROCESS and any(
        start.kind is Kind.START and start.interrupting for start in process.inside(node.id)
    )


def subtle_constructs(model: Model) -> Iterator[Finding]:
    """Say how what other products leave out or read in another way is executed here."""
    for _, node in nodes_of(model):
        if node.kind is Kind.INCLUSIVE:
            yield found("inclusive_gateway", Severity.EXACT, node)
        if node.kind in _EVENTS and len(node.events) > 1:
            rule = "every_event" if node.parallel_multiple else "several_events"
            yield found(rule, Severity.EXACT, node)


def implicit_gateways(model: Model) -> Iterator[Finding]:
    """Name the forks and joins that are only drawn by several flows."""
    for process, node in nodes_of(model):
        if node.kind in GATEWAYS:
            if len(node.incoming) < 2 and len(node.outgoing) < 2:
                yield found("superfluous_gateway", Severity.WARNING, node)
            if len(node.incoming) > 1 and len(node.outgoing) > 1:
                yield found("gateway_joins_and_forks", Severity.WARNING, node)
            continue
        free = [
            flow
            for flow in node.outgoing
            if flow != node.default and not process.flows[flow].condition
        ]
        if len(free) > 1:
            yield found("implicit_split", Severity.WARNING, node)
        if len(node.incoming) > 1:
            yield found("implicit_merge", Severity.WARNING, node)


def conditions_are_complete(model: Model) -> Iterator[Finding]:
    """Beside a flow with a condition, one without is always taken from an activity."""
    for process, node in nodes_of(model):
        if node.kind not in ACTIVITIES:
            continue
        flows = [process.flows[flow] for flow in node.outgoing]
        if node.default is None and not any(flow.condition for flow in flows):
            continue
        for flow in flows:
            if flow.id != node.default and not flow.condition:
                yield found("always_taken", Severity.WARNING, flow, activity=node.id)
