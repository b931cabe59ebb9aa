"""Compensation: undo completed activities in the reverse order of their completion.

Every scope keeps a log of what can be undone. An entry is `[node id, number, inner log | null]`; a
completed sub-process without a handler of its own is undone by undoing what happened inside.
"""

from __future__ import annotations

from typing import cast

from SpiffWorkflow.util.task import TaskState

from workflows.graph import SCOPES, Kind, Node
from workflows.specs import Scope, Token, TokenScope
from workflows.walk import (
    FIRED,
    LOOP,
    PENDING,
    UNDOES,
    Walk,
    is_live,
    node_of,
    owner_of,
    put,
    scope_entered,
)


def remember(walk: Walk, token: Token, inner: list[list[object]]) -> None:
    """Log a completed activity if it, or what happened inside it, can be undone."""
    node = node_of(token)
    is_undoing = node.for_compensation or UNDOES in token.internal_data
    if is_undoing or LOOP in token.internal_data or node.kind is Kind.EVENT_SUB_PROCESS:
        return
    definition = walk.definition
    if definition.compensation_of(node.id) is not None:
        token.workflow.log.append([node.id, token.id, None])
        return
    is_scope = node.kind in SCOPES or node.kind is Kind.CALL_ACTIVITY
    if is_scope and (inner or definition.undoing_handler(scope_entered(node)) is not None):
        token.workflow.log.append([node.id, token.id, inner])


def undo(walk: Walk, token: Token, scope: Scope, activity: str | None) -> None:
    """Begin to undo a scope, or one activity of it; the token waits until all is undone."""
    chosen = [entry for entry in scope.log if activity in (None, entry[0])]
    scope.log = [entry for entry in scope.log if entry not in chosen]
    token.internal_data[PENDING] = chosen
    walk.undoing.append(token)


def logged_scope(walk: Walk, scope: Scope) -> Scope:
    """Return the scope whose log a throw undoes: a handler undoes the scope it stands in."""
    owner = owner_of(walk, scope)
    if owner is not None and node_of(owner).kind is Kind.EVENT_SUB_PROCESS:
        outer: Scope = owner.workflow
        return outer
    return scope


def undo_next(walk: Walk, token: Token) -> bool:
    """Begin the next handler of a token that undoes; False when nothing is left or one runs."""
    pending = token.internal_data.get(PENDING)
    if not pending or any(_undone_by(other) == token.id for other in walk.workflow.index.values()):
        return False
    node_id, _number, inner = pending.pop()
    handler = walk.definition.compensation_of(node_id)
    scope = _scope_of(walk, token, node_id)
    if handler is not None:
        put(walk, scope, handler, marks={UNDOES: token.id})
    else:
        _reopen(walk, token, scope, walk.definition.elements[node_id], inner)
    return True


def _undone_by(token: Token) -> int | None:
    return token.internal_data.get(UNDOES) if is_live(token) else None


def _scope_of(walk: Walk, token: Token, node_id: str) -> Scope:
    """Return the open scope in which the entry's activity stands."""
    wanted = walk.definition.elements[node_id].scope
    own = walk.workflow.subprocesses.get(token.id)
    if own is not None and own.scope == wanted:
        return cast(Scope, own)
    scope: Scope = token.workflow
    while scope.scope != wanted:
        owner = owner_of(walk, scope)
        if owner is None:
            return walk.workflow
        scope = owner.workflow
    return scope


def _reopen(walk: Walk, asking: Token, scope: Scope, node: Node, inner: list[list[object]]) -> None:
    """Open the scope of a completed sub-process again, only to undo what it did."""
    token = put(walk, scope, node.id, marks={UNDOES: asking.id})
    token._set_state(TaskState.STARTED)
    opened = TokenScope(walk.workflow, scope_entered(node), token)
    opened.log = list(inner)
    handler = walk.definition.undoing_handler(opened.scope)
    if handler is not None:
        put(walk, opened, handler.id, marks={FIRED: True})
    else:
        undo(walk, token, opened, None)
