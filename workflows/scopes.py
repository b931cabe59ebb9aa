"""Open scopes, pass tokens on, and carry thrown events outward to whoever catches them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.util.task import TaskState

from dossier.errors import Rejected
from workflows.commands import CloseReason, HistoryEvent
from workflows.compensation import remember
from workflows.errors import ReservedName, StartRefused
from workflows.evaluating import is_true
from workflows.expressions import Value
from workflows.graph import GATEWAYS, SUBSCRIBED, Event, EventKind, Flow, Kind, Node
from workflows.names import PARAMETERS
from workflows.specs import Scope, Token, TokenScope
from workflows.state import encode_locals
from workflows.walk import (
    BODY,
    FIRED,
    FLOW,
    HOST,
    INNER,
    INNER_NAMES,
    LEAVING,
    LOOP,
    TAKE,
    TRIGGER,
    UNDOES,
    Walk,
    add,
    clear,
    close_rows,
    dependents,
    fail,
    fail_with,
    node_of,
    note,
    owner_of,
    put,
    scope_entered,
    tokens_of,
    withdraw,
)


def open_scope(walk: Walk, owner: Token, inputs: Mapping[str, Value]) -> None:
    """Open the scope of a sub-process: its triggers wait, its entries get a token each.

    `inputs`, and the data objects of a called process, are names of this one run.
    """
    if PARAMETERS in inputs:
        raise ReservedName(f"expected another name, got {PARAMETERS!r}", name=PARAMETERS)
    scope = TokenScope(walk.workflow, scope_entered(node_of(owner)), owner)
    names = walk.definition.process.local_names.get(scope.scope, ())
    scope.locals = {**dict.fromkeys(names), **inputs}
    enter_scope(walk, scope)


def enter_scope(walk: Walk, scope: Scope, start: Node | None = None) -> None:
    """Put the first tokens into a scope; `start` names the one start event that was triggered."""
    for handler in walk.definition.handlers(scope.scope):
        events = walk.definition.trigger_of(handler.id).events
        if any(event.kind in SUBSCRIBED for event in events):
            put(walk, scope, handler.id, marks={TRIGGER: True})
    if start is not None:
        put(walk, scope, start.id, marks={FIRED: True})
        return
    parent = owner_of(walk, scope)
    if parent is not None and node_of(parent).kind is Kind.EVENT_SUB_PROCESS:
        put(walk, scope, walk.definition.trigger_of(scope.scope).id, marks={FIRED: True})
        return
    entries = walk.definition.entries(scope.scope)
    if not entries and scope is walk.workflow:
        raise StartRefused(
            "expected a none start event, got a process that only events start",
            process=scope.scope,
        )
    # Several none starts of a process are alternatives; those of a sub-process begin together.
    are_alternatives = scope is walk.workflow and entries[0].kind is Kind.START
    for entry in entries[:1] if are_alternatives else entries:
        put(walk, scope, entry.id)


def is_scope_empty(scope: Scope) -> bool:
    """Tell whether only waiting triggers are left: then the scope is done."""
    return all(token.internal_data.get(TRIGGER) for token in tokens_of(scope))


# --- leaving a node ---------------------------------------------------------------------------


def depart(walk: Walk, token: Token) -> bool:
    """Choose the ways out of a token whose work is done; False: an incident stopped the choice."""
    marks = token.internal_data
    try:
        flows = _choose(walk, token, node_of(token))
    except Rejected as exc:
        marks[LEAVING] = True
        return fail_with(walk, token, exc)
    if flows is None:
        marks[LEAVING] = True
        return fail(walk, token, "no_condition_satisfied")
    marks.pop(LEAVING, None)
    marks[TAKE] = [flow.id for flow in flows]
    close_rows(walk, token, CloseReason.COMPLETED)
    for other in dependents(token):
        withdraw(walk, other)
    if LOOP not in marks:
        note(walk, token, HistoryEvent.LEFT)
    _tell(walk, marks)
    return True


def _tell(walk: Walk, marks: Mapping[str, Any]) -> None:
    """Queue whoever waits for this very token: a loop, or a compensation."""
    body = walk.workflow.index.get(marks.get(BODY, 0))
    if body is not None:
        walk.counting.append(body)
    asking = walk.workflow.index.get(marks.get(UNDOES, 0))
    if asking is not None:
        walk.undoing.append(asking)


def complete(walk: Walk, token: Token, left: Scope | None = None) -> None:
    """Finish a waiting token and let its successors arrive.

    `left` is the scope that a sub-process leaves behind, with what can be undone inside.
    """
    marks = token.internal_data
    if left is not None:
        keep_inner(token, left)
    if depart(walk, token):
        remember(walk, token, marks.get(INNER, []), marks.get(INNER_NAMES, {}))
        token.complete()


def keep_inner(token: Token, left: Scope) -> None:
    """Keep on the owner what a closed scope leaves behind, for when it is undone."""
    if left.log:
        token.internal_data[INNER] = left.log
    if left.locals:
        token.internal_data[INNER_NAMES] = encode_locals(left.locals)


def leave(walk: Walk, token: Token) -> None:
    """Put the successors of a finished token; Spiff lets them arrive."""
    for flow_id in token.internal_data.pop(TAKE, ()):
        target = walk.definition.process.flows[flow_id].target
        add(walk, token.workflow, target, parent=token, marks={FLOW: flow_id})


def _choose(walk: Walk, token: Token, node: Node) -> tuple[Flow, ...] | None:
    if BODY in token.internal_data or UNDOES in token.internal_data:
        return ()  # a loop's instance and a compensation handler give no token onward
    flows = tuple(walk.definition.process.flows[flow_id] for flow_id in node.outgoing)
    if node.kind is Kind.PARALLEL:
        return flows
    default = next((flow for flow in flows if flow.id == node.default), None)
    taken = _true_flows(walk, token, node, [flow for flow in flows if flow is not default])
    if default is not None and _takes_default(node, flows, taken):
        taken.append(default)
    # A gateway must send its token somewhere; an activity's token may end (BPMN 2.0.2, 13.3.1).
    return None if not taken and node.kind in GATEWAYS and flows else tuple(taken)


def _true_flows(walk: Walk, token: Token, node: Node, flows: list[Flow]) -> list[Flow]:
    taken: list[Flow] = []
    for flow in flows:
        if flow.condition is None or is_true(walk, token, flow.condition):
            taken.append(flow)
            if node.kind is Kind.EXCLUSIVE:
                break
    return taken


def _takes_default(node: Node, flows: tuple[Flow, ...], taken: list[Flow]) -> bool:
    """Tell whether the default flow is taken: only when no condition let another one pass.

    On an activity without any condition the mark has no meaning, and every flow is taken.
    """
    if node.kind in GATEWAYS:
        return not taken
    return not any(flow.condition for flow in taken)


# --- catching ---------------------------------------------------------------------------------


def fire_boundary(walk: Walk, host: Token, boundary: Node) -> None:
    """Set off a boundary event: stop the activity if it interrupts, and start its way out."""
    scope = host.workflow
    if boundary.interrupting:
        withdraw(walk, host)
    put(walk, scope, boundary.id, marks={FIRED: True})


def fire_handler(walk: Walk, scope: Scope, handler: Node) -> None:
    """Set off an event sub-process: stop its scope if it interrupts, and start its run."""
    if walk.definition.trigger_of(handler.id).interrupting:
        clear(walk, scope)
    put(walk, scope, handler.id, marks={FIRED: True})


def host_of(walk: Walk, token: Token) -> Token:
    """Return the token that boundary events sit on: a loop instance's is the counting one."""
    body = token.internal_data.get(BODY)
    return walk.workflow.index[body] if body else token


def raise_from(walk: Walk, token: Token, kind: EventKind, code: str | None) -> bool:
    """Carry an error or escalation outward from where it was thrown; tell whether it was caught.

    The innermost catcher wins; in one place, the one that names the code (BPMN 2.0.2, 10.5.1).
    """
    scope = token.workflow
    inside_handler = False
    if node_of(token).kind not in (Kind.END, Kind.THROW) and catch_at(walk, token, kind, code):
        return True
    while True:
        if not inside_handler:
            handler = _matching(_starts(walk, scope), kind, code)
            if handler is not None:
                fire_handler(walk, scope, handler)
                return True
        owner = owner_of(walk, scope)
        if owner is None:
            return False
        if catch_at(walk, owner, kind, code):
            return True
        inside_handler = node_of(owner).kind is Kind.EVENT_SUB_PROCESS
        scope = owner.workflow


def catch_at(walk: Walk, token: Token, kind: EventKind, code: str | None) -> bool:
    """Set off the boundary event of an activity that catches this, if it has one."""
    boundaries = walk.definition.boundaries(node_of(token).id)
    boundary = _matching(tuple((node, node) for node in boundaries), kind, code)
    if boundary is None:
        return False
    fire_boundary(walk, host_of(walk, token), boundary)
    return True


def _starts(walk: Walk, scope: Scope) -> tuple[tuple[Node, Node], ...]:
    """Return the event sub-processes of a scope, each with its start event before it."""
    definition = walk.definition
    handlers = definition.handlers(scope.scope)
    return tuple((definition.trigger_of(node.id), node) for node in handlers)


def _matching(
    catchers: tuple[tuple[Node, Node], ...], kind: EventKind, code: str | None
) -> Node | None:
    anything = None
    for catcher, target in catchers:
        for event in catcher.events:
            if event.kind is not kind:
                continue
            if event.code is not None and event.code == code:
                return target
            if event.code is None:
                anything = anything or target
    return anything


def waiting_for(walk: Walk, kind: EventKind) -> list[tuple[Token, int, Event]]:
    """Return the waiting tokens of every scope that listen to events of a kind."""
    found = []
    for scope in (walk.workflow, *walk.workflow.subprocesses.values()):
        for token in tokens_of(scope):
            if not token.has_state(TaskState.STARTED) or not _listens(token):
                continue
            node = node_of(token)
            if token.internal_data.get(TRIGGER):
                node = walk.definition.trigger_of(node.id)
            for index, event in enumerate(node.events):
                if event.kind is kind:
                    found.append((token, index, event))
    return found


def _listens(token: Token) -> bool:
    node = node_of(token)
    if node.kind is Kind.BOUNDARY:
        return HOST in token.internal_data
    if node.kind is Kind.EVENT_SUB_PROCESS:
        return TRIGGER in token.internal_data
    return node.kind in (Kind.CATCH, Kind.RECEIVE_TASK)
