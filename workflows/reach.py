"""Which nodes lead to which incoming flow of an inclusive gateway; computed once per definition."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final

from workflows.graph import Kind, Node, Process

# Incoming flows of inclusive joins times nodes: what is computed and kept grows with it.
MAXIMUM_REACH: Final = 1_000_000


def reach_of_joins(process: Process) -> dict[str, dict[str, frozenset[str]]]:
    """Return, per inclusive join and incoming flow, the nodes that lead there without the join.

    A boundary event is reached from its activity, so a token in the activity counts for its ways.
    Lint refuses a process of more joins than can be computed; it has none here.
    """
    joins = inclusive_joins(process)
    if not joins or size_of_reach(process) > MAXIMUM_REACH:
        return {}
    before: dict[str, set[str]] = {}
    for flow in process.flows.values():
        before.setdefault(flow.target, set()).add(flow.source)
    for node in process.nodes.values():
        if node.attached_to is not None:
            before.setdefault(node.id, set()).add(node.attached_to)
    return {join.id: _reach_of(process, join, before) for join in joins}


def inclusive_joins(process: Process) -> list[Node]:
    """Return the inclusive gateways that several flows reach."""
    return [
        node
        for node in process.nodes.values()
        if node.kind is Kind.INCLUSIVE and len(node.incoming) > 1
    ]


def size_of_reach(process: Process) -> int:
    """Return the figure that `MAXIMUM_REACH` bounds."""
    return len(process.nodes) * sum(len(join.incoming) for join in inclusive_joins(process))


def _reach_of(
    process: Process, join: Node, before: Mapping[str, Set[str]]
) -> dict[str, frozenset[str]]:
    reached = {}
    for flow_id in join.incoming:
        found: set[str] = set()
        pending = [process.flows[flow_id].source]
        while pending:
            current = pending.pop()
            if current != join.id and current not in found:
                found.add(current)
                pending.extend(before.get(current, ()))
        reached[flow_id] = frozenset(found)
    return reached
