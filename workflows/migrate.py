"""Move a running instance to another version by an explicit mapping of its active elements.

Nothing is guessed (engine.md, W17): an active element without a mapping blocks. Identical ids may
be proposed by `propose`, for a person to confirm. What an element asks of the world stays open
when the element is the same in both versions, and is closed and opened anew when it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from SpiffWorkflow.util.task import TaskState

from workflows import state
from workflows.activities import arm_boundary
from workflows.commands import CloseReason, HistoryEvent
from workflows.definition import Definition
from workflows.errors import MigrationRefused
from workflows.expressions import Value
from workflows.graph import SCOPES, SUBSCRIBED, Kind, Node
from workflows.instance import Transition, conclude, new_walk
from workflows.specs import Token
from workflows.walk import (
    BITS,
    FLOW,
    HOST,
    INCIDENT,
    INNER,
    LOOP,
    PENDING,
    TRIGGER,
    Walk,
    close_rows,
    live_tokens,
    node_of,
    note,
    renew,
)

_LOGS: Final = (PENDING, INNER)  # marks that hold entries of a compensation log


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Why an instance cannot move."""

    element: str  # id in the old version
    reason: str  # unmapped, kind, scope, event, loop, flow, boundary, log, missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a migration would do to one instance; nothing has changed yet."""

    kept: tuple[str, ...]  # old ids whose work stays open as it is
    reopened: tuple[str, ...]  # old ids whose work is closed and opened anew in the new version
    armed: tuple[str, ...]  # new boundary events that begin to listen
    blocks: tuple[Block, ...]


def propose(old: Definition, new: Definition) -> dict[str, str]:
    """Return the elements and flows whose id and kind are the same in both versions."""
    elements = {
        node.id: node.id
        for node in old.elements.values()
        if node.id in new.elements and new.elements[node.id].kind is node.kind
    }
    return elements | {flow: flow for flow in old.process.flows if flow in new.process.flows}


def plan(old: Definition, new: Definition, snapshot: bytes, mapping: Mapping[str, str]) -> Plan:
    """Return what `migrate` would do, with everything that blocks it."""
    _header, scopes = state.parse(snapshot)
    kept, reopened, blocks = [], [], []
    hosts: set[str] = set()
    for _owner, tokens, *log in scopes:
        undone = list(log[0]) if log else []
        for row in tokens:
            marks = row[3] if len(row) > 3 else {}
            undone += [entry for mark in _LOGS for entry in marks.get(mark, ())]
            element = row[1]
            reason = _block(old, new, mapping, element, marks)
            if reason is not None:
                blocks.append(Block(element=element, reason=reason))
            elif same_work(old.elements[element], new.elements[mapping[element]]):
                kept.append(element)
            else:
                reopened.append(element)
            if row[2] == "w" and reason is None and HOST not in marks:
                hosts.add(element)
        blocks.extend(_log_blocks(old, new, mapping, undone))
    armed = [boundary.id for host in sorted(hosts) for boundary in _fresh(old, new, mapping, host)]
    return Plan(
        kept=tuple(dict.fromkeys(kept)),
        reopened=tuple(dict.fromkeys(reopened)),
        armed=tuple(armed),
        blocks=tuple(dict.fromkeys(blocks)),
    )


def migrate(
    old: Definition,
    new: Definition,
    snapshot: bytes,
    mapping: Mapping[str, str],
    *,
    values: Mapping[str, Value],
    at: datetime,
) -> Transition:
    """Return the instance in the new version; raise `MigrationRefused` when anything blocks."""
    header, scopes = state.parse(snapshot)
    blocks = plan(old, new, snapshot, mapping).blocks
    if header.finished:
        blocks = (Block(element="", reason="finished"),)
    if blocks:
        raise MigrationRefused(
            f"expected a mapping for every active element, got {blocks[0].reason}"
            f" at {blocks[0].element}",
            element=blocks[0].element,
            reason=blocks[0].reason,
            count=len(blocks),
        )
    # 1. Restore onto the new specs under the new ids.
    walk = new_walk(new, header.instance_id, values, at)
    walk.counter, walk.halted = header.counter, header.halted
    origins = {row[0]: old.elements[row[1]] for _, tokens, *_ in scopes for row in tokens}
    state.restore(walk.workflow, new, [_renamed(scope, mapping) for scope in scopes])
    state.resume(walk, header)
    # 2. Open anew what is not the same; listen to the boundaries that the old version lacked.
    for token in tuple(live_tokens(walk)):
        _settle_token(walk, token, origins[token.id])
    for token in tuple(live_tokens(walk)):
        if token.id in origins and token.has_state(TaskState.STARTED) and _hosts(token):
            for boundary in _fresh(old, new, mapping, origins[token.id].id):
                arm_boundary(walk, token, boundary)
    return conclude(walk)


def _block(
    old: Definition,
    new: Definition,
    mapping: Mapping[str, str],
    element: str,
    marks: Mapping[str, Any],
) -> str | None:
    before = old.elements[element]
    after = new.elements.get(mapping.get(element, ""))
    if after is None:
        return "unmapped" if element not in mapping else "missing"
    if after.kind is not before.kind:
        return "kind"
    if _mapped_scope(old, new, mapping, before.scope) != after.scope:
        return "scope"
    if [event.kind for event in before.events] != [event.kind for event in after.events]:
        return "event"
    flow = marks.get(FLOW)
    if _joins(before) and flow and mapping.get(flow) not in after.incoming:
        return "flow"
    return _block_of_parts(before, after, mapping, marks)


def _block_of_parts(
    before: Node, after: Node, mapping: Mapping[str, str], marks: Mapping[str, Any]
) -> str | None:
    if marks.get(HOST) and mapping.get(before.attached_to or "") != after.attached_to:
        return "boundary"
    if before.loop is None and after.loop is None:
        return None
    same = before.loop is not None and after.loop is not None
    if (
        not same
        or not _same_loop(before, after)
        or (marks.get(BITS) and not same_work(before, after))
    ):
        return "loop"
    return None


def _same_loop(before: Node, after: Node) -> bool:
    if before.loop is None or after.loop is None:
        return False
    return replace(before.loop, line=0) == replace(after.loop, line=0)


def _joins(node: Node) -> bool:
    return node.kind in (Kind.PARALLEL, Kind.INCLUSIVE) and len(node.incoming) > 1


def _mapped_scope(
    old: Definition, new: Definition, mapping: Mapping[str, str], scope: str
) -> str | None:
    if scope == old.process.id:
        return new.process.id
    return mapping.get(scope, scope if scope not in old.elements else None)


def _log_blocks(
    old: Definition, new: Definition, mapping: Mapping[str, str], log: list[Any]
) -> list[Block]:
    """Return the completed activities that could no longer be undone."""
    found = []
    for node_id, _number, inner, *_names in log:
        target = mapping.get(node_id, "")
        had_handler = old.compensation_of(node_id) is not None
        is_lost = target not in new.elements
        if is_lost or (had_handler and new.compensation_of(target) is None):
            found.append(Block(element=node_id, reason="log"))
        found.extend(_log_blocks(old, new, mapping, inner or []))
    return found


def same_work(before: Node, after: Node) -> bool:
    """Tell whether an element asks the same of the world in both versions."""
    events = [replace(event, line=0) for event in before.events]
    return (
        before.id == after.id
        and before.name == after.name
        and before.lane == after.lane
        and before.extension == after.extension
        and events == [replace(event, line=0) for event in after.events]
    )


def _fresh(old: Definition, new: Definition, mapping: Mapping[str, str], host: str) -> list[Node]:
    """Return the boundary events of an active element that the old version did not have."""
    known = {mapping.get(boundary.id) for boundary in old.boundaries(host)}
    return [
        boundary
        for boundary in new.boundaries(mapping[host])
        if boundary.id not in known and any(event.kind in SUBSCRIBED for event in boundary.events)
    ]


def _hosts(token: Token) -> bool:
    return HOST not in token.internal_data and TRIGGER not in token.internal_data


def _renamed(scope: list[Any], mapping: Mapping[str, str]) -> list[Any]:
    owner, tokens, *log = scope
    rows = []
    for number, element, letter, *marks in tokens:
        own = dict(marks[0]) if marks else {}
        if FLOW in own:
            own[FLOW] = mapping.get(own[FLOW], own[FLOW])
        own.update({mark: _renamed_log(own[mark], mapping) for mark in _LOGS if mark in own})
        rows.append([number, mapping[element], letter, own])
    kept = [_renamed_log(log[0], mapping), *log[1:]] if log else []
    return [owner, rows, *kept]


def _renamed_log(log: list[Any], mapping: Mapping[str, str]) -> list[Any]:
    return [
        [mapping[node_id], number, _renamed_log(inner, mapping) if inner else inner, *names]
        for node_id, number, inner, *names in log
    ]


def _settle_token(walk: Walk, token: Token, before: Node) -> None:
    note(walk, token, HistoryEvent.MOVED)
    marks = token.internal_data
    is_waiting = token.has_state(TaskState.STARTED) and not marks.get(LOOP)
    if not is_waiting or same_work(before, node_of(token)) or marks.get(INCIDENT):
        return
    if token.task_spec.node.kind in SCOPES | {Kind.CALL_ACTIVITY} and not marks.get(TRIGGER):
        return  # its scope holds the work
    close_rows(walk, token, CloseReason.CANCELLED)
    renew(walk, token)._ready()
