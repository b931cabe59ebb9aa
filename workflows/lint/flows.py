"""Rules about sequence flows and message flows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping

from workflows.findings import Finding, Severity
from workflows.graph import ACTIVITIES, EventKind, Kind, Loop, Model, Node
from workflows.lint.making import flows_of, found, nodes_of

_SPLITS = (Kind.EXCLUSIVE, Kind.INCLUSIVE)


def flows_stay_in_their_scope(model: Model) -> Iterator[Finding]:
    """A sequence flow never crosses the border of a sub-process (BPMN 2.0.2, 8.4.13)."""
    for process, flow in flows_of(model):
        source, target = process.nodes[flow.source], process.nodes[flow.target]
        if source.scope != target.scope:
            yield found("flow_crosses_scope", Severity.ERROR, flow, target=target.id)


def ends_are_ends(model: Model) -> Iterator[Finding]:
    """Nothing flows into a start or boundary event, nothing out of an end event."""
    for _, node in nodes_of(model):
        if node.kind is Kind.START and node.incoming:
            yield found("start_with_incoming", Severity.ERROR, node)
        if node.kind is Kind.BOUNDARY and node.incoming:
            yield found("boundary_with_incoming", Severity.ERROR, node)
        if node.kind is Kind.END and node.outgoing:
            yield found("end_with_outgoing", Severity.ERROR, node)


def conditions_stand_where_they_count(model: Model) -> Iterator[Finding]:
    """A condition may stand on flows of activities, exclusive and inclusive gateways only."""
    for process, flow in flows_of(model):
        source = process.nodes[flow.source]
        if flow.condition and source.kind not in ACTIVITIES and source.kind not in _SPLITS:
            yield found("condition_not_allowed", Severity.ERROR, flow, source=source.id)


def defaults_are_sound(model: Model) -> Iterator[Finding]:
    """A default flow leaves its node and has no condition."""
    for process, node in nodes_of(model):
        if node.default is None:
            continue
        if node.default not in node.outgoing:
            yield found("default_not_outgoing", Severity.ERROR, node, flow=node.default)
        elif process.flows[node.default].condition:
            yield found("default_with_condition", Severity.ERROR, process.flows[node.default])


def splits_have_conditions(model: Model) -> Iterator[Finding]:
    """A choice needs a condition on each way but the default; the first true one is taken."""
    for process, node in nodes_of(model):
        if node.kind not in _SPLITS or len(node.outgoing) < 2:
            continue
        for flow_id in node.outgoing:
            if flow_id != node.default and not process.flows[flow_id].condition:
                yield found(
                    "flow_without_condition",
                    Severity.ASSUME,
                    process.flows[flow_id],
                    gateway=node.id,
                )


def no_duplicate_flows(model: Model) -> Iterator[Finding]:
    """Advice: two flows between the same nodes make two tokens."""
    seen: set[tuple[str, str, str | None]] = set()
    for _, flow in flows_of(model):
        key = (flow.source, flow.target, flow.condition)
        if key in seen:
            yield found("duplicate_flow", Severity.WARNING, flow)
        seen.add(key)


def message_flows_connect_pools(model: Model) -> Iterator[Finding]:
    """A message flow joins two pools, and each of its ends exists."""
    owner = {node.id: process.id for process, node in nodes_of(model)}
    pools = {pool.id: pool.process or pool.id for pool in model.participants}
    for wire in model.message_flows:
        ends = []
        for end in (wire.source, wire.target):
            place = owner.get(end) or pools.get(end)
            if place is None:
                yield found("message_flow_end", Severity.ERROR, wire, end=end)
            ends.append(place)
        if ends[0] is not None and ends[0] == ends[1]:
            yield found("message_flow_inside_pool", Severity.ERROR, wire)
        if wire.message_type is None:
            yield found("message_type_missing", Severity.ASSUME, wire)


def messages_have_a_way(model: Model) -> Iterator[Finding]:
    """Where pools are drawn, what is sent has a message flow, and what is awaited has one only."""
    if len(model.participants) < 2:
        return
    sources = Counter(wire.source for wire in model.message_flows)
    targets = Counter(wire.target for wire in model.message_flows)
    calls = _calls(model)
    out, back = _with_a_way(calls, sources), _with_a_way(calls, targets)
    for process, node in nodes_of(model):
        if node.loop is not None and node.id not in sources and _throws_message(node.loop):
            yield found("send_without_flow", Severity.ERROR, node)
        if not any(event.kind is EventKind.MESSAGE for event in node.events):
            continue
        ends, served = (sources, out) if _sends(node) else (targets, back)
        if node.id not in ends and process.id not in served:
            rule = "send_without_flow" if _sends(node) else "receive_without_flow"
            yield found(rule, Severity.ERROR if _sends(node) else Severity.WARNING, node)
        if not _sends(node) and targets[node.id] > 1:
            yield found("several_senders", Severity.ERROR, node)


def _calls(model: Model) -> dict[str, list[tuple[str, str]]]:
    """Return per called process the call activities, each with its own process."""
    found: dict[str, list[tuple[str, str]]] = {}
    for process, node in nodes_of(model):
        if node.called:
            found.setdefault(node.called, []).append((node.id, process.id))
    return found


def _with_a_way(calls: Mapping[str, list[tuple[str, str]]], ends: Container[str]) -> set[str]:
    """Return the processes of which every call has a message flow, or stands in such a one."""
    lacking = {
        called: [outer for caller, outer in callers if caller not in ends]
        for called, callers in calls.items()
    }
    inside: dict[str, list[str]] = {}  # by process, what it calls without a message flow
    for called, outers in lacking.items():
        for outer in outers:
            inside.setdefault(outer, []).append(called)
    left = {called: len(outers) for called, outers in lacking.items()}
    ready = [called for called, count in left.items() if not count]
    served: set[str] = set()
    while ready:
        current = ready.pop()
        served.add(current)
        for called in inside.get(current, ()):
            left[called] -= 1
            if not left[called]:
                ready.append(called)
    return served


def _throws_message(loop: Loop) -> bool:
    return any(event.kind is EventKind.MESSAGE for _condition, event in loop.throws)


def _sends(node: Node) -> bool:
    return node.kind in (Kind.SEND_TASK, Kind.THROW, Kind.END)
