"""Rules about call activities, and about how deep and how wide a process may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from workflows.findings import Finding, Severity
from workflows.graph import SCOPES, Kind, Model, Process
from workflows.lint.making import found, nodes_of
from workflows.reach import MAXIMUM_REACH, inclusive_joins, size_of_reach

# Sub-processes and calls within one another; a running instance is walked level by level.
MAXIMUM_DEPTH: Final = 60


def called_processes_exist(model: Model) -> Iterator[Finding]:
    """A call activity names a process of the file or of a part, which binds the version."""
    for _, node in nodes_of(model):
        if node.kind is not Kind.CALL_ACTIVITY:
            continue
        called = model.processes.get(node.called or "")
        if called is None or not called.nodes:
            yield found("called_missing", Severity.ERROR, node, called=node.called or "")
            continue
        starts = [n for n in called.inside(called.id) if n.kind is Kind.START]
        if starts and all(start.events for start in starts):
            yield found("called_start", Severity.ERROR, node, called=called.id)


def calls_do_not_circle(model: Model) -> Iterator[Finding]:
    """A process must not call itself, directly or through others."""
    calls = {
        process.id: {node.called for node in process.nodes.values() if node.called}
        for process in model.processes.values()
    }
    reached: dict[str, set[str]] = {}
    for process, node in nodes_of(model):
        if not node.called:
            continue
        if node.called not in reached:
            reached[node.called] = _called_from(node.called, calls)
        if process.id in reached[node.called]:
            yield found("call_cycle", Severity.ERROR, node, called=node.called)


def _called_from(start: str, calls: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    pending = [start]
    while pending:
        current = pending.pop()
        if current not in seen:
            seen.add(current)
            pending.extend(calls.get(current, ()))
    return seen


def nesting_is_bounded(model: Model) -> Iterator[Finding]:
    """Sub-processes and calls lie in one another 60 deep at most; circles have their own rule."""
    places = {
        process.id: [
            (_depth_of(process, node.id), node)
            for node in process.nodes.values()
            if node.kind in SCOPES or node.called
        ]
        for process in model.processes.values()
    }
    deepest = {identifier: max((d for d, _ in rows), default=0) for identifier, rows in
               places.items()}  # fmt: skip
    for _ in range(MAXIMUM_DEPTH):
        before = dict(deepest)
        for identifier, rows in places.items():
            inner = (depth + before.get(node.called or "", 0) for depth, node in rows)
            deepest[identifier] = min(max(inner, default=0), MAXIMUM_DEPTH + 1)
        if deepest == before:
            break
    for identifier, depth in deepest.items():
        if depth > MAXIMUM_DEPTH:
            place = model.processes[identifier]
            yield found("nested_too_deep", Severity.ERROR, place, limit=MAXIMUM_DEPTH)


def _depth_of(process: Process, node_id: str) -> int:
    """Return how many scopes of a process a node opens and stands in."""
    depth = 0
    place = process.nodes.get(node_id)
    while place is not None and depth <= MAXIMUM_DEPTH:  # ids that occur twice make circles
        depth += 1
        place = process.nodes.get(place.scope)
    return depth


def joins_can_be_judged(model: Model) -> Iterator[Finding]:
    """What an inclusive join waits for is computed beforehand; absurdly many are refused."""
    for process in model.processes.values():
        if size_of_reach(process) > MAXIMUM_REACH:
            join = inclusive_joins(process)[0]
            yield found("joins_too_many", Severity.ERROR, join, limit=MAXIMUM_REACH)
