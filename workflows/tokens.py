"""When a gateway that joins may fire: exact token counting, per incoming flow.

The parallel join takes one token from each incoming flow (BPMN 2.0.2, 13.4.1), the inclusive join
waits while a token elsewhere in its scope could still reach an empty flow (13.4.3). Neither looks
at what finished before, so a second round cannot be confused with the first (engine.md, W1).
"""

from __future__ import annotations

from collections.abc import Mapping

from SpiffWorkflow.util.task import TaskState

from workflows.graph import Kind, Node
from workflows.specs import Scope, Token
from workflows.walk import FLOW, HOST, TRIGGER, Walk, node_of, tokens_of


def may_pass_parallel(token: Token) -> bool:
    """Let the arriving token pass if every incoming flow now has one; consume the others."""
    node = node_of(token)
    if token.internal_data.get(FLOW) is None:  # put here by a repair
        return True
    oldest: dict[str, Token] = {}
    for other in _waiting_at(token.workflow, node):
        oldest.setdefault(other.internal_data[FLOW], other)
    oldest.setdefault(token.internal_data[FLOW], token)
    if len(oldest) < len(node.incoming):
        token._set_state(TaskState.WAITING)
        return False
    _consume(oldest, token)
    return True


def wait_at_inclusive(token: Token) -> bool:
    """Hold the arriving token; `fire_inclusive` decides when nothing else can move."""
    if token.internal_data.get(FLOW) is None:
        return True
    token._set_state(TaskState.WAITING)
    return False


def fire_inclusive(walk: Walk, scope: Scope) -> bool:
    """Let one inclusive join of the scope fire, if one may; tell whether it did."""
    tokens = list(tokens_of(scope))
    waiting: dict[str, list[Token]] = {}
    for token in tokens:
        if node_of(token).kind is Kind.INCLUSIVE and token.state == TaskState.WAITING:
            waiting.setdefault(node_of(token).id, []).append(token)
    for node_id, here in waiting.items():
        oldest: dict[str, Token] = {}
        for token in here:
            oldest.setdefault(token.internal_data[FLOW], token)
        others = [token for token in tokens if token not in here]
        if not _must_wait(walk.definition.reach[node_id], oldest, others):
            chosen = next(iter(oldest.values()))
            _consume(oldest, chosen)
            chosen._ready()
            return True
    return False


def _must_wait(
    reach: Mapping[str, frozenset[str]], filled: Mapping[str, Token], others: list[Token]
) -> bool:
    """Apply the standard's rule to every token elsewhere in the scope.

    A token counts if some path leads it to an empty flow and none to a filled one.
    """
    for token in others:
        marks = token.internal_data
        if marks.get(TRIGGER):
            continue
        where = node_of(token).id
        if marks.get(HOST):
            continue  # its activity is looked at instead
        empty = any(where in nodes for flow, nodes in reach.items() if flow not in filled)
        full = any(where in nodes for flow, nodes in reach.items() if flow in filled)
        if empty and not full:
            return True
    return False


def _waiting_at(scope: Scope, node: Node) -> list[Token]:
    return [
        token
        for token in tokens_of(scope)
        if token.state == TaskState.WAITING and node_of(token).id == node.id
    ]


def _consume(oldest: Mapping[str, Token], winner: Token) -> None:
    for token in oldest.values():
        if token is not winner:
            token._set_state(TaskState.COMPLETED)
