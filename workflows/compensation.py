"""Compensation: undo completed activities in the reverse order of their completion.

Every scope keeps a log of what can be undone. An entry is `[node id, number, inner log | null]`,
and the names that the activity had for itself, encoded, if any: its handler sees them again.
A completed sub-process without a handler of its own is undone by undoing what happened inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from SpiffWorkflow.util.task import TaskState

from dossier.canonical import Json
from workflows.evaluating import loop_variables
from workflows.graph import SCOPES, Kind, Node
from workflows.specs import Scope, Token, TokenScope
from workflows.state import decode_locals, encode_locals
from workflows.walk import (
    FIRED,
    LOOP,
    NAMES,
    PENDING,
    UNDOES,
    Walk,
    is_live,
    node_of,
    owner_of,
    put,
    scope_entered,
)


def remember(
    walk: Walk, token: Token, inner: list[list[object]], names: Mapping[str, Json]
) -> None:
    """Log a completed activity if it, or what happened inside it, can be undone.

    `names` are those that a scope had for itself, encoded.
    """
    node = node_of(token)
    is_undoing = node.for_compensation or UNDOES in token.internal_data
    if is_undoing or LOOP in token.internal_data or node.kind is Kind.EVENT_SUB_PROCESS:
        return
    definition = walk.definition
    is_scope = node.kind in SCOPES or node.kind is Kind.CALL_ACTIVITY
    if definition.compensation_of(node.id) is not None:
        entry: list[object] = [node.id, token.id, None]
    elif is_scope and (inner or definition.undoing_handler(scope_entered(node)) is not None):
        entry = [node.id, token.id, inner]
    else:
        return
    own = {**encode_locals(loop_variables(walk, token)), **names}
    token.workflow.log.append([*entry, own] if own else entry)


def undo(walk: Walk, token: Token, scopes: Sequence[Scope], activity: str | None) -> None:
    """Begin to undo scopes, or one activity of them; the token waits until all is undone."""
    pending: list[list[object]] = []
    for scope in scopes:
        chosen = [entry for entry in scope.log if activity in (None, entry[0])]
        scope.log = [entry for entry in scope.log if entry not in chosen]
        pending += chosen
    token.internal_data[PENDING] = pending
    walk.undoing.append(token)


def logged_scopes(walk: Walk, scope: Scope) -> tuple[Scope, ...]:
    """Return the scopes that a throw undoes: a handler undoes itself, then where it stands in."""
    owner = owner_of(walk, scope)
    if owner is not None and node_of(owner).kind is Kind.EVENT_SUB_PROCESS:
        return owner.workflow, scope
    return (scope,)


def undo_next(walk: Walk, token: Token) -> bool:
    """Begin the next handler of a token that undoes; False when nothing is left or one runs."""
    pending = token.internal_data.get(PENDING)
    if not pending or any(_undone_by(other) == token.id for other in walk.workflow.index.values()):
        return False
    node_id, _number, inner, *rest = pending.pop()
    names = rest[0] if rest else {}
    handler = walk.definition.compensation_of(node_id)
    scope = _scope_of(walk, token, node_id)
    if handler is not None:
        marks = {UNDOES: token.id, **({NAMES: names} if names else {})}
        put(walk, scope, handler, marks=marks)
    else:
        node = walk.definition.elements[node_id]
        _reopen(walk, token, scope, node, inner).locals = decode_locals(names)
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


def _reopen(
    walk: Walk, asking: Token, scope: Scope, node: Node, inner: list[list[object]]
) -> TokenScope:
    """Open the scope of a completed sub-process again, only to undo what it did."""
    token = put(walk, scope, node.id, marks={UNDOES: asking.id})
    token._set_state(TaskState.STARTED)
    opened = TokenScope(walk.workflow, scope_entered(node), token)
    opened.log = list(inner)
    handler = walk.definition.undoing_handler(opened.scope)
    if handler is not None:
        put(walk, opened, handler.id, marks={FIRED: True})
    else:
        undo(walk, token, (opened,), None)
    return opened
