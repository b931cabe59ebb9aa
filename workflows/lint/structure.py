"""Rules about processes, scopes and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.findings import Finding, Severity
from workflows.graph import EventKind, Kind, Model, Node, Process
from workflows.lint.making import found, nodes_of


def something_to_run(model: Model) -> Iterator[Finding]:
    """A file needs at least one process with a node."""
    if not any(process.nodes for process in model.processes.values()):
        yield Finding(rule="nothing_to_run", severity=Severity.ERROR, line=1)


def no_refused_kinds(model: Model) -> Iterator[Finding]:
    """Complex gateways and ad-hoc sub-processes are refused by name."""
    for _, node in nodes_of(model):
        if node.kind is Kind.COMPLEX:
            yield found("complex_gateway", Severity.ERROR, node)
        if node.kind is Kind.AD_HOC:
            yield found("ad_hoc", Severity.ERROR, node)


def every_node_is_reached(model: Model) -> Iterator[Finding]:
    """In a scope with start events, every node is reached from one (BPMN 2.0.2, 10.5.2)."""
    for process in model.processes.values():
        for scope in process.scopes:
            inside = process.inside(scope)
            starts = [node for node in inside if node.kind is Kind.START]
            if starts:
                yield from _unreached(process, inside, _reached(process, inside))


def _reached(process: Process, inside: tuple[Node, ...]) -> set[str]:
    boundaries: dict[str, list[str]] = {}
    for node in inside:
        if node.attached_to:
            boundaries.setdefault(node.attached_to, []).append(node.id)
            if node.handler:
                boundaries.setdefault(node.id, []).append(node.handler)
    pending = [node.id for node in inside if _may_begin(node)]
    seen: set[str] = set()
    while pending:
        current = pending.pop()
        if current not in seen and current in process.nodes:
            seen.add(current)
            outgoing = process.nodes[current].outgoing
            pending.extend(process.flows[flow].target for flow in outgoing)
            pending.extend(boundaries.get(current, ()))
    return seen


def _may_begin(node: Node) -> bool:
    if node.kind in (Kind.START, Kind.EVENT_SUB_PROCESS) or node.instantiate:
        return True
    return node.for_compensation


def _unreached(process: Process, inside: tuple[Node, ...], reached: set[str]) -> Iterator[Finding]:
    for node in inside:
        if node.id not in reached:
            yield found("unreachable", Severity.ERROR, node)


def handlers_are_sound(model: Model) -> Iterator[Finding]:
    """An event sub-process has one typed start event and no sequence flow of its own."""
    for process, node in nodes_of(model):
        if node.kind is not Kind.EVENT_SUB_PROCESS:
            continue
        starts = [other for other in process.inside(node.id) if other.kind is Kind.START]
        if len(starts) != 1 or not starts[0].events:
            yield found("handler_start", Severity.ERROR, node, count=len(starts))
        if node.incoming or node.outgoing:
            yield found("handler_flow", Severity.ERROR, node)


def inner_starts_are_none(model: Model) -> Iterator[Finding]:
    """A start event of an ordinary sub-process has no trigger."""
    for process, node in nodes_of(model):
        parent = process.nodes.get(node.scope)
        if parent is None or parent.kind is Kind.EVENT_SUB_PROCESS:
            continue
        if node.kind is Kind.START and node.events:
            yield found("inner_start", Severity.ERROR, node)


def loops_are_complete(model: Model) -> Iterator[Finding]:
    """A loop says how often, and throws only what an activity can throw."""
    for _, node in nodes_of(model):
        loop = node.loop
        if loop is None:
            continue
        bounds = (loop.cardinality, loop.collection, loop.maximum)
        if loop.kind.value == "standard":
            bounds = (loop.condition, loop.maximum, None)
        if not any(bounds):
            yield found("loop_unbounded", Severity.ERROR, node)
        for text in (loop.cardinality, loop.maximum):
            if text and text.lstrip().startswith("-"):
                yield found("loop_negative", Severity.ERROR, node)
        carried = (EventKind.MESSAGE, EventKind.SIGNAL, EventKind.ESCALATION, EventKind.ERROR)
        if any(event.kind not in carried for _condition, event in loop.throws):
            yield found("loop_behavior", Severity.ERROR, node, behavior=loop.behavior)


def work_is_described(model: Model) -> Iterator[Finding]:
    """A script task has a script, a service its operation, a rule its decision."""
    for _, node in nodes_of(model):
        if node.kind is Kind.SCRIPT_TASK and not node.script:
            yield found("script_missing", Severity.ERROR, node)
        if node.kind is Kind.SERVICE_TASK and not node.extension.operation:
            yield found("operation_missing", Severity.ASSUME, node)
        if node.kind is Kind.BUSINESS_RULE_TASK and not node.extension.decision:
            yield found("decision_missing", Severity.ASSUME, node)
        if node.kind is Kind.TASK and not (node.extension.assign or node.extension.form):
            yield found("plain_task", Severity.EXACT, node)


def compensation_is_sound(model: Model) -> Iterator[Finding]:
    """A compensation boundary names its handler; a handler has no flow; a throw names what is."""
    for process, node in nodes_of(model):
        for event in node.events:
            if event.kind is not EventKind.COMPENSATION:
                continue
            if node.kind is Kind.BOUNDARY:
                handler = process.nodes.get(node.handler or "")
                if handler is None or not handler.for_compensation:
                    yield found("compensation_handler", Severity.ERROR, node)
            elif event.activity and not _may_undo(process, node, event.activity):
                yield found("compensation_target", Severity.ERROR, node, activity=event.activity)
        if node.for_compensation and (node.incoming or node.outgoing):
            yield found("compensation_flow", Severity.ERROR, node)


def _may_undo(process: Process, thrower: Node, activity: str) -> bool:
    """Tell whether the activity is in the scope of the throw, or in that of its handler."""
    target = process.nodes.get(activity)
    handler = process.nodes.get(thrower.scope)
    scopes = {thrower.scope}
    if handler is not None and handler.kind is Kind.EVENT_SUB_PROCESS:
        scopes.add(handler.scope)
    return target is not None and target.scope in scopes
