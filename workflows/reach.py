"""Which nodes lead to which incoming flow of an inclusive gateway; computed once per definition."""

from __future__ import annotations

from workflows.graph import Node, Process


def reach_of(process: Process, gateway: Node) -> dict[str, frozenset[str]]:
    """Return, per incoming flow, the nodes from which it is reached without the gateway.

    A boundary event is reached from its activity, so a token in the activity counts for its ways.
    """
    before: dict[str, set[str]] = {}
    for flow in process.flows.values():
        before.setdefault(flow.target, set()).add(flow.source)
    for node in process.nodes.values():
        if node.attached_to is not None:
            before.setdefault(node.id, set()).add(node.attached_to)
    reached = {}
    for flow_id in gateway.incoming:
        found: set[str] = set()
        pending = [process.flows[flow_id].source]
        while pending:
            current = pending.pop()
            if current != gateway.id and current not in found:
                found.add(current)
                pending.extend(before.get(current, ()))
        reached[flow_id] = frozenset(found)
    return reached
